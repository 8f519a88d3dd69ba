// Keeps a StreamMirror as the node's chain is: reads what is new, reads again
// what a new block or a reorganisation has moved, and finds what has vanished.
//
// The node lists a stream's items in the chain's order and those without a
// block behind them, so all in front of the first one without a block is read
// once. A page counts only where the tip was the same before and after it.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_SYNC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_SYNC_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/anchor/multichain/stream_mirror.h"
#include "services/anchor/multichain/stream_node.h"

namespace windproof {

// Single-owner: one call at a time. The mirror is touched within `with_mirror`
// alone, so that others can read it between.
class StreamSync {
 public:
  // Runs its argument while nobody else uses the mirror.
  using WithMirror =
      std::function<void(const std::function<void(StreamMirror&)>&)>;

  // `node` must outlive it.
  StreamSync(StreamNode& node, WithMirror with_mirror);

  struct Result {
    ChainTip tip;
    StreamMirror::Change change;
    std::vector<int64_t> lost;  // positions that became empty
    int64_t reorganised = 0;    // blocks with our items that left the chain
  };

  // Reads what has changed. With `thorough` it also looks for items that
  // vanished while the tip stayed. Errors: the node's; what was read until then
  // stays. Unavailable, too: the chain moved all the time.
  absl::StatusOr<Result> Update(bool thorough);

 private:
  struct Block {
    std::string hash;
    int64_t end = 0;  // index of the first listed item behind it
  };

  // Sees to a tip that is another than the last one. Sets where to read from.
  absl::Status MoveTo(const ChainTip& tip, Result* result);
  // Takes a page that begins at index `start`.
  void TakePage(int64_t start, std::vector<StreamItem> page, Result* result);
  absl::Status FindLost(Result* result);

  StreamNode& node_;
  const WithMirror with_mirror_;

  ChainTip tip_{"", -1};
  std::map<int64_t, Block> blocks_;  // with listed items, by height
  int64_t confirmed_ = 0;            // listed items in them: what is settled
  int64_t listed_ = 0;               // all that were listed
  std::string last_name_;            // of the last one listed
  // Told in this pass over all without a block.
  std::set<std::string> told_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_SYNC_H_
