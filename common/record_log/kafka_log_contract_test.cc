#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/record_log_contract.h"
#include "gtest/gtest.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

class KafkaFactory : public RecordLogFactory {
 public:
  explicit KafkaFactory(bool old_version) : old_version_(old_version) {}

  absl::StatusOr<std::unique_ptr<RecordLog>> Open(int32_t partitions) override {
    const absl::StatusOr<KafkaBroker*> broker =
        KafkaBroker::Shared({.old_version = old_version_});
    if (!broker.ok()) return broker.status();
    KafkaLog::Options options;
    options.properties.entries = {
        {"bootstrap.servers", (*broker)->bootstrap()}};
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
    return KafkaBroker::Unavailable(old_version_);
  }

 private:
  static inline std::atomic<int> made_ = 0;
  const int number_ = ++made_;
  const bool old_version_;
};

std::unique_ptr<RecordLogFactory> MakeKafkaFactory() {
  return std::make_unique<KafkaFactory>(false);
}

std::unique_ptr<RecordLogFactory> MakeOldKafkaFactory() {
  return std::make_unique<KafkaFactory>(true);
}

INSTANTIATE_TEST_SUITE_P(KafkaLog, RecordLogContractTest,
                         ::testing::Values(&MakeKafkaFactory),
                         [](const auto&) { return std::string("Kafka"); });

// `./dev test --long` has an older Kafka, too.
std::vector<MakeRecordLogFactory> OldKafka() {
  if (std::getenv("WINDPROOF_KAFKA_OLD") == nullptr) return {};
  return {&MakeOldKafkaFactory};
}

INSTANTIATE_TEST_SUITE_P(OldKafkaLog, RecordLogContractTest,
                         ::testing::ValuesIn(OldKafka()),
                         [](const auto&) { return std::string("OldKafka"); });

}  // namespace
}  // namespace windproof
