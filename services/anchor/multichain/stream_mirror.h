// What is known of a stream: its items by position, and where each stands in
// the chain.
//
// Positions are given in the order in which items are told, and stay. Items are
// told again whenever the chain has changed; an item that is told no more is
// lost. Pure: no node, no clock. Thread-compatible.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_MIRROR_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_MIRROR_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "services/anchor/multichain/stream_item.h"

namespace windproof {

class StreamMirror {
 public:
  struct Item {
    StreamItem item;
    Digest hash{};      // of the data
    bool lost = false;  // no block will have it as it is
  };

  // What a page changed.
  struct Change {
    int64_t added = 0;
    int64_t confirmed = 0;
    bool any() const { return added + confirmed > 0; }
  };

  // `publishers` are the addresses whose items count.
  explicit StreamMirror(std::vector<std::string> publishers);

  // Takes what the node says of one item now.
  void Take(StreamItem item, Change* change);

  // Items in blocks from `height` on stand in no block any more, as far as is
  // known.
  void Unconfirm(int64_t height);

  // The item will not be confirmed. It keeps its position, empty.
  void MarkLost(int64_t position);

  int64_t size() const { return static_cast<int64_t>(items_.size()); }
  const Item& at(int64_t position) const { return items_[position]; }
  // Positions of items that carry `key`, or nullptr.
  const std::vector<int64_t>* Find(absl::string_view key) const;
  // The first item with that data that is not lost; -1: there is none.
  int64_t FindData(const Digest& hash) const;
  // Neither confirmed nor lost.
  const std::set<int64_t>& unconfirmed() const { return unconfirmed_; }

  int64_t foreign() const { return foreign_; }
  int64_t doubles() const { return doubles_; }
  int64_t lost() const { return lost_; }

 private:
  bool IsOurs(const StreamItem& item) const;

  const std::vector<std::string> publishers_;
  std::vector<Item> items_;
  absl::flat_hash_map<std::string, int64_t> by_name_;  // txid:vout
  absl::flat_hash_map<std::string, std::vector<int64_t>> by_key_;
  absl::flat_hash_map<Digest, std::vector<int64_t>> by_data_;
  std::map<int64_t, std::vector<int64_t>> by_height_;
  std::set<int64_t> unconfirmed_;
  // Names, as they are told more than once.
  std::set<std::string> foreign_names_;
  int64_t foreign_ = 0;
  int64_t doubles_ = 0;
  int64_t lost_ = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_MIRROR_H_
