// A golden log: what a log must give, byte for byte. README.md has the layout.
#ifndef WINDPROOF_TESTS_VECTORS_GOLDEN_LOG_H_
#define WINDPROOF_TESTS_VECTORS_GOLDEN_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"

namespace windproof {

struct GoldenLog {
  struct ClassOfRecord {
    int64_t offset = 0;
    std::optional<std::string> key;  // nothing for other
    std::string name;                // accepted, conflict, …
  };
  struct Written {
    std::string checkpoint;
    std::string sha256;
    std::vector<std::pair<int64_t, std::string>> records;
    struct Dropped {
      int64_t offset = 0;
      std::string reason;
      std::string record_hash;
    };
    std::vector<Dropped> dropped;
  };
  struct Position {
    int64_t position = 0;
    int64_t low_water = 0;
    int64_t written = 0;
  };

  std::string name;
  std::string about;
  PipelineSpec spec;
  std::string spec_sha256;
  std::string topic;
  int32_t partition = 0;
  int64_t origin = 0;
  std::vector<OwnedRecord> entries;
  std::vector<ClassOfRecord> classes;
  std::vector<Written> written;
  std::vector<Position> positions;
};

// InvalidArgument names the member that is not as the layout says.
absl::StatusOr<GoldenLog> ParseGoldenLog(absl::string_view json);

// How a log is fed: a commit after each `batch` records (0: one at the end), a
// restart after each commit, windows spilled that lag more than `spill_lag`.
struct Feeding {
  size_t batch = 0;
  bool restart = false;
  std::optional<int64_t> spill_lag;
};

// Feeds the log and compares everything that came out. The error names the
// first difference: what it is of, what was expected and found.
absl::Status CheckGoldenLog(const GoldenLog& log, const Feeding& feeding);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_VECTORS_GOLDEN_LOG_H_
