// Keeps a StreamMirror as the node's chain is: reads what is new, reads again
// what a new block or a reorganisation has moved, and finds what has vanished.
//
// The node lists a stream's items in the chain's order and those without a
// block behind them, so all in front of the first one without a block is read
// once, and of a new block only what it settled. That nothing else has moved
// shows in the last item that was listed: it stands where it stood. Otherwise,
// and first after a start, all without a block are read again. A page counts
// only where the tip was the same before and after it; each is kept, with how
// far the list was read, in one write.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_SYNC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_SYNC_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/anchor/multichain/stream_mirror.h"
#include "services/anchor/multichain/stream_node.h"

namespace windproof {

// Single-owner: one call at a time. The mirror is touched within `with_mirror`
// alone, so that others can read it between.
class StreamSync {
 public:
  using UseMirror = std::function<absl::Status(StreamMirror&)>;
  // Runs its argument while nobody else uses the mirror.
  using WithMirror = std::function<absl::Status(const UseMirror&)>;

  // `node` must outlive it.
  StreamSync(StreamNode& node, WithMirror with_mirror);

  struct Result {
    bool moved = false;  // the tip is another one
    StreamMirror::Change change;
    std::vector<int64_t> lost;  // positions that became empty
    int64_t reorganised = 0;    // blocks with our items that left the chain
  };

  // Reads what has changed. With `thorough` it also looks for items that
  // vanished while the tip stayed. Errors: the node's and the store's; what was
  // read until then stays, and is in `result`. Unavailable, too: the chain
  // moved all the time.
  absl::Status Update(bool thorough, Result* result);

  // After somebody else has changed the mirror.
  void Restart() { loaded_ = false; }

 private:
  enum class Pass {
    kNew,     // what is listed behind the last one that was
    kBlocks,  // what new blocks have settled
    kAll,     // all without a block
  };

  // Runs `use`, and keeps its changes with how far the list was read; or, where
  // something fails, neither.
  absl::Status Change(const UseMirror& use);
  // Sees to a tip that is another than the last one.
  absl::Status MoveTo(const ChainTip& tip, Result* result);
  void Begin(Pass pass);
  // Takes a page that begins at start_. `goes_on`: the pass is not at its end.
  absl::Status TakePage(std::vector<StreamItem> page, Result* result,
                        bool* goes_on);
  absl::Status FindLost(Result* result);

  StreamNode& node_;
  const WithMirror with_mirror_;

  StreamMirror::Progress progress_;
  bool loaded_ = false;
  // What has to be read before what is new is enough.
  Pass due_ = Pass::kAll;

  // Of the pass that runs.
  Pass pass_ = Pass::kAll;
  int64_t start_ = 0;  // index of the next page
  absl::flat_hash_set<int64_t> told_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_SYNC_H_
