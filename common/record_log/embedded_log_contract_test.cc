#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/record_log/embedded_log.h"
#include "common/record_log/record_log_contract.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

class EmbeddedFactory : public RecordLogFactory {
 public:
  EmbeddedFactory()
      : path_(::testing::TempDir() + "/log-" + std::to_string(++made_)) {}

  absl::StatusOr<std::unique_ptr<RecordLog>> Open(int32_t partitions) override {
    EmbeddedLog::Options options;
    options.path = path_;
    options.partitions_per_topic = partitions;
    auto log = EmbeddedLog::Open(options);
    if (!log.ok()) return log.status();
    return std::unique_ptr<RecordLog>(*std::move(log));
  }

 private:
  static inline std::atomic<int> made_ = 0;
  const std::string path_;
};

std::unique_ptr<RecordLogFactory> MakeEmbeddedFactory() {
  return std::make_unique<EmbeddedFactory>();
}

INSTANTIATE_TEST_SUITE_P(EmbeddedLog, RecordLogContractTest,
                         ::testing::Values(&MakeEmbeddedFactory),
                         [](const auto&) { return std::string("Embedded"); });

}  // namespace
}  // namespace windproof
