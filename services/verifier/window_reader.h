// Reads what window-hash serves: windows with their records, dropped records,
// progress. Nothing of it is believed here.
#ifndef WINDPROOF_SERVICES_VERIFIER_WINDOW_READER_H_
#define WINDPROOF_SERVICES_VERIFIER_WINDOW_READER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "google/protobuf/arena.h"
#include "proto/windproof/v1/window_hash.pb.h"
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

// One of a page that others share.
using ServedWindow = std::shared_ptr<const v1::Window>;

// The served windows of a pipeline or a key, in order of key, start, revision,
// page by page. Belongs to one thread.
class ServedWindows {
 public:
  // `key` empty: all keys. `peers` must outlive this.
  ServedWindows(const Peers& peers, absl::string_view pipeline,
                absl::string_view key, const StartRange& range);

  // The window in front, nullptr at the end or after an error.
  const v1::Window* Peek();
  // Takes the window in front. A page lives as long as one of its windows, and
  // is then used again: what it has allocated serves the next one.
  ServedWindow Take();

  // Name of the window in front; only where Peek() gives one.
  const WindowName& name() const { return name_; }

  // Why there are no more: OK at the end. DataLoss where what is served is not
  // a list in order.
  const absl::Status& status() const { return status_; }

 private:
  // Thousands of small messages a page: made on an arena they cost a fraction.
  struct Page {
    google::protobuf::Arena arena;
    v1::ListWindowsResponse* response =
        google::protobuf::Arena::CreateMessage<v1::ListWindowsResponse>(&arena);
  };

  bool Fill();
  int windows() const {
    return page_ == nullptr ? 0 : page_->response->windows_size();
  }

  const Peers& peers_;
  v1::ListWindowsRequest request_;
  std::shared_ptr<Page> page_;
  int next_ = 0;
  bool at_end_ = false;
  bool checked_ = false;  // the window in front is name_, in order
  std::optional<std::pair<WindowName, int64_t>> last_;
  WindowName name_;
  absl::Status status_;
};

// What window-hash says of a pipeline: asked at the first Get(), and once. Most
// windows need nothing of it. Belongs to one thread.
class ServedProgress {
 public:
  // `peers` must outlive this.
  ServedProgress(const Peers& peers, absl::string_view pipeline);

  const absl::StatusOr<v1::GetProgressResponse>& Get();

 private:
  const Peers& peers_;
  const std::string pipeline_;
  std::optional<absl::StatusOr<v1::GetProgressResponse>> answer_;
};

// Hands the records of a revision to `take`, some at a time: from `served` if
// they came with it, else read in chunks. The views end with the call. Memory
// is that of a chunk, however large the window. Reads not much further than
// `max_records`: beyond that the answer is wrong anyway. Errors: as window-hash
// answered.
absl::Status ReadRecords(
    const Peers& peers, const WindowName& window, const v1::Window& served,
    int64_t max_records,
    absl::FunctionRef<void(absl::Span<const ServedRecord>)> take);

// The same records, kept.
struct KeptRecords {
  std::vector<ServedRecord> records;
  std::deque<std::string> bytes;  // what the views point into
};
absl::StatusOr<KeptRecords> KeepRecords(const Peers& peers,
                                        const WindowName& window,
                                        const v1::Window& served,
                                        int64_t max_records);

// The dropped records of a source with offset in [begin, end), each handed to
// `take`, in the order served.
absl::Status ReadDropped(
    const Peers& peers, absl::string_view pipeline, absl::string_view key,
    const Checkpoint& source, int64_t begin, int64_t end,
    const std::function<void(const ServedDropped& dropped)>& take);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_WINDOW_READER_H_
