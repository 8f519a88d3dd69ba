// Whether two nodes of one chain show different things: another block at a
// height, or other items of our stream in the same block.
//
// Only heights count that have enough confirmations on both: who is merely
// behind shows nothing else. Holds what both agreed on, so that each call asks
// little. Knows no node: those are sides.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_FINDER_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_FINDER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace windproof {

// What one node shows. Errors: it cannot be asked now.
class ChainSide {
 public:
  virtual ~ChainSide() = default;
  // Of its last block.
  virtual absl::StatusOr<int64_t> Height() = 0;
  // NotFound: its chain is shorter.
  virtual absl::StatusOr<std::string> BlockHash(int64_t height) = 0;
  // The stream's items in the blocks of heights from `first` to before `end`,
  // each as HEIGHT TXID:VOUT HASH-OF-ITS-DATA.
  virtual absl::StatusOr<std::set<std::string>> Items(int64_t first,
                                                      int64_t end) = 0;
};

// From `height` on, the two show different things.
struct Split {
  int64_t height = 0;
  std::string ours;  // their blocks' hashes there
  std::string theirs;
  // The blocks are the same: other items of the stream in them are shown. Two
  // of those that only one has, or nothing.
  bool of_items = false;
  std::string only_ours;
  std::string only_theirs;

  friend bool operator==(const Split&, const Split&) = default;
};

// Single-owner.
class SplitFinder {
 public:
  // All must outlive it. `confirmations` >= 1.
  SplitFinder(int64_t confirmations, ChainSide& ours, ChainSide& theirs);

  // The split there is now, or nothing. Unavailable: a side moved while it was
  // asked, ask again; otherwise the sides' errors.
  absl::StatusOr<std::optional<Split>> Find();

  // Up to which height both agree; -1: not known yet.
  int64_t agreed() const { return blocks_agreed_; }

 private:
  // The highest height that has enough confirmations on both; may be below 0.
  absl::StatusOr<int64_t> Common();
  absl::StatusOr<bool> SameBlock(int64_t height);
  absl::StatusOr<std::optional<Split>> FindBlocks(int64_t common);
  absl::StatusOr<std::optional<Split>> FindItems(int64_t common);

  const int64_t confirmations_;
  ChainSide& ours_;
  ChainSide& theirs_;
  int64_t blocks_agreed_ = -1;
  int64_t items_agreed_ = -1;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_FINDER_H_
