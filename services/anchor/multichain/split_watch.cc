#include "services/anchor/multichain/split_watch.h"

#include <chrono>
#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/server/files.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/multichain/rocks_mirror_store.h"
#include "services/anchor/multichain/split_evidence.h"
#include "services/anchor/multichain/stream_mirror.h"

namespace windproof {
namespace {

// A node, and the mirror of what it shows.
class NodeSide final : public ChainSide {
 public:
  NodeSide(StreamNode& node, StreamView& view) : node_(node), view_(view) {}

  absl::StatusOr<int64_t> Height() override {
    const absl::StatusOr<ChainTip> tip = node_.Tip();
    if (!tip.ok()) return tip.status();
    return tip->height;
  }

  absl::StatusOr<std::string> BlockHash(int64_t height) override {
    return node_.BlockHash(height);
  }

  absl::StatusOr<std::set<std::string>> Items(int64_t first,
                                              int64_t end) override {
    absl::Status status = view_.Refresh(false);
    if (!status.ok()) return status;
    std::set<std::string> items;
    std::string tip_hash;
    int64_t tip_height = -1;
    status = view_.Use([&](const StreamMirror& mirror) {
      tip_hash = mirror.progress().tip_hash;
      tip_height = mirror.progress().tip_height;
      return Collect(mirror, first, end, &items);
    });
    if (!status.ok()) return status;
    // The mirror must have got there, and be of the branch that is compared.
    const absl::StatusOr<std::string> hash = node_.BlockHash(tip_height);
    if (tip_height < end - 1 || !hash.ok() || *hash != tip_hash) {
      return absl::UnavailableError("the stream is not read that far yet");
    }
    return items;
  }

 private:
  static absl::Status Collect(const StreamMirror& mirror, int64_t first,
                              int64_t end, std::set<std::string>* items) {
    absl::Status failed;
    const absl::Status visited = mirror.VisitHeights(
        first, end, [&](int64_t position, const Digest& data) {
          const absl::StatusOr<StreamMirror::Item> item = mirror.at(position);
          if (!item.ok()) {
            failed = item.status();
            return;
          }
          items->insert(absl::StrCat(item->item.height, " ", item->item.txid,
                                     ":", item->item.vout, " ", HexOf(data)));
        });
    return failed.ok() ? visited : failed;
  }

  StreamNode& node_;
  StreamView& view_;
};

std::string WhatOf(const Split& split, absl::string_view url) {
  if (!split.of_items) {
    return absl::StrCat("at height ", split.height, " this node has the block ",
                        split.ours, ", and ", url, " has ", split.theirs);
  }
  return absl::StrCat(
      "in the block ", split.ours, " at height ", split.height,
      " the items differ: this node alone shows ",
      split.only_ours.empty() ? "nothing" : split.only_ours, ", and ", url,
      " alone shows ",
      split.only_theirs.empty() ? "nothing" : split.only_theirs);
}

}  // namespace

SplitWatch::SplitWatch(Options options, std::unique_ptr<JsonRpc> rpc,
                       StreamNode& node, StreamView& view)
    : options_(std::move(options)),
      rpc_(std::move(rpc)),
      node_(node),
      their_node_(*rpc_, options_.config.stream, ""),
      ours_(std::make_unique<NodeSide>(node, view)) {}

absl::StatusOr<std::unique_ptr<SplitWatch>> SplitWatch::Open(Options options,
                                                             StreamNode& node,
                                                             StreamView& view) {
  MultiChainConfig theirs = options.config;
  theirs.urls = {options.url};
  theirs.address.clear();
  theirs.create_stream = false;
  theirs.user = options.config.compare_user;
  theirs.password = options.config.compare_password;
  std::unique_ptr<JsonRpc> rpc = std::move(options.rpc);
  if (rpc == nullptr) {
    absl::StatusOr<std::unique_ptr<JsonRpc>> opened = OpenNodeRpc(theirs);
    if (!opened.ok()) return opened.status();
    rpc = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<RocksMirrorStore>> store =
      RocksMirrorStore::Open(options.mirror_path);
  if (!store.ok()) return store.status();
  auto watch = absl::WrapUnique(
      new SplitWatch(std::move(options), std::move(rpc), node, view));
  SplitWatch& ref = *watch;
  absl::StatusOr<std::unique_ptr<StreamView>> their_view = StreamView::Open(
      {.config = theirs,
       .steady_ms = ref.options_.steady_ms,
       .warn = [&ref](absl::string_view line) { ref.Warn(line); },
       .also_check = nullptr},
      *std::move(store), ref.their_node_);
  if (!their_view.ok()) return their_view.status();
  ref.their_view_ = *std::move(their_view);
  ref.theirs_ = std::make_unique<NodeSide>(ref.their_node_, *ref.their_view_);
  ref.finder_ = std::make_unique<SplitFinder>(ref.options_.config.confirmations,
                                              *ref.ours_, *ref.theirs_);
  ref.thread_ = std::thread([&ref] { ref.Run(); });
  return watch;
}

SplitWatch::~SplitWatch() {
  rpc_->Cancel();
  if (their_view_ != nullptr) their_view_->StopWaiting();
  if (thread_.joinable()) thread_.join();
}

void SplitWatch::Warn(absl::string_view line) const {
  if (!options_.warn) return;
  options_.warn(absl::StrCat("compared node ", options_.url, ": ", line));
}

std::optional<SplitView> SplitWatch::Current() {
  MutexLock lock(mutex_);
  return current_;
}

int64_t SplitWatch::found() {
  MutexLock lock(mutex_);
  return found_;
}

int64_t SplitWatch::agreed() {
  MutexLock lock(mutex_);
  return agreed_;
}

void SplitWatch::Run() {
  do {
    const absl::Status compared = Compare();
    // A node that is away, or moves, is no news of a split: what was seen last
    // stands. That it is away its view has told.
    const std::string problem = compared.ok() || absl::IsUnavailable(compared)
                                    ? std::string()
                                    : std::string(compared.message());
    if (problem != told_ && !problem.empty()) Warn(problem);
    told_ = problem;
  } while (their_view_->Sleep(std::chrono::steady_clock::now() +
                              std::chrono::milliseconds(options_.poll_ms)));
}

absl::Status SplitWatch::Compare() {
  const absl::StatusOr<std::string> genesis = their_node_.BlockHash(0);
  if (!genesis.ok()) return genesis.status();
  if (*genesis != options_.config.genesis) {
    return absl::FailedPreconditionError(
        absl::StrCat("its chain begins with ", *genesis, ", ours with ",
                     options_.config.genesis, ": they are not to be compared"));
  }
  // Where it fails, the blocks are compared all the same.
  their_view_->Refresh(true).IgnoreError();
  const absl::StatusOr<std::optional<Split>> split = finder_->Find();
  {
    MutexLock lock(mutex_);
    agreed_ = finder_->agreed();
  }
  if (!split.ok()) return split.status();
  Note(*split);
  return absl::OkStatus();
}

void SplitWatch::Note(const std::optional<Split>& split) {
  if (split == split_) return;
  if (!split.has_value()) {
    Warn(absl::StrCat("SPLIT_VIEW has ended: both nodes show the same again; ",
                      "what they showed is in ", options_.evidence_path));
  } else {
    const std::string what = WhatOf(*split, options_.url);
    {
      MutexLock lock(mutex_);
      current_ = SplitView{split->height,  options_.url, split->ours,
                           split->theirs,  what,         options_.now_ms(),
                           split->of_items};
      ++found_;
    }
    const absl::Status kept = KeepEvidence(*split);
    Warn(absl::StrCat(
        "SPLIT_VIEW: ", what, "; ",
        kept.ok()
            ? absl::StrCat("both views are in ", options_.evidence_path, "/",
                           SplitEvidenceName(*split))
            : absl::StrCat("the views cannot be kept: ", kept.message())));
  }
  split_ = split;
  if (split.has_value()) return;
  MutexLock lock(mutex_);
  current_.reset();
}

absl::Status SplitWatch::KeepEvidence(const Split& split) {
  const std::string json = SplitEvidenceJson(
      options_.config, split, options_.now_ms(),
      SplitViewJson(split, options_.config.urls[0], node_, *ours_),
      SplitViewJson(split, options_.url, their_node_, *theirs_));
  absl::Status status = MakeFolders(options_.evidence_path, 0700);
  if (!status.ok()) return status;
  status = WriteNewFile(
      absl::StrCat(options_.evidence_path, "/", SplitEvidenceName(split)), json,
      0600);
  // It was seen before.
  return absl::IsAlreadyExists(status) ? absl::OkStatus() : status;
}

}  // namespace windproof
