// Compares our node with another one of the same chain, for as long as it
// lives: what an auditor does who believes neither.
//
// Where both show different things (SplitFinder) this is told, the views are
// kept as a file, and whoever asks knows from which height on no item is to be
// believed; until both show the same again.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_WATCH_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/split_finder.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_view.h"

namespace windproof {

// Thread-safe.
class SplitWatch {
 public:
  struct Options {
    MultiChainConfig config;    // of our node, for all but who the other one is
    std::string url;            // the other one's
    std::string mirror_path;    // folder of what the other one shows
    std::string evidence_path;  // folder of the files
    int64_t poll_ms = 1000;
    std::function<int64_t()> now_ms;     // since the epoch. Required.
    std::function<int64_t()> steady_ms;  // never goes back. Required.
    // Told what an operator must know. Thread-safe. May be empty.
    std::function<void(absl::string_view)> warn;
    // In the place of the node at `url`: for tests.
    std::unique_ptr<JsonRpc> rpc;
  };

  // `node` and `view` are of our node and must outlive it. InvalidArgument: a
  // URL. Unavailable, DataLoss: the mirror cannot be opened.
  static absl::StatusOr<std::unique_ptr<SplitWatch>> Open(Options options,
                                                          StreamNode& node,
                                                          StreamView& view);
  ~SplitWatch();

  // What there is now.
  std::optional<SplitView> Current();
  // How many were found.
  int64_t found();
  // Up to which height both agree; -1: not known yet.
  int64_t agreed();

 private:
  SplitWatch(Options options, std::unique_ptr<JsonRpc> rpc, StreamNode& node,
             StreamView& view);

  void Run();
  absl::Status Compare();
  void Note(const std::optional<Split>& split);
  absl::Status KeepEvidence(const Split& split);
  void Warn(absl::string_view line) const;

  const Options options_;
  const std::unique_ptr<JsonRpc> rpc_;
  StreamNode& node_;
  StreamNode their_node_;
  std::unique_ptr<StreamView> their_view_;
  const std::unique_ptr<ChainSide> ours_;
  std::unique_ptr<ChainSide> theirs_;
  // Of the thread.
  std::unique_ptr<SplitFinder> finder_;
  std::optional<Split> split_;
  std::string told_;

  Mutex mutex_;
  std::optional<SplitView> current_ ABSL_GUARDED_BY(mutex_);
  int64_t found_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t agreed_ ABSL_GUARDED_BY(mutex_) = -1;

  std::thread thread_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_WATCH_H_
