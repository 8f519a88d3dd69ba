// Reads what window-hash serves: windows with their records, dropped records,
// progress. Nothing of it is believed here.
#ifndef WINDPROOF_SERVICES_VERIFIER_WINDOW_READER_H_
#define WINDPROOF_SERVICES_VERIFIER_WINDOW_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "services/verifier/completeness_check.h"
#include "services/verifier/dropped_check.h"
#include "services/verifier/peers.h"

namespace windproof {

// Windows with start in [start_ms, end_ms); either bound may be open.
struct StartRange {
  std::optional<int64_t> start_ms;
  std::optional<int64_t> end_ms;

  bool Contains(int64_t ms) const {
    return (!start_ms.has_value() || ms >= *start_ms) &&
           (!end_ms.has_value() || ms < *end_ms);
  }
};

// The served windows of a pipeline or a key, in order of key, start, revision,
// page by page. Belongs to one thread.
class ServedWindows {
 public:
  // `key` empty: all keys. `peers` must outlive this.
  ServedWindows(const Peers& peers, absl::string_view pipeline,
                absl::string_view key, const StartRange& range);

  // The window in front, nullptr at the end or after an error.
  const v1::Window* Peek();
  // Takes the window in front.
  v1::Window Take();

  // Name of the window in front; only where Peek() gives one.
  const WindowName& name() const { return name_; }

  // Why there are no more: OK at the end. DataLoss where what is served is not
  // a list in order.
  const absl::Status& status() const { return status_; }

 private:
  bool Fill();

  const Peers& peers_;
  v1::ListWindowsRequest request_;
  v1::ListWindowsResponse page_;
  int next_ = 0;
  bool at_end_ = false;
  bool checked_ = false;  // the window in front is name_, in order
  std::optional<std::pair<WindowName, int64_t>> last_;
  WindowName name_;
  absl::Status status_;
};

// The records of one revision. The views point into `payload`.
std::vector<ServedRecord> ViewRecords(const v1::WindowPayload& payload);

// Reads the records of a revision that came without them. Reads no further than
// `max_records`: beyond that the answer is wrong anyway. Errors: as window-hash
// answered.
absl::StatusOr<v1::WindowPayload> ReadPayload(const Peers& peers,
                                              const WindowName& window,
                                              int64_t revision,
                                              int64_t max_records);

// The dropped records of a source with offset in [begin, end), each handed to
// `take`, in the order served.
absl::Status ReadDropped(
    const Peers& peers, absl::string_view pipeline, absl::string_view key,
    const Checkpoint& source, int64_t begin, int64_t end,
    const std::function<void(const ServedDropped& dropped)>& take);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_WINDOW_READER_H_
