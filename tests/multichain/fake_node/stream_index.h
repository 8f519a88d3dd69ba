// The lists of one stream's items: all, by key, by publisher.
//
// Items are appended in the order of the chain, unconfirmed ones last, so a
// page of a list costs its length. Thread-compatible.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_STREAM_INDEX_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_STREAM_INDEX_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace windproof::fake_node {

using ItemRef = uint32_t;
using ItemList = std::vector<ItemRef>;

class StreamIndex {
 public:
  void Clear();

  // A key that stands twice in `keys` lists the item once.
  void Append(ItemRef item, const std::vector<absl::string_view>& keys,
              absl::string_view publisher);

  const ItemList& items() const { return items_; }
  // Empty lists for what is not there.
  const ItemList& OfKey(absl::string_view key) const;
  const ItemList& OfPublisher(absl::string_view publisher) const;

  // In the order of their first items.
  const std::deque<std::string>& keys() const { return keys_; }
  const std::deque<std::string>& publishers() const { return publishers_; }

 private:
  using Lists = absl::flat_hash_map<absl::string_view, ItemList>;
  static void AppendTo(absl::string_view name, ItemRef item,
                       std::deque<std::string>* names, Lists* lists);

  ItemList items_;
  std::deque<std::string> keys_;  // what by_key_ points into
  Lists by_key_;
  std::deque<std::string> publishers_;
  Lists by_publisher_;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_STREAM_INDEX_H_
