// What every RecordLog must do, as a parameterised test suite.
//
//   INSTANTIATE_TEST_SUITE_P(EmbeddedLog, RecordLogContractTest,
//                            ::testing::Values(&MakeEmbeddedFactory));
#ifndef WINDPROOF_COMMON_RECORD_LOG_RECORD_LOG_CONTRACT_H_
#define WINDPROOF_COMMON_RECORD_LOG_RECORD_LOG_CONTRACT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/record_log/record_log.h"
#include "gtest/gtest.h"

namespace windproof {

// One log under test.
class RecordLogFactory {
 public:
  virtual ~RecordLogFactory() = default;

  // Opens the log: empty at first, later what it was when it was closed. New
  // topics get `partitions` partitions. One is open at a time.
  virtual absl::StatusOr<std::unique_ptr<RecordLog>> Open(
      int32_t partitions) = 0;

  // The name of a topic that no other test uses.
  virtual std::string Topic(absl::string_view name) {
    return std::string(name);
  }

  // The lowest log time that a record can have.
  virtual int64_t EarliestLogTimeMs() { return 0; }

  // Why the log cannot be tested here; the tests are skipped then.
  virtual std::optional<std::string> Unavailable() { return std::nullopt; }
};

using MakeRecordLogFactory = std::unique_ptr<RecordLogFactory> (*)();

class RecordLogContractTest
    : public ::testing::TestWithParam<MakeRecordLogFactory> {
 protected:
  void SetUp() override;

  // Opens (again) with that many partitions for new topics.
  void Open(int32_t partitions = 1);
  void Close() { log_.reset(); }

  std::string Topic(absl::string_view name) { return factory_->Topic(name); }

  // Appends one record and returns where it went.
  AppendedRecord AppendOne(const NewRecord& record);

  // The records that `reader` gives until there are `count` of them.
  std::vector<RecordBatch> ReadAll(LogReader& reader, size_t count);

  std::unique_ptr<RecordLogFactory> factory_ = GetParam()();
  std::unique_ptr<RecordLog> log_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_RECORD_LOG_CONTRACT_H_
