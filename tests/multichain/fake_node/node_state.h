// What the methods of one node work on: its chain, its wallet, its settings.
//
// Guarded by whoever owns it: nothing here locks.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_NODE_STATE_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_NODE_STATE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/multichain/fake_node/chain.h"
#include "tests/multichain/fake_node/key.h"

namespace windproof::fake_node {

struct NodeSettings {
  std::string chain_name = "wxchain";
  int64_t target_block_ms = 0;  // 0: no block is mined by itself
  int mine_empty_rounds = 10;
  uint64_t max_block_bytes = 8'388'608;
  uint64_t max_transaction_bytes = 4'194'304;
  uint64_t max_item_bytes = 2'097'152;
  size_t max_shown_bytes = 16'384;
  size_t max_items = 32;  // of a publishmulti
  int port = 0;
};

struct NodeState {
  NodeSettings settings;
  Chain chain;
  std::string wallet_seed;
  std::deque<Key> keys;  // the wallet's; the first mines

  bool mining_paused = false;
  bool incoming_paused = false;
  bool offchain_paused = false;
  int empty_blocks = 0;        // in a row, since the last with a transaction
  int64_t clock_offset_s = 0;  // a clock that jumped
  uint64_t publish_count = 0;  // chooses the address of a plain publish
  uint64_t block_salt = 0;     // makes blocks of one second different
  bool lock_leaked = false;    // the next block makes the node hang
  bool hung = false;
  bool stopping = false;  // `stop` was called

  // Seconds since the epoch.
  int64_t Now() const;

  // Null if the wallet has no such key.
  const Key* FindKey(absl::string_view public_key_hash) const;

  const Key& NewKey();
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_NODE_STATE_H_
