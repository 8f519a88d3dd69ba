// The rules of one pipeline: which fields a record keeps, how long a window is,
// when it closes. docs/formats/ ("The canonical spec") fixes the bytes.
//
// Pure. A PipelineSpec is a value: thread-compatible, immutable once validated.
#ifndef WINDPROOF_COMMON_PIPELINE_SPEC_H_
#define WINDPROOF_COMMON_PIPELINE_SPEC_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

// A leap year: the largest value of every `_ms` member.
inline constexpr int64_t kMaxDurationMs = 31'622'400'000;

enum class FieldType { kString, kNumber, kBoolean };
enum class LatePolicy { kReject, kAmend };

struct PipelineSpec {
  std::string name;
  std::vector<std::string> topics;  // names, or patterns that begin with ^
  std::string key_field;
  std::string timestamp_field;
  std::map<std::string, FieldType> fields;
  std::vector<std::string> aggregated;  // in RFC 8785 member order, once valid
  int64_t window_ms = 0;
  int64_t grace_ms = 0;
  LatePolicy late_policy = LatePolicy::kReject;
  int64_t amend_ms = 0;
  int64_t future_skew_ms = 0;
  std::map<std::string, std::string> units;  // for people; not hashed
};

// Checks every rule of a spec and sorts `aggregated`. InvalidArgument names the
// member, its value and what is accepted.
absl::Status ValidateSpec(PipelineSpec* spec);

// The canonical form, RFC 8785, and its SHA-256: `spec` in a checkpoint.
std::string CanonicalSpec(const PipelineSpec& spec);
Digest SpecHash(const PipelineSpec& spec);

// Reads a canonical form back (no topics, no units). InvalidArgument where it
// is not one; Unimplemented where its `version` is another.
absl::StatusOr<PipelineSpec> ParseCanonicalSpec(absl::string_view json);

// `weather` and `weather-hourly`; nullptr for any other name.
const PipelineSpec* BuiltInSpec(absl::string_view name);
std::vector<std::string> BuiltInSpecNames();

// Whether a pipeline reads a topic: a name of `topics`, or matched as a whole
// by a pattern of it. Compiled once; thread-safe.
class TopicMatcher {
 public:
  // InvalidArgument where a pattern is no regular expression.
  static absl::StatusOr<TopicMatcher> Create(
      const std::vector<std::string>& topics);

  bool Matches(absl::string_view topic) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_SPEC_H_
