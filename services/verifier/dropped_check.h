// The part of ACCOUNTING about dropped records: those served are exactly those
// under dropped_root, each is the record that was hashed, and their reasons and
// numbers are what the scan says.
//
// How many were accepted cannot be told from them; only reading the log again
// can. Source: docs/formats/ ("Trees and hashes"). Pure; belongs to one thread
// and can be used again.
#ifndef WINDPROOF_SERVICES_VERIFIER_DROPPED_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_DROPPED_CHECK_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/merkle/tree.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"
#include "services/verifier/finding.h"

namespace windproof {

// A dropped record as window-hash serves it; nothing about it is believed.
struct ServedDropped {
  LogRecord record;
  std::optional<DropReason> reason;  // nothing: none that we know
  absl::string_view record_sha256;   // 32 bytes, if it is one
};

class DroppedCheck {
 public:
  // `spec` is that of the checkpoints, or null where it is not known: reasons
  // are not held against the records then. Must outlive this.
  explicit DroppedCheck(const PipelineSpec* spec);

  // A checkpoint; then its dropped records in the order served; then Finish().
  // `anchored` must live until then.
  void Begin(const Checkpoint& anchored);
  void Add(const ServedDropped& dropped);
  CheckOutcome Finish();

 private:
  void CheckReason(const ServedDropped& dropped, DropReason reason);
  void Found(absl::string_view code, std::optional<int64_t> offset,
             std::string expected, std::string found, std::string message);

  const PipelineSpec* spec_;
  std::optional<RecordReader> reader_;

  const Checkpoint* anchored_ = nullptr;
  std::array<int64_t, 4> counts_{};  // by DropReason
  StreamingRoot root_;
  int64_t last_offset_ = -1;
  std::vector<Finding> findings_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_DROPPED_CHECK_H_
