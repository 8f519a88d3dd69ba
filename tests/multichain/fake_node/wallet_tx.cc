#include "tests/multichain/fake_node/wallet_tx.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/script.h"

namespace windproof::fake_node {

MaybeError WalletKey(const NodeState& state, const Json& address,
                     const Key** key) {
  if (!address.is_string()) return WrongType(address, "str");
  const absl::optional<std::string> hash = HashOfAddress(address.AsString());
  if (!hash.has_value()) {
    return RpcError{kErrorAddress,
                    absl::StrCat("Invalid address: ", address.AsString())};
  }
  *key = state.FindKey(*hash);
  if (*key == nullptr) {
    return RpcError{kErrorKeyNotFound,
                    "Private key for from-address is not found in this wallet"};
  }
  return absl::nullopt;
}

bool MayNow(const NodeState& state, const Key& key, absl::string_view entity,
            uint32_t type) {
  return state.chain.permissions().Has(entity, key.hash(), type,
                                       state.chain.height() + 1);
}

bool MayPublish(const NodeState& state, const Key& key,
                const ChainStream& stream) {
  const bool may_write = (stream.restricts & kRestrictWrite) == 0 ||
                         MayNow(state, key, stream.entity, kPermitWrite);
  return may_write && MayNow(state, key, "", kPermitSend);
}

RpcResult Send(NodeState* state, const Key& key,
               std::vector<std::string> outputs) {
  const std::vector<OutPoint> unspent = state->chain.Unspent(key.hash());
  if (unspent.empty()) {
    return RpcError{kErrorNoFunds,
                    "No unspent outputs are available for this address"};
  }
  uint64_t size = 0;
  for (const std::string& output : outputs) size += output.size() + 9;
  if (size + 200 > state->settings.max_transaction_bytes) {
    return RpcError{kErrorParameter, "Transaction too large"};
  }
  outputs.push_back(PayToScript(key.hash()));
  const std::string raw = SignedTransaction(unspent.back(), key, outputs);
  const int64_t now = state->Now();
  const absl::optional<TxRef> tx = state->chain.AddTransaction(raw, now, now);
  if (!tx.has_value()) {
    return RpcError{kErrorRejected,
                    "Error: The transaction was rejected: 18: "
                    "bad-txns-inputs-spent"};
  }
  return Json::String(ShownHash(state->chain.tx(*tx).id));
}

}  // namespace windproof::fake_node
