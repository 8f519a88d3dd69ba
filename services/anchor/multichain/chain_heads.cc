#include "services/anchor/multichain/chain_heads.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/merkle/tree_head.h"
#include "services/anchor/ledger_head.h"
#include "services/anchor/ledger_keys.h"

namespace windproof {
namespace {

constexpr absl::string_view kWhatToDo =
    "Stop this anchor, and any other one with the same key, and see \"Losing "
    "the log\" in docs/OPERATIONS.md";

}  // namespace

ChainHeads::ChainHeads(Options options, EmbeddedLedger& log, Ledger& chain)
    : options_(std::move(options)),
      log_(log),
      chain_(chain),
      key_text_(LedgerHeadsKey(options_.key.name)) {}

absl::StatusOr<bool> ChainHeads::Update() {
  MutexLock update(update_mutex_);
  std::map<int64_t, Seen> seen;
  std::vector<Place> ours;
  std::optional<int64_t> tail;
  LedgerQuery query;
  query.first = tail_;
  for (bool at_end = false; !at_end;) {
    const absl::StatusOr<LedgerPage> page = chain_.Find(key_text_, query);
    if (!page.ok()) return page.status();
    for (const LedgerItem& item : page->items) {
      const auto known = seen_.find(item.position);
      absl::StatusOr<Seen> judged = known != seen_.end()
                                        ? absl::StatusOr<Seen>(known->second)
                                        : Judge(item);
      if (!judged.ok()) return judged.status();
      if (judged->kind == Kind::kOurs) {
        ours.push_back({judged->size, item.position});
      }
      if (!tail.has_value() && item.confirmations < options_.buried) {
        tail = item.position;
      }
      if (tail.has_value()) {
        seen[item.position] = *judged;
      } else if (judged->kind == Kind::kForeign) {
        ++buried_foreign_;
      }
    }
    query.first = page->next;
    at_end = page->at_end;
  }
  const int64_t old_tail = std::exchange(tail_, tail.value_or(query.first));
  seen_ = std::move(seen);
  const int64_t foreign =
      buried_foreign_ +
      std::count_if(seen_.begin(), seen_.end(), [](const auto& item) {
        return item.second.kind == Kind::kForeign;
      });

  std::sort(ours.begin(), ours.end());
  MutexLock lock(mutex_);
  foreign_ = foreign;
  std::vector<Place> before;
  std::copy_if(heads_.begin(), heads_.end(), std::back_inserter(before),
               [&](const Place& head) { return head.position >= old_tail; });
  if (before == ours) return false;
  heads_.erase(std::remove_if(heads_.begin(), heads_.end(),
                              [&](const Place& head) {
                                return head.position >= old_tail;
                              }),
               heads_.end());
  const auto middle = static_cast<int64_t>(heads_.size());
  heads_.insert(heads_.end(), ours.begin(), ours.end());
  std::inplace_merge(heads_.begin(), heads_.begin() + middle, heads_.end());
  return true;
}

absl::StatusOr<ChainHeads::Seen> ChainHeads::Judge(const LedgerItem& item) {
  const absl::StatusOr<TreeHead> head = OpenLedgerHead(item.data, options_.key);
  if (!head.ok() || head->size == 0 || head->size > INT64_MAX) return Seen{};
  LedgerHead shown{item.data, static_cast<int64_t>(head->size), head->root, {}};
  Seen seen{Kind::kOurs, shown.size};
  // After the chain: what it has was in the log before.
  const absl::StatusOr<LedgerState> log = log_.State();
  if (!log.ok()) return log.status();
  const std::string what = absl::StrCat(
      "the chain has a head of ", shown.size, " entries with root ",
      HexOf(shown.root), ", signed with the key of this log, ",
      FormatVerifierKey(options_.key), " (item ", item.txid, ":", item.vout,
      ")");
  if (shown.size > log->size) {
    NoteConflict(item, std::move(shown),
                 absl::StrCat(what, "; the log has ", log->size,
                              " entries: it was lost, or put back from an "
                              "older copy. ",
                              kWhatToDo));
    return Seen{Kind::kConflict, seen.size};
  }
  const absl::StatusOr<Digest> root = log_.NewProver()->Root(shown.size);
  // Nodes that are missing are what the log says of itself.
  if (!root.ok() && !absl::IsDataLoss(root.status())) return root.status();
  if (root.ok() && *root != shown.root) {
    NoteConflict(
        item, std::move(shown),
        absl::StrCat("equivocation: ", what, "; the root of the log's first ",
                     seen.size, " entries is ", HexOf(*root),
                     ": two logs are signed with one key. ", kWhatToDo));
    return Seen{Kind::kConflict, seen.size};
  }
  MutexLock lock(mutex_);
  if (!newest_.has_value() || newest_->size < shown.size) {
    newest_ = std::move(shown);
  }
  return seen;
}

void ChainHeads::NoteConflict(const LedgerItem& item, LedgerHead head,
                              std::string why) {
  {
    MutexLock lock(mutex_);
    if (broken_.empty()) broken_ = why;
    head.item = item;
    conflicts_.emplace(item.position, std::move(head));
  }
  if (options_.warn) options_.warn(why);
}

int64_t ChainHeads::published_size() {
  MutexLock lock(mutex_);
  return heads_.empty() ? 0 : heads_.back().size;
}

std::optional<LedgerHead> ChainHeads::newest() {
  MutexLock lock(mutex_);
  // What a reorganisation took away was the newest all the same, unless it is
  // shown as being there.
  if (heads_.empty() || !newest_.has_value() ||
      newest_->size != heads_.back().size) {
    return std::nullopt;
  }
  return newest_;
}

std::string ChainHeads::broken() {
  MutexLock lock(mutex_);
  return broken_;
}

int64_t ChainHeads::foreign() {
  MutexLock lock(mutex_);
  return foreign_;
}

absl::StatusOr<std::optional<LedgerItem>> ChainHeads::ItemAt(
    int64_t position, bool with_evidence) {
  LedgerQuery query;
  query.first = position;
  query.max_items = 1;
  query.with_inclusion = with_evidence;
  absl::StatusOr<LedgerPage> page = chain_.Find(key_text_, query);
  if (!page.ok()) return page.status();
  if (page->items.empty() || page->items[0].position != position) {
    return std::optional<LedgerItem>();
  }
  return std::optional<LedgerItem>(std::move(page->items[0]));
}

absl::StatusOr<std::vector<int64_t>> ChainHeads::Confirmations(
    absl::Span<const int64_t> positions) {
  std::vector<int64_t> result(positions.size(), 0);
  std::vector<int64_t> places(positions.size(), -1);  // on the chain
  std::set<int64_t> asked;
  {
    MutexLock lock(mutex_);
    auto head = heads_.begin();
    for (size_t i = 0; i < positions.size(); ++i) {
      if (head == heads_.end() || head->size <= positions[i]) {
        head = std::upper_bound(
            head, heads_.end(), Place{positions[i], 0},
            [](const Place& a, const Place& b) { return a.size < b.size; });
      }
      if (head == heads_.end()) break;
      places[i] = head->position;
      asked.insert(head->position);
    }
  }
  // Heads of neighbours are neighbours: a page mostly has all of them.
  std::map<int64_t, int64_t> known;
  for (const int64_t place : asked) {
    if (known.count(place) > 0) continue;
    LedgerQuery query;
    query.first = place;
    query.max_items = static_cast<int64_t>(asked.size());
    const absl::StatusOr<LedgerPage> page = chain_.Find(key_text_, query);
    if (!page.ok()) return page.status();
    known[place] = 0;
    for (const LedgerItem& item : page->items) {
      known[item.position] = item.confirmations;
    }
  }
  for (size_t i = 0; i < positions.size(); ++i) {
    if (places[i] >= 0) result[i] = known[places[i]];
  }
  return result;
}

absl::StatusOr<std::optional<LedgerHead>> ChainHeads::Choose(
    int64_t min_confirmations) {
  size_t to = 0;
  Place chosen;
  {
    MutexLock lock(mutex_);
    if (heads_.empty()) return std::optional<LedgerHead>();
    to = heads_.size();
    chosen = heads_.back();
  }
  // Later heads have fewer confirmations: the last that has enough.
  size_t from = 0;
  while (from < to) {
    const size_t middle = from + (to - from) / 2;
    Place head;
    {
      MutexLock lock(mutex_);
      if (middle >= heads_.size()) break;  // the chain has lost some meanwhile
      head = heads_[middle];
    }
    const auto item = ItemAt(head.position, false);
    if (!item.ok()) return item.status();
    if (item->has_value() && (*item)->confirmations >= min_confirmations) {
      from = middle + 1;
      chosen = head;
    } else {
      to = middle;
    }
  }
  absl::StatusOr<std::optional<LedgerItem>> item =
      ItemAt(chosen.position, true);
  if (!item.ok()) return item.status();
  if (!item->has_value()) return std::optional<LedgerHead>();
  const absl::StatusOr<TreeHead> head =
      OpenLedgerHead((*item)->data, options_.key);
  if (!head.ok()) return std::optional<LedgerHead>();
  LedgerHead result{(*item)->data, chosen.size, head->root, *std::move(item)};
  return std::optional<LedgerHead>(std::move(result));
}

absl::StatusOr<std::vector<LedgerHead>> ChainHeads::Conflicts() {
  std::vector<LedgerHead> heads;
  {
    MutexLock lock(mutex_);
    for (const auto& [position, head] : conflicts_) heads.push_back(head);
  }
  for (LedgerHead& head : heads) {
    auto item = ItemAt(head.item->position, true);
    if (!item.ok() && !absl::IsUnavailable(item.status())) return item.status();
    // One that the chain has lost was signed all the same.
    if (item.ok() && item->has_value()) head.item = *std::move(item);
  }
  return heads;
}

}  // namespace windproof
