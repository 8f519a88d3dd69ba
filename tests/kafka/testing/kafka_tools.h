// What a test does to a broker behind the back of the code under test.
//
// Every call waits until it has worked; what cannot be done fails the test.
#ifndef WINDPROOF_TESTS_KAFKA_TESTING_KAFKA_TOOLS_H_
#define WINDPROOF_TESTS_KAFKA_TESTING_KAFKA_TOOLS_H_

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace windproof {

class KafkaTools {
 public:
  explicit KafkaTools(const std::string& bootstrap);
  ~KafkaTools();
  KafkaTools(const KafkaTools&) = delete;
  KafkaTools& operator=(const KafkaTools&) = delete;

  // `settings` as of the topic, such as {"cleanup.policy", "compact"}.
  void CreateTopic(const std::string& topic, int partitions,
                   const std::map<std::string, std::string>& settings = {});
  void DeleteTopic(const std::string& topic);
  // As retention does: the log begins at `offset` then.
  void DeleteRecords(const std::string& topic, int32_t partition,
                     int64_t offset);

 private:
  bool HasTopic(const std::string& topic);

  rd_kafka_t* const handle_;
};

// Writes records in transactions.
class KafkaTransactions {
 public:
  KafkaTransactions(const std::string& bootstrap, const std::string& id);
  ~KafkaTransactions();
  KafkaTransactions(const KafkaTransactions&) = delete;
  KafkaTransactions& operator=(const KafkaTransactions&) = delete;

  void Begin();
  // To the partition, flushed: the broker has it.
  void Write(const std::string& topic, int32_t partition,
             const std::vector<std::string>& values);
  void Commit();
  void Abort();

 private:
  rd_kafka_t* const handle_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_KAFKA_TESTING_KAFKA_TOOLS_H_
