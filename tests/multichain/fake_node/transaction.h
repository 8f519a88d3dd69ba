// Transactions in Bitcoin's format.
//
// The id is the double SHA-256 of the raw bytes, shown reversed. An input's
// script is push(DER signature ‖ 01) push(public key); the signature is over
// SIGHASH_ALL with the payment script of that key. Pure.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TRANSACTION_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TRANSACTION_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/crypto/sha256.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/key.h"

namespace windproof::fake_node {

struct OutPoint {
  Digest txid{};
  uint32_t vout = 0;

  friend bool operator==(const OutPoint& a, const OutPoint& b) {
    return a.vout == b.vout && a.txid == b.txid;
  }
  template <typename H>
  friend H AbslHashValue(H h, const OutPoint& point) {
    return H::combine(std::move(h), point.txid, point.vout);
  }
};

struct TxInput {
  OutPoint from;
  absl::string_view script;
  uint32_t sequence = 0xFFFFFFFF;
};

struct TxOutput {
  uint64_t value = 0;
  absl::string_view script;
};

// Scripts are views into the bytes that were parsed.
struct ParsedTransaction {
  uint32_t version = 1;
  std::vector<TxInput> inputs;
  std::vector<TxOutput> outputs;
  uint32_t lock_time = 0;

  bool coinbase() const {
    return inputs.size() == 1 && inputs[0].from.txid == kZeroDigest;
  }
};

absl::optional<ParsedTransaction> ParseTransaction(absl::string_view raw);

// The next transaction; nothing if the bytes end before it does.
absl::optional<ParsedTransaction> ReadTransaction(ByteReader* reader);

// One input that spends `from`, a payment to `key`; outputs of value 0.
std::string SignedTransaction(const OutPoint& from, const Key& key,
                              const std::vector<std::string>& scripts);

std::string CoinbaseTransaction(absl::string_view input_script,
                                const std::vector<std::string>& scripts);

// The hash of the public key that an input's script shows; empty if it shows
// none.
std::string SignerOf(const TxInput& input);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TRANSACTION_H_
