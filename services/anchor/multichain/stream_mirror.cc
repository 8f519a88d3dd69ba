#include "services/anchor/multichain/stream_mirror.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

// Foreign items that are told apart; beyond, one told again counts again.
constexpr size_t kForeignNamesMax = 100'000;

}  // namespace

StreamMirror::StreamMirror(std::vector<std::string> publishers)
    : publishers_(std::move(publishers)) {}

bool StreamMirror::IsOurs(const StreamItem& item) const {
  return std::any_of(item.publishers.begin(), item.publishers.end(),
                     [&](const std::string& publisher) {
                       return std::find(publishers_.begin(), publishers_.end(),
                                        publisher) != publishers_.end();
                     });
}

void StreamMirror::Take(StreamItem item, Change* change) {
  if (item.data_is == StreamItem::Data::kNone) return;
  const std::string name = absl::StrCat(item.txid, ":", item.vout);
  if (!IsOurs(item)) {
    if (foreign_names_.size() >= kForeignNamesMax ||
        foreign_names_.insert(name).second) {
      ++foreign_;
    }
    return;
  }
  const auto [known, is_new] = by_name_.try_emplace(name, size());
  const int64_t position = known->second;
  if (is_new) {
    Item added;
    added.hash = Sha256Of(item.data);
    for (const std::string& key : item.keys) {
      std::vector<int64_t>& positions = by_key_[key];
      // An item may carry a key twice.
      if (positions.empty() || positions.back() != position) {
        positions.push_back(position);
      }
    }
    if (item.data_is == StreamItem::Data::kHere) {
      if (FindData(added.hash) >= 0) ++doubles_;
      by_data_[added.hash].push_back(position);
    }
    added.item = std::move(item);
    const StreamItem& taken = added.item;
    if (!taken.valid) {
      added.lost = true;
      ++lost_;
    } else if (taken.confirmed()) {
      by_height_[taken.height].push_back(position);
      ++change->confirmed;
    } else {
      unconfirmed_.insert(position);
    }
    ++change->added;
    items_.push_back(std::move(added));
    return;
  }

  Item& found = items_[position];
  if (!item.valid) return MarkLost(position);
  if (found.lost) {
    // It is there after all: the chain went back to a branch that has it.
    found.lost = false;
    --lost_;
    unconfirmed_.insert(position);
    ++change->added;
  }
  if (item.confirmed() &&
      (!found.item.confirmed() || found.item.block_hash != item.block_hash)) {
    unconfirmed_.erase(position);
    by_height_[item.height].push_back(position);
    ++change->confirmed;
  } else if (!item.confirmed() && found.item.confirmed()) {
    unconfirmed_.insert(position);
  }
  found.item.block_hash = item.block_hash;
  found.item.height = item.height;
}

void StreamMirror::Unconfirm(int64_t height) {
  for (auto it = by_height_.lower_bound(height); it != by_height_.end();
       it = by_height_.erase(it)) {
    for (const int64_t position : it->second) {
      Item& item = items_[position];
      if (item.lost || item.item.height != it->first) continue;
      item.item.height = -1;
      item.item.block_hash.clear();
      unconfirmed_.insert(position);
    }
  }
}

void StreamMirror::MarkLost(int64_t position) {
  Item& item = items_[position];
  if (item.lost) return;
  item.lost = true;
  item.item.height = -1;
  item.item.block_hash.clear();
  unconfirmed_.erase(position);
  ++lost_;
}

const std::vector<int64_t>* StreamMirror::Find(absl::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

int64_t StreamMirror::FindData(const Digest& hash) const {
  const auto found = by_data_.find(hash);
  if (found == by_data_.end()) return -1;
  for (const int64_t position : found->second) {
    if (!items_[position].lost) return position;
  }
  return -1;
}

}  // namespace windproof
