#include "services/anchor/multichain/stream_sync.h"

#include <utility>

#include "absl/status/statusor.h"
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

absl::Status StreamSync::MoveTo(const ChainTip& tip, Result* result) {
  bool extended = tip_.height < 0;
  if (!extended && tip.height >= tip_.height) {
    const absl::StatusOr<std::string> hash = node_.BlockHash(tip_.height);
    if (!hash.ok() && !absl::IsNotFound(hash.status())) return hash.status();
    extended = hash.ok() && *hash == tip_.hash;
  }
  while (!extended && !blocks_.empty()) {
    const auto last = std::prev(blocks_.end());
    const absl::StatusOr<std::string> hash = node_.BlockHash(last->first);
    if (!hash.ok() && !absl::IsNotFound(hash.status())) return hash.status();
    if (hash.ok() && *hash == last->second.hash) break;
    const int64_t height = last->first;
    with_mirror_([&](StreamMirror& mirror) { mirror.Unconfirm(height); });
    ++result->reorganised;
    blocks_.erase(last);
  }
  confirmed_ = blocks_.empty() ? 0 : blocks_.rbegin()->second.end;
  tip_ = tip;
  return absl::OkStatus();
}

void StreamSync::TakePage(int64_t start, std::vector<StreamItem> page,
                          Result* result) {
  for (size_t i = 0; i < page.size(); ++i) {
    const StreamItem& item = page[i];
    const int64_t index = start + static_cast<int64_t>(i);
    last_name_ = NameOf(item);
    told_.insert(last_name_);
    // An item that cannot be read shows no block; it is settled with the next
    // one behind it that does.
    if (item.confirmed() && index >= confirmed_) {
      confirmed_ = index + 1;
      blocks_[item.height] = {item.block_hash, confirmed_};
    }
  }
  listed_ = start + static_cast<int64_t>(page.size());
  page = WithoutRepeats(std::move(page));
  with_mirror_([&](StreamMirror& mirror) {
    for (StreamItem& item : page) {
      mirror.Take(std::move(item), &result->change);
    }
  });
}

absl::Status StreamSync::FindLost(Result* result) {
  std::vector<std::pair<int64_t, StreamItem>> missing;
  with_mirror_([&](StreamMirror& mirror) {
    for (const int64_t position : mirror.unconfirmed()) {
      const StreamItem& item = mirror.at(position).item;
      if (told_.count(NameOf(item)) == 0) missing.emplace_back(position, item);
    }
  });
  for (const auto& [position, item] : missing) {
    // The list may have moved while it was read: the node is asked for this
    // one.
    absl::StatusOr<std::vector<StreamItem>> now = node_.ItemsOf(item.txid);
    if (!now.ok() && !absl::IsNotFound(now.status())) return now.status();
    bool there = false;
    if (now.ok()) {
      for (StreamItem& found : *now) {
        if (found.vout != item.vout || !found.valid) continue;
        there = true;
        with_mirror_([&](StreamMirror& mirror) {
          mirror.Take(std::move(found), &result->change);
        });
        break;
      }
    }
    if (there) continue;
    const int64_t gone = position;
    with_mirror_([&](StreamMirror& mirror) { mirror.MarkLost(gone); });
    result->lost.push_back(position);
  }
  return absl::OkStatus();
}

absl::StatusOr<StreamSync::Result> StreamSync::Update(bool thorough) {
  Result result;
  absl::StatusOr<ChainTip> tip = node_.Tip();
  if (!tip.ok()) return tip.status();
  int moves = 0;
  // Whether the pass covers all items without a block.
  bool whole = false;
  int64_t start = 0;
  const auto begin = [&](bool from_settled) {
    whole = from_settled || listed_ <= confirmed_;
    start = whole ? confirmed_ : listed_ - 1;
    if (whole) told_.clear();
  };
  if (thorough) {
    const absl::StatusOr<StreamInfo> stream = node_.Stream();
    if (!stream.ok()) return stream.status();
    // Fewer than were listed: something has vanished.
    thorough = stream->items < listed_;
  }
  if (tip->hash == tip_.hash) {
    begin(thorough);
  } else {
    const absl::Status moved = MoveTo(*tip, &result);
    if (!moved.ok()) return moved;
    begin(true);
  }
  while (true) {
    absl::StatusOr<std::vector<StreamItem>> page =
        node_.Items(start, kPageItems);
    if (!page.ok()) return page.status();
    const absl::StatusOr<ChainTip> after = node_.Tip();
    if (!after.ok()) return after.status();
    if (after->hash != tip_.hash) {
      if (++moves > kMovesMax) {
        return absl::UnavailableError(
            "the chain moves faster than the stream can be read");
      }
      const absl::Status moved = MoveTo(*after, &result);
      if (!moved.ok()) return moved;
      begin(true);
      continue;
    }
    if (!whole && start == listed_ - 1 &&
        (page->empty() || NameOf(page->front()) != last_name_)) {
      // What was the last one is so no more.
      begin(true);
      continue;
    }
    const int64_t count = static_cast<int64_t>(page->size());
    TakePage(start, *std::move(page), &result);
    start += count;
    if (count < kPageItems) break;
  }
  if (whole) {
    const absl::Status found = FindLost(&result);
    if (!found.ok()) return found;
  }
  result.tip = tip_;
  return result;
}

}  // namespace windproof
