#include "tests/multichain/fake_node/stream_index.h"

#include <algorithm>

namespace windproof::fake_node {
namespace {

const ItemList& EmptyList() {
  static const ItemList* const empty = new ItemList();
  return *empty;
}

}  // namespace

void StreamIndex::Clear() {
  items_.clear();
  by_key_.clear();
  keys_.clear();
  by_publisher_.clear();
  publishers_.clear();
}

void StreamIndex::AppendTo(absl::string_view name, ItemRef item,
                           std::deque<std::string>* names, Lists* lists) {
  auto list = lists->find(name);
  if (list == lists->end()) {
    names->emplace_back(name);
    list = lists->try_emplace(names->back()).first;
  }
  list->second.push_back(item);
}

void StreamIndex::Append(ItemRef item,
                         const std::vector<absl::string_view>& keys,
                         absl::string_view publisher) {
  items_.push_back(item);
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    if (std::find(keys.begin(), key, *key) == key) {
      AppendTo(*key, item, &keys_, &by_key_);
    }
  }
  AppendTo(publisher, item, &publishers_, &by_publisher_);
}

const ItemList& StreamIndex::OfKey(absl::string_view key) const {
  const auto list = by_key_.find(key);
  return list == by_key_.end() ? EmptyList() : list->second;
}

const ItemList& StreamIndex::OfPublisher(absl::string_view publisher) const {
  const auto list = by_publisher_.find(publisher);
  return list == by_publisher_.end() ? EmptyList() : list->second;
}

}  // namespace windproof::fake_node
