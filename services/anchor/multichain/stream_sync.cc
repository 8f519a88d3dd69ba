#include "services/anchor/multichain/stream_sync.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr int64_t kPageItems = 200;
// Pages that were read in vain, because a block came meanwhile.
constexpr int kMovesMax = 20;

std::string NameOf(const StreamItem& item) {
  return absl::StrCat(item.txid, ":", item.vout);
}

}  // namespace

StreamSync::StreamSync(StreamNode& node, WithMirror with_mirror)
    : node_(node), with_mirror_(std::move(with_mirror)) {}

absl::Status StreamSync::Change(const UseMirror& use) {
  const absl::Status status = with_mirror_([&](StreamMirror& mirror) {
    const absl::Status used = use(mirror);
    if (used.ok()) return mirror.Commit(progress_);
    const absl::Status undone = mirror.Undo();
    return undone.ok() ? used : undone;
  });
  if (!status.ok()) loaded_ = false;
  return status;
}

absl::Status StreamSync::MoveTo(const ChainTip& tip, Result* result) {
  bool extended = progress_.tip_height < 0;
  if (!extended && tip.height >= progress_.tip_height) {
    const absl::StatusOr<std::string> hash =
        node_.BlockHash(progress_.tip_height);
    if (!hash.ok() && !absl::IsNotFound(hash.status())) return hash.status();
    extended = hash.ok() && *hash == progress_.tip_hash;
  }
  due_ = std::max(due_, extended ? Pass::kBlocks : Pass::kAll);
  while (!extended) {
    std::optional<StreamMirror::Block> last;
    absl::Status status = with_mirror_([&](StreamMirror& mirror) {
      absl::StatusOr<std::optional<StreamMirror::Block>> read =
          mirror.LastBlock();
      if (!read.ok()) return read.status();
      last = *std::move(read);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    if (!last.has_value()) {
      progress_.settled = 0;
      break;
    }
    const absl::StatusOr<std::string> hash = node_.BlockHash(last->height);
    if (!hash.ok() && !absl::IsNotFound(hash.status())) return hash.status();
    if (hash.ok() && *hash == last->hash) {
      progress_.settled = last->end;
      break;
    }
    status = Change([&](StreamMirror& mirror) {
      mirror.DropBlock(last->height);
      return mirror.Unconfirm(last->height, &result->change);
    });
    if (!status.ok()) return status;
    ++result->reorganised;
  }
  progress_.tip_hash = tip.hash;
  progress_.tip_height = tip.height;
  result->moved = true;
  return Change([](StreamMirror&) { return absl::OkStatus(); });
}

void StreamSync::Begin(Pass pass) {
  pass_ = std::max(pass, due_);
  // All that were listed have a block: what comes behind is new.
  if (pass_ == Pass::kNew && progress_.listed <= progress_.settled) {
    pass_ = Pass::kAll;
  }
  start_ = pass_ == Pass::kNew ? progress_.listed - 1 : progress_.settled;
  told_.clear();
}

absl::Status StreamSync::TakePage(std::vector<StreamItem> page, Result* result,
                                  bool* goes_on) {
  *goes_on = static_cast<int64_t>(page.size()) == kPageItems;
  return Change([&](StreamMirror& mirror) {
    for (size_t i = 0; i < page.size(); ++i) {
      const StreamItem& item = page[i];
      const int64_t index = start_ + static_cast<int64_t>(i);
      if (pass_ == Pass::kBlocks && !item.confirmed()) {
        // From here on nothing has a block; an item that cannot be read may
        // have one, and is not known by name.
        if (item.data_is == StreamItem::Data::kNone) due_ = Pass::kAll;
        *goes_on = false;
        break;
      }
      // An item that cannot be read shows no block; it is settled with the next
      // one behind it that does.
      if (item.confirmed() && index >= progress_.settled) {
        progress_.settled = index + 1;
        mirror.PutBlock({item.height, item.block_hash, index + 1});
      }
      const int64_t listed = result->change.listed;
      const absl::StatusOr<int64_t> position =
          mirror.Take(item, &result->change);
      if (!position.ok()) return position.status();
      if (pass_ == Pass::kBlocks) {
        progress_.listed += result->change.listed - listed;
        continue;
      }
      progress_.last_name = NameOf(item);
      if (pass_ == Pass::kAll && *position >= 0 && !item.confirmed()) {
        told_.insert(*position);
      }
    }
    start_ += static_cast<int64_t>(page.size());
    if (pass_ != Pass::kBlocks) progress_.listed = start_;
    return absl::OkStatus();
  });
}

absl::Status StreamSync::FindLost(Result* result) {
  std::vector<int64_t> missing;
  absl::Status status = with_mirror_([&](StreamMirror& mirror) {
    for (const auto& [position, since] : mirror.unconfirmed()) {
      if (!told_.contains(position)) missing.push_back(position);
    }
    return absl::OkStatus();
  });
  for (const int64_t position : missing) {
    StreamItem item;
    status = with_mirror_([&](StreamMirror& mirror) {
      absl::StatusOr<StreamMirror::Item> read = mirror.at(position);
      if (read.ok()) item = std::move(read->item);
      return read.status();
    });
    if (!status.ok()) return status;
    // The list may have moved while it was read: the node is asked for this
    // one.
    absl::StatusOr<std::vector<StreamItem>> now = node_.ItemsOf(item.txid);
    if (!now.ok() && !absl::IsNotFound(now.status())) return now.status();
    const StreamItem* there = nullptr;
    if (now.ok()) {
      const auto found =
          std::find_if(now->begin(), now->end(), [&](const StreamItem& other) {
            return other.vout == item.vout && other.valid;
          });
      if (found != now->end()) there = &*found;
    }
    status = Change([&](StreamMirror& mirror) {
      return there != nullptr ? mirror.Take(*there, &result->change).status()
                              : mirror.MarkLost(position, &result->change);
    });
    if (!status.ok()) return status;
    if (there == nullptr) result->lost.push_back(position);
  }
  return absl::OkStatus();
}

absl::Status StreamSync::Update(bool thorough, Result* result) {
  absl::Status status;
  if (!loaded_) {
    status = with_mirror_([&](StreamMirror& mirror) {
      progress_ = mirror.progress();
      return absl::OkStatus();
    });
    due_ = Pass::kAll;
    loaded_ = true;
  }
  const absl::StatusOr<ChainTip> tip = node_.Tip();
  if (!tip.ok()) return tip.status();
  if (thorough) {
    const absl::StatusOr<StreamInfo> stream = node_.Stream();
    if (!stream.ok()) return stream.status();
    // Fewer than were listed: something has vanished.
    if (stream->items < progress_.listed) due_ = Pass::kAll;
  }
  if (tip->hash != progress_.tip_hash) {
    status = MoveTo(*tip, result);
    if (!status.ok()) return status;
  }
  int moves = 0;
  Begin(Pass::kNew);
  while (true) {
    absl::StatusOr<std::vector<StreamItem>> page =
        node_.Items(start_, kPageItems);
    if (!page.ok()) return page.status();
    const absl::StatusOr<ChainTip> after = node_.Tip();
    if (!after.ok()) return after.status();
    if (after->hash != progress_.tip_hash) {
      if (++moves > kMovesMax) {
        return absl::UnavailableError(
            "the chain moves faster than the stream can be read");
      }
      status = MoveTo(*after, result);
      if (!status.ok()) return status;
      Begin(Pass::kNew);
      continue;
    }
    if (pass_ == Pass::kNew && start_ == progress_.listed - 1 &&
        (page->empty() || NameOf(page->front()) != progress_.last_name)) {
      // What was the last one is so no more.
      Begin(Pass::kAll);
      continue;
    }
    bool goes_on = false;
    status = TakePage(*std::move(page), result, &goes_on);
    if (!status.ok()) return status;
    if (goes_on) continue;
    if (pass_ == Pass::kBlocks && due_ == Pass::kBlocks) {
      due_ = Pass::kNew;
      Begin(Pass::kNew);
      continue;
    }
    if (pass_ != Pass::kAll) {
      if (due_ == Pass::kNew) break;
      Begin(Pass::kNew);
      continue;
    }
    due_ = Pass::kNew;
    status = FindLost(result);
    break;
  }
  told_ = {};
  return status;
}

}  // namespace windproof
