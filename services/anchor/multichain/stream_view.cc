#include "services/anchor/multichain/stream_view.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/anchor/multichain/node_check.h"

namespace windproof {
namespace {

constexpr absl::string_view kStreamNote = "stream";
constexpr absl::string_view kTxidNote = "stream-txid";
constexpr absl::string_view kPublishersNote = "publishers";

// More than a watch falls behind.
constexpr size_t kChangesKept = 100'000;

constexpr int kLostTold = 10;
constexpr int64_t kAlarmEveryMs = 60'000;
// The node is asked at least every second, and one that connects a block has
// been seen to take 2.2 s for a call.
constexpr int64_t kSilentMs = 6'000;

std::string PublishersOf(const MultiChainConfig& config) {
  std::vector<std::string> sorted = config.publishers;
  std::sort(sorted.begin(), sorted.end());
  return absl::StrJoin(sorted, ",");
}

}  // namespace

std::string StreamNameOf(const MultiChainConfig& config) {
  return absl::StrCat("the stream ", config.stream, " of the chain ",
                      config.chain, " with genesis ", config.genesis);
}

StreamView::StreamView(Options options, std::unique_ptr<MirrorStore> store,
                       std::unique_ptr<StreamMirror> mirror, StreamNode& node)
    : options_(std::move(options)),
      node_(node),
      sync_(node,
            [this](const StreamSync::UseMirror& use) {
              MutexLock lock(mutex_);
              return use(*mirror_);
            }),
      store_(std::move(store)),
      mirror_(std::move(mirror)),
      changes_(kChangesKept) {}

absl::StatusOr<std::unique_ptr<StreamView>> StreamView::Open(
    Options options, std::unique_ptr<MirrorStore> store, StreamNode& node) {
  absl::StatusOr<std::unique_ptr<StreamMirror>> mirror =
      StreamMirror::Open(*store, options.config.publishers, options.steady_ms);
  if (!mirror.ok()) return mirror.status();
  auto view = absl::WrapUnique(new StreamView(
      std::move(options), std::move(store), *std::move(mirror), node));
  const absl::Status checked = view->CheckMirror();
  if (!checked.ok()) return checked;
  return view;
}

absl::Status StreamView::CheckMirror() {
  const std::string stream = StreamNameOf(options_.config);
  const std::string publishers = PublishersOf(options_.config);
  std::string before;
  {
    MutexLock lock(mutex_);
    const absl::StatusOr<std::string> is = mirror_->Note(kStreamNote);
    if (!is.ok()) return is.status();
    if (is->empty()) return absl::OkStatus();  // new
    if (*is != stream) {
      other_stream_ = absl::StrCat(
          "the data folder is about ", *is, ", and configured is ", stream,
          ". Use another data folder, or delete its multichain folder");
      return absl::OkStatus();
    }
    const absl::StatusOr<std::string> were = mirror_->Note(kPublishersNote);
    const absl::StatusOr<std::string> txid = mirror_->Note(kTxidNote);
    if (!were.ok()) return were.status();
    if (!txid.ok()) return txid.status();
    if (*were == publishers) {
      create_txid_ = *txid;
      return absl::OkStatus();
    }
    before = *were;
    // Which items count has changed, and with it their positions.
    const absl::Status cleared = mirror_->Clear();
    if (!cleared.ok()) return cleared;
  }
  Warn(absl::StrCat("the allowed publishers were ", before, " and are now ",
                    publishers, ": the whole stream is read again"));
  return absl::OkStatus();
}

absl::Status StreamView::CheckStream(const StreamInfo& stream) {
  if (options_.also_check) {
    const absl::Status also = options_.also_check();
    if (!also.ok()) return also;
  }
  std::string line;
  {
    MutexLock lock(mutex_);
    if (!other_stream_.empty()) {
      return absl::FailedPreconditionError(other_stream_);
    }
    const absl::StatusOr<std::string> txid = mirror_->Note(kTxidNote);
    if (!txid.ok()) return txid.status();
    create_txid_ = stream.create_txid;
    if (*txid == stream.create_txid) return absl::OkStatus();
    if (!txid->empty()) {
      // A reorganisation took the stream away, and somebody made it again.
      absl::StatusOr<std::vector<Digest>> lost = mirror_->LoseAll();
      if (!lost.ok()) return lost.status();
      for (int64_t i = 0; i < mirror_->size(); ++i) changes_.Add(i);
      sync_.Restart();
      ++version_;
      changed_.NotifyAll();
      line = absl::StrCat("the chain lost the stream ", options_.config.stream,
                          " that ", *txid, " created, with ", lost->size(),
                          " items; it is now that of ", stream.create_txid);
      if (!options_.config.address.empty()) {
        lost_.insert(lost_.end(), lost->begin(), lost->end());
      }
    }
    for (const auto& [name, text] :
         {std::pair<absl::string_view, std::string>(
              kStreamNote, StreamNameOf(options_.config)),
          {kPublishersNote, PublishersOf(options_.config)},
          {kTxidNote, stream.create_txid}}) {
      const absl::Status kept = mirror_->SetNote(name, text);
      if (!kept.ok()) return kept;
    }
  }
  if (!line.empty()) Warn(line);
  return absl::OkStatus();
}

void StreamView::Warn(absl::string_view line) const {
  if (options_.warn) options_.warn(line);
}

void StreamView::NoteHealth(const absl::Status& status) {
  std::string problem;
  bool ended = false;
  {
    MutexLock lock(mutex_);
    health_ = status;
    if (status.ok()) healthy_ms_ = options_.steady_ms();
    const std::string now =
        status.ok() ? std::string() : std::string(status.message());
    if (now != told_problem_) {
      problem = now;
      ended = now.empty();
      told_problem_ = now;
    }
  }
  if (!problem.empty()) {
    Warn(absl::StrCat("the chain ", options_.config.chain,
                      " cannot be used now: ", problem));
  } else if (ended) {
    Warn(absl::StrCat("the chain ", options_.config.chain, " can be used"));
  }
}

absl::Status StreamView::NoteChange(const StreamSync::Result& result) {
  std::vector<std::string> lines;
  {
    MutexLock lock(mutex_);
    if (result.moved || !result.change.positions.empty()) {
      ++version_;
      changed_.NotifyAll();
    }
    const absl::Status logged = LogChanges(result);
    if (!logged.ok()) return logged;
    if (result.reorganised > 0) {
      lines.push_back(absl::StrCat(
          "the chain was reorganised: ", result.reorganised,
          " blocks with items of the stream ", options_.config.stream,
          " left it; ", mirror_->unconfirmed().size(), " items have no block"));
    }
    int lost_told = 0;
    for (const int64_t position : result.lost) {
      const absl::StatusOr<StreamMirror::Item> item = mirror_->at(position);
      if (!item.ok()) return item.status();
      if (!options_.config.address.empty()) lost_.push_back(item->hash);
      if (++lost_told > kLostTold) continue;
      lines.push_back(absl::StrCat("the chain lost the item ", item->item.txid,
                                   ":", item->item.vout, " (",
                                   absl::StrJoin(item->item.keys, ", "), ")"));
    }
    if (lost_told > kLostTold) {
      lines.push_back(
          absl::StrCat("and ", lost_told - kLostTold, " other items"));
    }
  }
  for (const std::string& line : lines) Warn(line);
  return absl::OkStatus();
}

absl::Status StreamView::LogChanges(const StreamSync::Result& result) {
  for (const int64_t position : result.change.positions) {
    changes_.Add(position);
  }
  // Where more than one confirmation is asked for, blocks above change the
  // state of items that stay where they are.
  const int64_t height = mirror_->progress().tip_height;
  const int64_t before = std::exchange(noted_height_, height);
  const int64_t below = options_.config.confirmations - 1;
  if (below == 0 || before < 0 || before == height) return absl::OkStatus();
  return mirror_->VisitHeights(
      std::min(before, height) - below + 1,
      std::max(before, height) - below + 1,
      [this](int64_t position, const Digest&)
          ABSL_NO_THREAD_SAFETY_ANALYSIS { changes_.Add(position); });
}

std::vector<int64_t> StreamView::Changes(int64_t count, int64_t* from,
                                         bool* missed, bool* at_end) {
  MutexLock lock(mutex_);
  if (*from < 0) *from = changes_.end();
  *missed = *from < changes_.first();
  if (*missed) *from = changes_.first();
  std::vector<int64_t> positions = changes_.Some(*from, count);
  *from += static_cast<int64_t>(positions.size());
  *at_end = *from >= changes_.end();
  return positions;
}

void StreamView::CheckAgain() {
  MutexLock lock(sync_mutex_);
  checked_ = false;
}

absl::Status StreamView::Refresh(bool thorough) {
  MutexLock lock(sync_mutex_);
  const absl::Status status = RefreshLocked(thorough);
  NoteHealth(status);
  return status;
}

absl::Status StreamView::RefreshLocked(bool thorough) {
  if (!checked_) {
    const absl::StatusOr<StreamInfo> stream = CheckNode(options_.config, node_);
    if (!stream.ok()) return stream.status();
    const absl::Status ours = CheckStream(*stream);
    if (!ours.ok()) return ours;
    checked_ = true;
  }
  StreamSync::Result result;
  const absl::Status updated = sync_.Update(thorough, &result);
  // It may be another node by now, or one that was set up anew.
  if (!updated.ok()) checked_ = false;
  const absl::Status noted = NoteChange(result);
  return updated.ok() ? noted : updated;
}

absl::Status StreamView::Use(
    const std::function<absl::Status(const StreamMirror&)>& use) {
  MutexLock lock(mutex_);
  return use(*mirror_);
}

absl::Status StreamView::Readable() {
  MutexLock lock(mutex_);
  if (!other_stream_.empty()) return absl::UnavailableError(other_stream_);
  if (mirror_->progress().tip_height >= 0) return absl::OkStatus();
  return absl::UnavailableError(health_.message());
}

std::string StreamView::create_txid() {
  MutexLock lock(mutex_);
  return create_txid_;
}

std::vector<Digest> StreamView::TakeLost() {
  MutexLock lock(mutex_);
  return std::exchange(lost_, {});
}

void StreamView::WatchWaiting() {
  std::string line;
  {
    MutexLock lock(mutex_);
    const int64_t now_ms = options_.steady_ms();
    const auto oldest = mirror_->OldestUnconfirmed();
    if (!oldest.has_value() ||
        now_ms - oldest->second < options_.config.alarm_after_s * 1000) {
      return;
    }
    if (now_ms < next_alarm_ms_) return;
    next_alarm_ms_ =
        now_ms + std::max(kAlarmEveryMs, options_.config.alarm_after_s * 1000);
    const absl::StatusOr<StreamMirror::Item> item = mirror_->at(oldest->first);
    if (!item.ok()) return;
    line = absl::StrCat("the item ", item->item.txid, ":", item->item.vout,
                        " (", absl::StrJoin(item->item.keys, ", "),
                        ") has had no block for ",
                        (now_ms - oldest->second) / 1000, " s, and ",
                        mirror_->unconfirmed().size() - 1,
                        " others have none; does this node mine, or reach one "
                        "that does?");
  }
  Warn(line);
}

void StreamView::Describe(LedgerState* state) {
  MutexLock lock(mutex_);
  ChainState chain;
  chain.chain = options_.config.chain;
  chain.genesis = options_.config.genesis;
  chain.stream = options_.config.stream;
  chain.height = std::max<int64_t>(0, mirror_->progress().tip_height);
  chain.unconfirmed = static_cast<int64_t>(mirror_->unconfirmed().size());
  chain.confirmed = mirror_->size() - mirror_->lost() - chain.unconfirmed;
  chain.alarm_after_ms = options_.config.alarm_after_s * 1000;
  if (const auto oldest = mirror_->OldestUnconfirmed()) {
    chain.oldest_unconfirmed_ms = options_.steady_ms() - oldest->second;
  }
  chain.foreign = mirror_->foreign();
  chain.doubles = mirror_->doubles();
  chain.lost = mirror_->lost();
  state->size = mirror_->size();
  state->chain = std::move(chain);
}

std::string StreamView::Problem() {
  MutexLock lock(mutex_);
  if (!health_.ok()) return std::string(health_.message());
  const int64_t silent_ms = options_.steady_ms() - healthy_ms_;
  if (silent_ms < kSilentMs) return "";
  return absl::StrCat("the node has not answered for ", silent_ms / 1000, " s");
}

bool StreamView::WaitForGrowth(int64_t size,
                               std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  const int64_t version = version_;
  while (!stopped_ && mirror_->size() <= size && version_ == version &&
         changed_.WaitUntil(mutex_, deadline)) {
  }
  return !stopped_ && mirror_->size() > size;
}

void StreamView::StopWaiting() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

bool StreamView::Sleep(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (!stopped_ && changed_.WaitUntil(mutex_, deadline)) {
  }
  return !stopped_;
}

}  // namespace windproof
