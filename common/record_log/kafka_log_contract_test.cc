#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/record_log_contract.h"
#include "gtest/gtest.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

// One broker for all of them; it ends with the process.
KafkaBroker* Broker() {
  static KafkaBroker* const broker = [] {
    auto started = KafkaBroker::Start();
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? started->release() : nullptr;
  }();
  return broker;
}

class KafkaFactory : public RecordLogFactory {
 public:
  absl::StatusOr<std::unique_ptr<RecordLog>> Open(int32_t partitions) override {
    if (Broker() == nullptr) return absl::UnavailableError("no broker");
    KafkaLog::Options options;
    options.properties.entries = {{"bootstrap.servers", Broker()->bootstrap()}};
    options.partitions = partitions;
    auto log = KafkaLog::Open(options);
    if (!log.ok()) return log.status();
    return std::unique_ptr<RecordLog>(*std::move(log));
  }

  std::string Topic(absl::string_view name) override {
    return absl::StrCat(name, "-", number_);
  }

  // Kafka's client takes 0 for "now".
  int64_t EarliestLogTimeMs() override { return 1; }

  std::optional<std::string> Unavailable() override {
    return KafkaBroker::Unavailable();
  }

 private:
  static inline std::atomic<int> made_ = 0;
  const int number_ = ++made_;
};

std::unique_ptr<RecordLogFactory> MakeKafkaFactory() {
  return std::make_unique<KafkaFactory>();
}

INSTANTIATE_TEST_SUITE_P(KafkaLog, RecordLogContractTest,
                         ::testing::Values(&MakeKafkaFactory),
                         [](const auto&) { return std::string("Kafka"); });

}  // namespace
}  // namespace windproof
