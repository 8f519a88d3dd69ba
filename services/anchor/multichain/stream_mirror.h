// What is known of a stream: its items by position, and where each stands in
// the chain.
//
// Positions are given in the order in which items are told, and stay. Items are
// told again whenever the chain has changed; an item that is told no more is
// lost. All of it is in a store, together with how far the node's list was
// read; in memory are counters and the positions of what has no block.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_MIRROR_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_MIRROR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "services/anchor/multichain/mirror_codec.h"
#include "services/anchor/multichain/mirror_store.h"
#include "services/anchor/multichain/stream_item.h"

namespace windproof {

// Thread-compatible. Errors are the store's, or DataLoss: it holds what was
// never written there. What changes is kept by Commit(), until which reads see
// it already.
class StreamMirror {
 public:
  struct Item {
    StreamItem item;
    Digest hash{};      // of the data
    bool lost = false;  // no block will have it as it is
  };

  // What was changed.
  struct Change {
    int64_t added = 0;
    int64_t confirmed = 0;
    int64_t listed = 0;  // items that were never told before, foreign ones too
    std::vector<int64_t> positions;  // of all items that stand otherwise now
    bool any() const { return added + confirmed > 0; }
  };

  // How far the node's list was read.
  struct Progress {
    std::string tip_hash;  // of the chain then
    int64_t tip_height = -1;
    int64_t settled = 0;    // listed items that have a block
    int64_t listed = 0;     // all
    std::string last_name;  // of the last one listed: txid:vout
  };

  // A block with listed items.
  struct Block {
    int64_t height = 0;
    std::string hash;
    int64_t end = 0;  // index of the first listed item behind it
  };

  // `store` must outlive it. `publishers` are the addresses whose items count;
  // `now_ms` is for how long items wait, and never goes back.
  static absl::StatusOr<std::unique_ptr<StreamMirror>> Open(
      MirrorStore& store, std::vector<std::string> publishers,
      std::function<int64_t()> now_ms);

  // Takes what the node says of one item now. The result is its position; -1:
  // it does not count.
  absl::StatusOr<int64_t> Take(const StreamItem& item, Change* change);

  // Items in blocks from `height` on stand in no block any more, as far as is
  // known.
  absl::Status Unconfirm(int64_t height, Change* change);

  // The item will not be confirmed. It keeps its position, empty.
  absl::Status MarkLost(int64_t position, Change* change);

  int64_t size() const { return size_; }
  // `position` is from 0 to size() - 1.
  absl::StatusOr<Item> at(int64_t position) const;
  // Calls `visit` with the items from position `first` on, in order, those that
  // are lost too; with `key` only those that carry it. Until it is false.
  absl::Status Visit(
      int64_t first, const std::string* key,
      absl::FunctionRef<bool(int64_t position, Item& item)> visit) const;
  // Those in blocks of heights from `first` to before `end`.
  absl::Status VisitHeights(
      int64_t first, int64_t end,
      absl::FunctionRef<void(int64_t position, const Digest& data)> visit)
      const;
  // The first item with that data that is not lost; -1: there is none.
  absl::StatusOr<int64_t> FindData(const Digest& hash) const;
  // Neither confirmed nor lost, with the time from which on that is known.
  const absl::btree_map<int64_t, int64_t>& unconfirmed() const {
    return unconfirmed_;
  }
  // Position and time of that which has been so for longest, as far as the
  // first some thousand of them say: what is told earlier waits longer, but for
  // what a reorganisation brought back.
  std::optional<std::pair<int64_t, int64_t>> OldestUnconfirmed() const;

  int64_t foreign() const { return foreign_; }
  int64_t doubles() const { return doubles_; }
  int64_t lost() const { return lost_; }

  const Progress& progress() const { return progress_; }
  absl::StatusOr<std::optional<Block>> LastBlock() const;
  void PutBlock(const Block& block);
  void DropBlock(int64_t height);

  // Keeps all that has changed, and `progress`, in one write. Where that fails
  // nothing has changed.
  absl::Status Commit(Progress progress);
  // As it was at the last Commit().
  absl::Status Undo();

  // All items are lost, and the list is to be read from its beginning. Keeps
  // that. The result are the hashes of the data of those that were not lost.
  absl::StatusOr<std::vector<Digest>> LoseAll();

  // Texts that are kept with it: whose stream this is. Empty: never set. What
  // is set is kept at once.
  absl::StatusOr<std::string> Note(absl::string_view name) const;
  absl::Status SetNote(absl::string_view name, absl::string_view text);

  // Forgets everything.
  absl::Status Clear();

 private:
  StreamMirror(MirrorStore& store, std::vector<std::string> publishers,
               std::function<int64_t()> now_ms);

  absl::Status Load();
  bool IsOurs(const StreamItem& item) const;
  absl::StatusOr<int64_t> Add(const StreamItem& item, Change* change);
  absl::StatusOr<MirrorPlace> PlaceOf(int64_t position) const;
  void SetUnconfirmed(int64_t position, bool is_so);

  MirrorStore& store_;
  const std::vector<std::string> publishers_;
  const std::function<int64_t()> now_ms_;

  int64_t size_ = 0;
  int64_t foreign_ = 0;
  int64_t doubles_ = 0;
  int64_t lost_ = 0;
  Progress progress_;
  absl::btree_map<int64_t, int64_t> unconfirmed_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_MIRROR_H_
