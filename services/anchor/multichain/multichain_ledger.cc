#include "services/anchor/multichain/multichain_ledger.h"

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/crypto/sha256.h"
#include "common/sync/mutex.h"
#include "services/anchor/multichain/evidence_reader.h"
#include "services/anchor/multichain/intent_store.h"
#include "services/anchor/multichain/node_check.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/multichain/stream_item.h"
#include "services/anchor/multichain/stream_mirror.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_sync.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

// An intent is kept this many confirmations longer than ANCHORED needs: no
// reorganisation is expected to reach below.
constexpr int64_t kBuriedBeyond = 100;

// A node that was asked has done it by then, or will not.
constexpr int64_t kUnknownMaxMs = 60'000;

int64_t SystemNowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// What the node says that the configuration, or somebody's permission, must
// mend: our callers can only try again.
absl::Status ForCaller(const absl::Status& status) {
  if (absl::IsInvalidArgument(status) || absl::IsPermissionDenied(status)) {
    return status;
  }
  return absl::UnavailableError(status.message());
}

}  // namespace

struct MultiChainLedger::Parts {
  Parts(Options given, std::unique_ptr<JsonRpc> opened,
        std::unique_ptr<IntentStore> store)
      : options(std::move(given)),
        rpc(std::move(opened)),
        intents(std::move(store)),
        node(*rpc, options.config.stream, options.config.address),
        evidence(node),
        sync(node,
             [this](const std::function<void(StreamMirror&)>& use) {
               MutexLock lock(mutex);
               use(mirror);
             }),
        mirror(options.config.publishers) {}

  const Options options;
  const std::unique_ptr<JsonRpc> rpc;
  const std::unique_ptr<IntentStore> intents;
  StreamNode node;
  EvidenceReader evidence;

  // Taken in this order.
  Mutex publish_mutex;  // one batch at a time
  Mutex sync_mutex;     // one reader of the node's list at a time
  StreamSync sync ABSL_GUARDED_BY(sync_mutex);
  bool checked ABSL_GUARDED_BY(sync_mutex) = false;

  Mutex mutex;
  CondVar changed;
  StreamMirror mirror ABSL_GUARDED_BY(mutex);
  ChainTip tip ABSL_GUARDED_BY(mutex);
  std::string create_txid ABSL_GUARDED_BY(mutex);
  bool read_once ABSL_GUARDED_BY(mutex) = false;
  absl::Status health ABSL_GUARDED_BY(mutex) =
      absl::UnavailableError("the node has not been asked yet");
  std::string told_problem ABSL_GUARDED_BY(mutex);
  int64_t version ABSL_GUARDED_BY(mutex) = 0;  // grows with each change
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  // Intents of which it is not known whether the node executed them, or will,
  // and since when that is so.
  std::map<Digest, int64_t> unknown ABSL_GUARDED_BY(mutex);
  // When each unconfirmed item was first seen without a block, and whether that
  // was told.
  struct Waiting {
    int64_t since_ms = 0;
    bool told = false;
  };
  std::map<int64_t, Waiting> waiting ABSL_GUARDED_BY(mutex);
  // All intents on disk, and where the item of each stands: -1 for nowhere yet.
  std::map<Digest, int64_t> open_intents ABSL_GUARDED_BY(mutex);

  std::thread poller;

  void Warn(absl::string_view line) const {
    if (options.warn) options.warn(line);
  }

  // Checks the node where that is due, and reads what is new.
  absl::Status Refresh(bool thorough) ABSL_LOCKS_EXCLUDED(sync_mutex);
  absl::Status RefreshLocked(bool thorough)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(sync_mutex);
  void NoteHealth(const absl::Status& status);
  void NoteChange(const StreamSync::Result& result);
  // After a failure that another check may explain.
  void CheckAgain();

  // With `keep_refused` the intent outlives a refusal.
  absl::StatusOr<std::vector<std::string>> PublishLocked(
      absl::Span<const LedgerDraft> drafts, bool keep_refused)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(publish_mutex);
  // Drops what has been buried, publishes anew what was lost, warns of what
  // waits too long.
  void Tend();
  void Run();

  // The page of these positions.
  absl::StatusOr<LedgerPage> Page(const LedgerQuery& query,
                                  const std::string* key);
  LedgerItem ItemAt(int64_t position) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
};

void MultiChainLedger::Parts::NoteHealth(const absl::Status& status) {
  std::string problem;
  bool ended = false;
  {
    MutexLock lock(mutex);
    health = status;
    const std::string now =
        status.ok() ? std::string() : std::string(status.message());
    if (now != told_problem) {
      problem = now;
      ended = now.empty();
      told_problem = now;
    }
  }
  if (!problem.empty()) {
    Warn(absl::StrCat("the chain ", options.config.chain,
                      " cannot be used now: ", problem));
  } else if (ended) {
    Warn(absl::StrCat("the chain ", options.config.chain, " can be used"));
  }
}

void MultiChainLedger::Parts::NoteChange(const StreamSync::Result& result) {
  std::vector<std::string> lines;
  {
    MutexLock lock(mutex);
    const bool moved = tip.hash != result.tip.hash;
    tip = result.tip;
    read_once = true;
    if (moved || result.change.any() || !result.lost.empty()) {
      ++version;
      changed.NotifyAll();
    }
    if (result.reorganised > 0) {
      lines.push_back(absl::StrCat(
          "the chain was reorganised: ", result.reorganised,
          " blocks with items of the stream ", options.config.stream,
          " left it; ", mirror.unconfirmed().size(), " items have no block"));
    }
    for (const int64_t position : result.lost) {
      lines.push_back(absl::StrCat(
          "the chain lost the item ", mirror.at(position).item.txid, ":",
          mirror.at(position).item.vout, " (",
          absl::StrJoin(mirror.at(position).item.keys, ", "), ")"));
    }
  }
  for (const std::string& line : lines) Warn(line);
}

void MultiChainLedger::Parts::CheckAgain() {
  MutexLock lock(sync_mutex);
  checked = false;
}

absl::Status MultiChainLedger::Parts::Refresh(bool thorough) {
  MutexLock lock(sync_mutex);
  const absl::Status status = RefreshLocked(thorough);
  NoteHealth(status);
  return status;
}

absl::Status MultiChainLedger::Parts::RefreshLocked(bool thorough) {
  if (!checked) {
    const absl::StatusOr<StreamInfo> stream = CheckNode(options.config, node);
    if (!stream.ok()) return stream.status();
    checked = true;
    MutexLock lock(mutex);
    create_txid = stream->create_txid;
  }
  const absl::StatusOr<StreamSync::Result> result = sync.Update(thorough);
  if (!result.ok()) {
    // It may be another node by now, or one that was set up anew.
    checked = false;
    return result.status();
  }
  NoteChange(*result);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MultiChainLedger::Parts::PublishLocked(
    absl::Span<const LedgerDraft> drafts, bool keep_refused) {
  absl::Status status = Refresh(false);
  if (!status.ok()) return absl::UnavailableError(status.message());

  std::vector<std::string> txids(drafts.size());
  std::vector<size_t> todo;
  std::vector<LedgerDraft> to_publish;
  {
    MutexLock lock(mutex);
    for (size_t i = 0; i < drafts.size(); ++i) {
      const Digest hash = Sha256Of(drafts[i].data);
      // Only what may be there without our knowing is looked for: to publish
      // the same once more is the caller's right.
      const int64_t there =
          unknown.count(hash) > 0 ? mirror.FindData(hash) : -1;
      if (there >= 0) {
        txids[i] = mirror.at(there).item.txid;
        unknown.erase(hash);
        open_intents[hash] = there;
      } else {
        todo.push_back(i);
        to_publish.push_back(drafts[i]);
      }
    }
  }
  status = intents->Add(to_publish);
  if (!status.ok()) return status;
  {
    MutexLock lock(mutex);
    for (const LedgerDraft& draft : to_publish) {
      const Digest hash = Sha256Of(draft.data);
      unknown[hash] = options.now_ms();
      open_intents[hash] = -1;
    }
  }

  for (size_t from = 0; from < to_publish.size();) {
    const auto rest = absl::MakeConstSpan(to_publish).subspan(from);
    const auto call = rest.subspan(0, StreamCallSize(rest));
    const RpcReply reply = node.Publish(call);
    const bool known = reply.outcome != RpcOutcome::kUnknown;
    std::vector<Digest> done;
    for (size_t i = 0; i < call.size(); ++i) {
      done.push_back(Sha256Of(call[i].data));
      if (reply.status.ok()) txids[todo[from + i]] = reply.result.string;
    }
    if (!reply.status.ok()) {
      // What was refused is not meant any more, unless it is tried again.
      if (known && !keep_refused) {
        for (size_t i = from + call.size(); i < to_publish.size(); ++i) {
          done.push_back(Sha256Of(to_publish[i].data));
        }
        {
          MutexLock lock(mutex);
          for (const Digest& hash : done) {
            unknown.erase(hash);
            open_intents.erase(hash);
          }
        }
        status = intents->Remove(done);
        if (!status.ok()) return status;
      }
      if (reply.code == -703 || reply.code == -704 || reply.code == -708 ||
          reply.code == -709 || reply.code == -32600) {
        CheckAgain();
      }
      return ForCaller(reply.status);
    }
    from += call.size();
  }
  // What is there now has its position before the next is published.
  // Until then Tend() must not take what it cannot see yet for lost.
  status = Refresh(false);
  if (!status.ok()) return absl::UnavailableError(status.message());
  MutexLock lock(mutex);
  for (const LedgerDraft& draft : to_publish) {
    unknown.erase(Sha256Of(draft.data));
  }
  return txids;
}

void MultiChainLedger::Parts::Tend() {
  const int64_t now_ms = options.now_ms();
  std::vector<Digest> buried;
  std::vector<Digest> lost;
  std::vector<std::string> lines;
  {
    MutexLock lock(mutex);
    for (auto& [hash, position] : open_intents) {
      position = mirror.FindData(hash);
      if (position < 0) {
        // What is not known may still come.
        const auto since = unknown.find(hash);
        if (since == unknown.end() || now_ms - since->second >= kUnknownMaxMs) {
          lost.push_back(hash);
        }
        continue;
      }
      const StreamItem& item = mirror.at(position).item;
      if (item.confirmed() &&
          tip.height - item.height + 1 >=
              options.config.confirmations + kBuriedBeyond) {
        buried.push_back(hash);
      }
    }
    for (const Digest& hash : buried) {
      open_intents.erase(hash);
      unknown.erase(hash);
    }
    for (auto it = waiting.begin(); it != waiting.end();) {
      it = mirror.unconfirmed().count(it->first) == 0 ? waiting.erase(it)
                                                      : std::next(it);
    }
    for (const int64_t position : mirror.unconfirmed()) {
      Waiting& item =
          waiting.try_emplace(position, Waiting{now_ms, false}).first->second;
      if (!item.told &&
          now_ms - item.since_ms >= options.config.alarm_after_s * 1000) {
        item.told = true;
        const StreamItem& shown = mirror.at(position).item;
        lines.push_back(absl::StrCat(
            "the item ", shown.txid, ":", shown.vout, " (",
            absl::StrJoin(shown.keys, ", "), ") has had no block for ",
            (now_ms - item.since_ms) / 1000,
            " s; does this node mine, or reach one that does?"));
      }
    }
  }
  for (const std::string& line : lines) Warn(line);
  if (!buried.empty()) {
    const absl::Status removed = intents->Remove(buried);
    if (!removed.ok()) Warn(removed.message());
  }
  for (const Digest& hash : lost) {
    const absl::StatusOr<LedgerDraft> draft = intents->Get(hash);
    if (!draft.ok()) {
      Warn(draft.status().message());
      continue;
    }
    MutexLock lock(publish_mutex);
    {
      // It may have come meanwhile: PublishLocked() looks.
      MutexLock mirror_lock(mutex);
      unknown[hash] = now_ms;
    }
    // It was accepted once: its caller will not ask again, so a refusal does
    // not end it. It is tried again as what is unknown is.
    const auto txids = PublishLocked({*draft}, /*keep_refused=*/true);
    Warn(txids.ok() ? absl::StrCat("published again as ", (*txids)[0], ": ",
                                   absl::StrJoin(draft->keys, ", "))
                    : absl::StrCat("cannot be published again yet: ",
                                   absl::StrJoin(draft->keys, ", "), ": ",
                                   txids.status().message()));
    if (!txids.ok()) break;
  }
}

void MultiChainLedger::Parts::Run() {
  while (true) {
    if (Refresh(true).ok() && !options.config.address.empty()) Tend();
    const auto until =
        steady_clock::now() + std::chrono::milliseconds(options.poll_ms);
    MutexLock lock(mutex);
    while (!stopped && steady_clock::now() < until) {
      changed.WaitUntil(mutex, until);
    }
    if (stopped) return;
  }
}

LedgerItem MultiChainLedger::Parts::ItemAt(int64_t position) const {
  const StreamItem& item = mirror.at(position).item;
  LedgerItem out;
  out.position = position;
  out.txid = item.txid;
  out.vout = item.vout;
  out.keys = item.keys;
  out.data = item.data;
  out.publisher = absl::StrJoin(item.publishers, ",");
  out.confirmations = item.confirmed() ? tip.height - item.height + 1 : 0;
  out.time_ms = item.time_s * 1000;
  return out;
}

absl::StatusOr<LedgerPage> MultiChainLedger::Parts::Page(
    const LedgerQuery& query, const std::string* key) {
  LedgerPage page;
  page.next = query.first;
  std::vector<StreamItem> places;
  std::string stream;
  {
    MutexLock lock(mutex);
    if (!read_once) return absl::UnavailableError(health.message());
    stream = create_txid;
    static const std::vector<int64_t> kNone;
    const std::vector<int64_t>* found =
        key == nullptr ? nullptr : mirror.Find(*key);
    if (key != nullptr && found == nullptr) found = &kNone;
    size_t index = 0;
    if (found != nullptr) {
      index = static_cast<size_t>(
          std::lower_bound(found->begin(), found->end(), query.first) -
          found->begin());
    }
    int64_t position = query.first;
    int64_t bytes = 0;
    while (true) {
      if (found != nullptr) {
        if (index >= found->size()) break;
        position = (*found)[index++];
      } else if (position >= mirror.size()) {
        break;
      }
      if (!mirror.at(position).lost) {
        if (!page.items.empty() &&
            (static_cast<int64_t>(page.items.size()) >= query.max_items ||
             bytes >= query.max_bytes)) {
          page.at_end = false;
          break;
        }
        page.items.push_back(ItemAt(position));
        places.push_back(mirror.at(position).item);
        bytes += static_cast<int64_t>(page.items.back().data.size());
      }
      page.next = ++position;
    }
    if (page.at_end) page.next = std::max(page.next, mirror.size());
  }
  int64_t bytes = 0;
  for (size_t i = 0; i < page.items.size(); ++i) {
    LedgerItem& item = page.items[i];
    ItemSignature signature = intents->Signature(Sha256Of(item.data));
    item.signer = std::move(signature.signer);
    item.signature = std::move(signature.signature);
    if (!query.with_inclusion) continue;
    // The transaction is as large as all of its items.
    if (i > 0 && bytes >= query.max_bytes) {
      page.next = item.position;
      page.at_end = false;
      page.items.resize(i);
      break;
    }
    absl::StatusOr<ChainEvidence> shown = evidence.Read(places[i]);
    if (!shown.ok()) return ForCaller(shown.status());
    shown->chain = options.config.chain;
    shown->genesis = options.config.genesis;
    shown->stream = options.config.stream;
    shown->stream_txid = stream;
    shown->seen_ms = options.now_ms();
    bytes += static_cast<int64_t>(shown->transaction.size() + item.data.size() +
                                  32 * shown->branch.size());
    item.chain = *std::move(shown);
  }
  return page;
}

MultiChainLedger::MultiChainLedger(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<MultiChainLedger>> MultiChainLedger::Open(
    Options options) {
  if (!options.now_ms) options.now_ms = SystemNowMs;
  std::unique_ptr<JsonRpc> rpc = std::move(options.rpc);
  if (rpc == nullptr) {
    absl::StatusOr<std::unique_ptr<JsonRpc>> opened =
        OpenNodeRpc(options.config);
    if (!opened.ok()) return opened.status();
    rpc = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<IntentStore>> intents =
      IntentStore::Open(options.store_path);
  if (!intents.ok()) return intents.status();
  const absl::StatusOr<std::vector<Digest>> open = (*intents)->All();
  if (!open.ok()) return open.status();
  auto parts = std::make_unique<Parts>(std::move(options), std::move(rpc),
                                       *std::move(intents));
  {
    MutexLock lock(parts->mutex);
    for (const Digest& hash : *open) {
      // What became of it before this start is for the stream to say.
      parts->open_intents[hash] = -1;
      parts->unknown[hash] = parts->options.now_ms();
    }
  }
  Parts& ref = *parts;
  auto ledger = absl::WrapUnique(new MultiChainLedger(std::move(parts)));
  ref.poller = std::thread([&ref] { ref.Run(); });
  return ledger;
}

MultiChainLedger::~MultiChainLedger() {
  StopWaiting();
  parts_->rpc->Cancel();
  parts_->poller.join();
}

absl::StatusOr<std::vector<std::string>> MultiChainLedger::Publish(
    absl::Span<const LedgerDraft> items) {
  if (parts_->options.config.address.empty()) {
    return absl::FailedPreconditionError(
        "no publishing address is configured: the ledger is only read");
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const absl::Status status = CheckStreamDraft(items[i], i);
    if (!status.ok()) return status;
  }
  if (items.empty()) return std::vector<std::string>();
  MutexLock lock(parts_->publish_mutex);
  return parts_->PublishLocked(items, /*keep_refused=*/false);
}

absl::StatusOr<LedgerPage> MultiChainLedger::Find(absl::string_view key,
                                                  const LedgerQuery& query) {
  const std::string text(key);
  return parts_->Page(query, &text);
}

absl::StatusOr<LedgerPage> MultiChainLedger::Read(const LedgerQuery& query) {
  return parts_->Page(query, nullptr);
}

absl::StatusOr<LedgerState> MultiChainLedger::State() {
  const absl::Status status = parts_->Refresh(false);
  if (!status.ok()) return absl::UnavailableError(status.message());
  const MultiChainConfig& config = parts_->options.config;
  LedgerState state;
  state.kind = "multichain";
  state.name = absl::StrCat(config.chain, "/", config.stream);
  ChainState chain;
  chain.chain = config.chain;
  chain.genesis = config.genesis;
  chain.stream = config.stream;
  chain.mode = "direct";
  Parts& parts = *parts_;
  MutexLock lock(parts.mutex);
  state.size = parts.mirror.size();
  chain.height = parts.tip.height;
  chain.unconfirmed = static_cast<int64_t>(parts.mirror.unconfirmed().size());
  for (const auto& [position, waiting] : parts.waiting) {
    chain.oldest_unconfirmed_ms = std::max(
        chain.oldest_unconfirmed_ms, parts.options.now_ms() - waiting.since_ms);
  }
  chain.foreign = parts.mirror.foreign();
  chain.doubles = parts.mirror.doubles();
  chain.lost = parts.mirror.lost();
  state.chain = std::move(chain);
  return state;
}

bool MultiChainLedger::WaitForGrowth(int64_t size,
                                     steady_clock::time_point deadline) {
  Parts& parts = *parts_;
  MutexLock lock(parts.mutex);
  const int64_t version = parts.version;
  while (!parts.stopped && parts.mirror.size() <= size &&
         parts.version == version &&
         parts.changed.WaitUntil(parts.mutex, deadline)) {
  }
  return !parts.stopped && parts.mirror.size() > size;
}

void MultiChainLedger::StopWaiting() {
  Parts& parts = *parts_;
  MutexLock lock(parts.mutex);
  parts.stopped = true;
  parts.changed.NotifyAll();
}

}  // namespace windproof
