// MultiChain transactions, as far as stream items need them.
//
// Source: Bitcoin's transaction format; the scripts of stream items as observed
// on MultiChain 2.3.3 (docs/formats/ledger.md). Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TRANSACTION_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TRANSACTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

// Views point into the transaction's bytes.
struct ChainInput {
  Digest previous{};
  uint32_t previous_vout = 0;
  absl::string_view script;
  uint32_t sequence = 0;
};

struct ChainOutput {
  uint64_t value = 0;
  absl::string_view script;
};

struct ChainTransaction {
  uint32_t version = 0;
  std::vector<ChainInput> inputs;
  std::vector<ChainOutput> outputs;
  uint32_t lock_time = 0;
};

// InvalidArgument unless `raw` is one transaction and nothing else.
absl::StatusOr<ChainTransaction> ParseChainTransaction(absl::string_view raw);

// A stream item in an output's script. Views point into it.
struct ScriptItem {
  // The first 16 bytes of the txid that created the stream, as it is shown.
  std::string stream;
  std::vector<absl::string_view> keys;
  enum class Format { kRaw, kText, kJson, kOther };
  Format format = Format::kRaw;
  absl::string_view data;  // kText: the exact bytes
};

// InvalidArgument: the output has no stream item on the chain itself.
absl::StatusOr<ScriptItem> ParseItemScript(absl::string_view script);

// Who signed an input that is paid to a key: the 20 bytes of the address.
// InvalidArgument: not a signature over the whole transaction and a public key,
// or the signature is not that key's.
absl::StatusOr<std::string> CheckedSigner(const ChainTransaction& transaction,
                                          size_t input);

// `hex` 16 bytes of a shown txid: what ScriptItem::stream is for it.
absl::StatusOr<std::string> StreamPrefixOf(absl::string_view create_txid);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TRANSACTION_H_
