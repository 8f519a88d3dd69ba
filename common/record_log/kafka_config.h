// The settings of our librdkafka clients: our defaults, over them the user's,
// and what nobody may change because correctness depends on it.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_CONFIG_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_CONFIG_H_

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/record_log/kafka_properties.h"

namespace windproof {

enum class KafkaRole {
  kProducer,
  kReader,  // manual positions, no group
  kAdmin,   // topics and offsets; never reads
  kGroup,   // takes part in a group; never reads
};

struct KafkaConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaConfDeleter>;

// InvalidArgument names the key, its line and what librdkafka says: an unknown
// key, a value that is none, a key that is not the user's to set, or no
// bootstrap.servers. A secret value is not shown.
absl::StatusOr<KafkaConf> MakeKafkaConf(KafkaRole role,
                                        const KafkaProperties& properties);

// Of a setting that is there, e.g. "message.max.bytes" as a number.
int64_t KafkaConfNumber(const rd_kafka_conf_t& conf, const char* key);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_CONFIG_H_
