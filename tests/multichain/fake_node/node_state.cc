#include "tests/multichain/fake_node/node_state.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace windproof::fake_node {

int64_t NodeState::Now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
             .count() +
         clock_offset_s;
}

const Key* NodeState::FindKey(absl::string_view public_key_hash) const {
  for (const Key& key : keys) {
    if (key.hash() == public_key_hash) return &key;
  }
  return nullptr;
}

const Key& NodeState::NewKey() {
  return keys.emplace_back(absl::StrCat(wallet_seed, "/", keys.size()));
}

}  // namespace windproof::fake_node
