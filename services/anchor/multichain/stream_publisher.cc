#include "services/anchor/multichain/stream_publisher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/anchor/multichain/stream_item.h"

namespace windproof {
namespace {

constexpr size_t kReconcileAtOnce = 500;
// Of what is published again, so that callers get their turn.
constexpr size_t kAgainAtOnce = 256;
constexpr size_t kAgainTold = 10;

bool ExplainedByAnotherCheck(int64_t code) {
  return code == -703 || code == -704 || code == -708 || code == -709 ||
         code == -32600;
}

}  // namespace

absl::Status ForLedgerCaller(const absl::Status& status) {
  if (absl::IsInvalidArgument(status) || absl::IsPermissionDenied(status)) {
    return status;
  }
  return absl::UnavailableError(status.message());
}

StreamPublisher::StreamPublisher(Options options, StreamNode& node,
                                 StreamView& view, IntentStore& intents)
    : options_(std::move(options)),
      node_(node),
      view_(view),
      intents_(intents) {}

void StreamPublisher::Warn(absl::string_view line) const {
  if (options_.warn) options_.warn(line);
}

absl::StatusOr<std::vector<std::string>> StreamPublisher::Publish(
    absl::Span<const LedgerDraft> drafts) {
  MutexLock lock(publish_mutex_);
  return PublishLocked(drafts, /*keep_refused=*/false);
}

absl::Status StreamPublisher::LookUp(absl::Span<const LedgerDraft> drafts,
                                     std::vector<std::string>* txids,
                                     std::vector<size_t>* to_publish) {
  for (size_t i = 0; i < drafts.size(); ++i) {
    const Digest hash = Sha256Of(drafts[i].data);
    // Only what may be there without our knowing is looked for: to publish the
    // same once more is the caller's right.
    bool may_be_there = false;
    {
      MutexLock lock(mutex_);
      may_be_there = unknown_.count(hash) > 0;
    }
    if (!may_be_there) {
      const absl::StatusOr<bool> meant = intents_.IsFromBefore(hash);
      if (!meant.ok()) return meant.status();
      may_be_there = *meant;
    }
    if (may_be_there) {
      const absl::Status looked =
          view_.Use([&](const StreamMirror& mirror) -> absl::Status {
            const absl::StatusOr<int64_t> there = mirror.FindData(hash);
            if (!there.ok() || *there < 0) return there.status();
            absl::StatusOr<StreamMirror::Item> item = mirror.at(*there);
            if (item.ok()) (*txids)[i] = item->item.txid;
            return item.status();
          });
      if (!looked.ok()) return looked;
    }
    if ((*txids)[i].empty()) {
      to_publish->push_back(i);
    } else {
      MutexLock lock(mutex_);
      unknown_.erase(hash);
    }
  }
  return absl::OkStatus();
}

absl::Status StreamPublisher::Forget(absl::Span<const LedgerDraft> drafts) {
  std::vector<Digest> hashes;
  hashes.reserve(drafts.size());
  for (const LedgerDraft& draft : drafts) {
    hashes.push_back(Sha256Of(draft.data));
  }
  {
    MutexLock lock(mutex_);
    for (const Digest& hash : hashes) unknown_.erase(hash);
  }
  return intents_.Remove(hashes);
}

absl::StatusOr<std::vector<std::string>> StreamPublisher::PublishLocked(
    absl::Span<const LedgerDraft> drafts, bool keep_refused) {
  absl::Status status = view_.Refresh(false);
  if (!status.ok()) return absl::UnavailableError(status.message());

  std::vector<std::string> txids(drafts.size());
  std::vector<size_t> places;
  status = LookUp(drafts, &txids, &places);
  if (!status.ok()) return absl::UnavailableError(status.message());
  std::vector<LedgerDraft> to_publish;
  to_publish.reserve(places.size());
  for (const size_t place : places) to_publish.push_back(drafts[place]);
  if (!keep_refused) {
    status = intents_.Add(to_publish);
    if (!status.ok()) return status;
  }
  {
    MutexLock lock(mutex_);
    const int64_t now_ms = options_.steady_ms();
    for (const LedgerDraft& draft : to_publish) {
      unknown_[Sha256Of(draft.data)] = now_ms;
    }
  }

  for (size_t from = 0; from < to_publish.size();) {
    const auto rest = absl::MakeConstSpan(to_publish).subspan(from);
    const auto call = rest.subspan(0, StreamCallSize(rest));
    const RpcReply reply = node_.Publish(call);
    if (!reply.status.ok()) {
      // What was refused is not meant any more, unless it is tried again.
      if (reply.outcome != RpcOutcome::kUnknown && !keep_refused) {
        status = Forget(rest);
        if (!status.ok()) return status;
      }
      if (ExplainedByAnotherCheck(reply.code)) view_.CheckAgain();
      return ForLedgerCaller(reply.status);
    }
    for (size_t i = 0; i < call.size(); ++i) {
      txids[places[from + i]] = reply.result.string;
    }
    from += call.size();
  }
  // What is there now has its position before the next is published. Until then
  // Tend() must not take what it cannot see yet for lost.
  status = view_.Refresh(false);
  if (!status.ok()) return absl::UnavailableError(status.message());
  MutexLock lock(mutex_);
  for (const LedgerDraft& draft : to_publish) {
    unknown_.erase(Sha256Of(draft.data));
  }
  return txids;
}

absl::Status StreamPublisher::Tend() {
  const std::vector<Digest> lost = view_.TakeLost();
  bool reconciled = false;
  {
    MutexLock lock(mutex_);
    lost_.insert(lost.begin(), lost.end());
    reconciled = reconciled_;
  }
  absl::Status status = reconciled ? RemoveBuried() : Reconcile();
  if (status.ok()) status = PublishMissing();
  return status.ok() ? CountPending() : status;
}

int64_t StreamPublisher::pending() {
  MutexLock lock(mutex_);
  return pending_;
}

absl::Status StreamPublisher::CountPending() {
  std::set<Digest> meant;
  {
    MutexLock lock(mutex_);
    meant = lost_;
    for (const auto& [hash, since_ms] : unknown_) meant.insert(hash);
  }
  int64_t pending = 0;
  const absl::Status counted =
      view_.Use([&](const StreamMirror& mirror) -> absl::Status {
        for (const Digest& hash : meant) {
          const absl::StatusOr<int64_t> there = mirror.FindData(hash);
          if (!there.ok()) return there.status();
          if (*there < 0) ++pending;
        }
        return absl::OkStatus();
      });
  if (!counted.ok()) return counted;
  MutexLock lock(mutex_);
  pending_ = pending;
  return absl::OkStatus();
}

absl::Status StreamPublisher::Reconcile() {
  const int64_t now_ms = options_.steady_ms();
  int64_t buried_end = 0;
  Digest last{};
  bool first = true;
  while (true) {
    const absl::StatusOr<std::vector<Digest>> some =
        intents_.Some(first ? nullptr : &last, kReconcileAtOnce);
    if (!some.ok()) return some.status();
    std::vector<Digest> buried;
    std::vector<Digest> missing;
    absl::Status status =
        view_.Use([&](const StreamMirror& mirror) -> absl::Status {
          if (first) {
            buried_end = mirror.progress().tip_height + 2 -
                         options_.confirmations - kBuriedBeyond;
          }
          for (const Digest& hash : *some) {
            const absl::StatusOr<int64_t> there = mirror.FindData(hash);
            if (!there.ok()) return there.status();
            if (*there < 0) {
              missing.push_back(hash);
              continue;
            }
            const absl::StatusOr<StreamMirror::Item> item = mirror.at(*there);
            if (!item.ok()) return item.status();
            if (item->item.confirmed() && item->item.height < buried_end) {
              buried.push_back(hash);
            }
          }
          return absl::OkStatus();
        });
    if (status.ok()) status = intents_.Remove(buried);
    if (!status.ok()) return status;
    {
      MutexLock lock(mutex_);
      for (const Digest& hash : missing) unknown_.emplace(hash, now_ms);
      if (some->size() < kReconcileAtOnce) {
        buried_end_ = std::max<int64_t>(buried_end, 0);
        reconciled_ = true;
        return absl::OkStatus();
      }
    }
    last = some->back();
    first = false;
  }
}

absl::Status StreamPublisher::RemoveBuried() {
  int64_t from = 0;
  {
    MutexLock lock(mutex_);
    from = buried_end_;
  }
  while (true) {
    std::vector<Digest> buried;
    bool is_buried = false;
    absl::Status status = view_.Use([&](const StreamMirror& mirror) {
      is_buried = from < mirror.progress().tip_height + 2 -
                             options_.confirmations - kBuriedBeyond;
      if (!is_buried) return absl::OkStatus();
      return mirror.VisitHeights(
          from, from + 1,
          [&](int64_t, const Digest& data) { buried.push_back(data); });
    });
    if (!status.ok() || !is_buried) return status;
    status = intents_.Remove(buried);
    if (!status.ok()) return status;
    MutexLock lock(mutex_);
    buried_end_ = ++from;
  }
}

absl::Status StreamPublisher::PublishMissing() {
  const int64_t now_ms = options_.steady_ms();
  std::set<Digest> hashes;
  {
    MutexLock lock(mutex_);
    hashes = lost_;
    for (const auto& [hash, since_ms] : unknown_) {
      if (now_ms - since_ms >= kUnknownMaxMs) hashes.insert(hash);
    }
  }
  if (hashes.empty()) return absl::OkStatus();

  MutexLock lock(publish_mutex_);
  std::vector<std::pair<int64_t, Digest>> missing;  // by number
  for (const Digest& hash : hashes) {
    // It may have come meanwhile, or be there a second time.
    bool there = false;
    const absl::Status status = view_.Use([&](const StreamMirror& mirror) {
      const absl::StatusOr<int64_t> position = mirror.FindData(hash);
      there = position.ok() && *position >= 0;
      return position.status();
    });
    if (!status.ok()) return status;
    const absl::StatusOr<IntentStore::Intent> intent = intents_.Get(hash);
    if (!there && intent.ok()) {
      missing.emplace_back(intent->number, hash);
      continue;
    }
    if (!there) Warn(intent.status().message());
    MutexLock lists_lock(mutex_);
    lost_.erase(hash);
    unknown_.erase(hash);
  }
  std::sort(missing.begin(), missing.end());
  if (missing.size() > kAgainAtOnce) missing.resize(kAgainAtOnce);
  std::vector<LedgerDraft> drafts;
  drafts.reserve(missing.size());
  for (const auto& [number, hash] : missing) {
    absl::StatusOr<IntentStore::Intent> intent = intents_.Get(hash);
    if (!intent.ok()) return intent.status();
    drafts.push_back(std::move(intent->draft));
  }
  if (drafts.empty()) return absl::OkStatus();
  {
    MutexLock lists_lock(mutex_);
    for (const LedgerDraft& draft : drafts) {
      const Digest hash = Sha256Of(draft.data);
      lost_.erase(hash);
      // PublishLocked() looks for it once more.
      unknown_[hash] = now_ms;
    }
  }
  // They were accepted once: their callers will not ask again, so a refusal
  // does not end them. They are tried again as what is unknown is.
  const auto txids = PublishLocked(drafts, /*keep_refused=*/true);
  for (size_t i = 0; i < std::min(drafts.size(), kAgainTold); ++i) {
    const std::string keys = absl::StrJoin(drafts[i].keys, ", ");
    Warn(txids.ok()
             ? absl::StrCat("published again as ", (*txids)[i], ": ", keys)
             : absl::StrCat("cannot be published again yet: ", keys, ": ",
                            txids.status().message()));
  }
  if (drafts.size() > kAgainTold) {
    Warn(absl::StrCat("and so with ", drafts.size() - kAgainTold, " others"));
  }
  return absl::OkStatus();
}

}  // namespace windproof
