#include "services/verifier/chain_item_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/multichain/chain_bytes.h"
#include "services/anchor/multichain/transaction.h"

namespace windproof {
namespace {

// A node of the tree over a block's transactions has 64 bytes; a transaction of
// that size could pass for one.
constexpr size_t kTreeNodeBytes = 64;
// Of a block's tree: more levels than any block has.
constexpr size_t kBranchMax = 32;

class Findings {
 public:
  explicit Findings(std::string where) : where_(std::move(where)) {}

  void Add(absl::string_view code, absl::string_view expected,
           absl::string_view found, absl::string_view what) {
    Finding finding;
    finding.code = std::string(code);
    finding.expected = Shown(expected);
    finding.found = Shown(found);
    finding.message = absl::StrCat(where_, ": ", what);
    list_.push_back(std::move(finding));
  }

  bool empty() const { return list_.empty(); }
  std::vector<Finding> Take() { return std::move(list_); }

 private:
  const std::string where_;
  std::vector<Finding> list_;
};

void CheckChain(const ServedPlace& place, const ChainTrust& trust,
                Findings* findings) {
  const auto compare = [&](absl::string_view what, absl::string_view expected,
                           absl::string_view found) {
    if (expected == found) return;
    findings->Add(
        "CHAIN_MISMATCH", expected, found,
        absl::StrCat("it is of another ", what, " than the trusted one"));
  };
  compare("chain", trust.chain, place.chain);
  compare("genesis", trust.genesis, place.genesis);
  const bool by_txid = DigestFromHex(trust.stream).ok();
  compare("stream", trust.stream, by_txid ? place.stream_txid : place.stream);
}

// Whether somebody whom the trust names has signed the transaction.
void CheckPublisher(const ChainTransaction& transaction,
                    const ChainTrust& trust, Findings* findings) {
  std::vector<std::string> signers;
  for (size_t i = 0; i < transaction.inputs.size(); ++i) {
    const absl::StatusOr<std::string> signer = CheckedSigner(transaction, i);
    if (!signer.ok()) {
      signers.emplace_back(signer.status().message());
      continue;
    }
    for (const std::string& publisher : trust.publishers) {
      const absl::StatusOr<std::string> trusted = AddressHash(publisher);
      if (trusted.ok() && *trusted == *signer) return;
    }
    signers.push_back(
        absl::StrCat("the key with hash ", absl::BytesToHexString(*signer)));
  }
  findings->Add("PUBLISHER_UNTRUSTED", absl::StrJoin(trust.publishers, ", "),
                absl::StrJoin(signers, ", "),
                "no publisher whom the trust file names has signed its "
                "transaction");
}

// The block's header leads to the transaction, and is the block's.
void CheckBlock(const ServedPlace& place, const Digest& txid,
                Findings* findings) {
  const absl::StatusOr<Digest> root = MerkleRootOfHeader(place.header);
  const std::string hash = ShownHash(DoubleSha256(place.header));
  if (!root.ok() || hash != place.block_hash) {
    findings->Add("HEADER_INVALID", place.block_hash, hash,
                  "the header is not that of its block");
    return;
  }
  std::vector<Digest> branch;
  for (const absl::string_view beside : place.branch) {
    const absl::StatusOr<Digest> digest = DigestFromBytes(beside);
    branch.push_back(digest.ok() ? *digest : kZeroDigest);
  }
  const bool in_tree =
      place.index >= 0 && branch.size() <= kBranchMax &&
      (static_cast<uint64_t>(place.index) >> branch.size()) == 0;
  const Digest reached =
      in_tree
          ? RootOfBlockBranch(txid, static_cast<uint64_t>(place.index), branch)
          : kZeroDigest;
  if (reached != *root) {
    findings->Add("PROOF_INVALID", HexOf(*root), HexOf(reached),
                  "its transaction does not lead to the root in the header of "
                  "the block");
  }
}

// `what` is checked, in words.
CheckedItem CheckItemOnChain(const std::string& what, const ServedItem& item,
                             const ServedPlace& place,
                             const ChainTrust& trust) {
  CheckedItem checked;
  Findings findings(what);
  CheckChain(place, trust, &findings);
  if (!place.split_view.empty()) {
    findings.Add("SPLIT_VIEW", place.block_hash, place.other_block_hash,
                 absl::StrCat("two nodes of the chain show different things: ",
                              place.split_view));
  }

  const Digest txid = DoubleSha256(place.transaction);
  const absl::StatusOr<ChainTransaction> transaction =
      ParseChainTransaction(place.transaction);
  if (!transaction.ok() || place.transaction.size() == kTreeNodeBytes) {
    findings.Add("TRANSACTION_MALFORMED", "a transaction",
                 absl::StrCat(place.transaction.size(), " bytes"),
                 transaction.ok() ? "it has the size of a tree's node"
                                  : transaction.status().message());
    checked.outcome = CheckOutcome::Of(findings.Take());
    return checked;
  }
  if (ShownHash(txid) != item.txid) {
    findings.Add("TRANSACTION_MISMATCH", item.txid, ShownHash(txid),
                 "the transaction that comes with it has another txid");
  }
  const bool has_output = place.vout >= 0 && static_cast<uint64_t>(place.vout) <
                                                 transaction->outputs.size();
  const absl::StatusOr<ScriptItem> script =
      has_output
          ? ParseItemScript(transaction->outputs[place.vout].script)
          : absl::InvalidArgumentError("the transaction has no such output");
  if (!script.ok() || (script->format != ScriptItem::Format::kText &&
                       script->format != ScriptItem::Format::kRaw)) {
    findings.Add(
        "ITEM_MISSING", absl::StrCat("an item at output ", place.vout), "",
        script.ok() ? "the item is not text" : script.status().message());
    checked.outcome = CheckOutcome::Of(findings.Take());
    return checked;
  }
  LedgerEntry entry;
  entry.position = item.position;
  entry.publisher = item.publisher;
  entry.keys = script->keys;
  entry.data = script->data;
  entry.signer = place.signer;
  entry.signature = place.signature;
  checked.entry = entry;

  const absl::StatusOr<std::string> stream = StreamPrefixOf(place.stream_txid);
  if (!stream.ok() || *stream != script->stream) {
    findings.Add("CHAIN_MISMATCH", place.stream_txid,
                 absl::BytesToHexString(script->stream),
                 "the transaction puts it into another stream");
  }
  if (script->keys != item.keys) {
    findings.Add("ENTRY_MISMATCH", absl::StrJoin(script->keys, ", "),
                 absl::StrJoin(item.keys, ", "),
                 "it shows other keys than its transaction");
  }
  if (script->data != item.checkpoint) {
    findings.Add("ENTRY_MISMATCH", HexOf(Sha256Of(script->data)),
                 HexOf(Sha256Of(item.checkpoint)),
                 "it shows another checkpoint than its transaction");
  }
  CheckPublisher(*transaction, trust, &findings);
  if (!place.block_hash.empty()) CheckBlock(place, txid, &findings);

  if (findings.empty() &&
      (place.block_hash.empty() || place.confirmations < trust.confirmations)) {
    checked.outcome = CheckOutcome::Skipped(
        absl::StrCat(what, " is not confirmed: ",
                     place.block_hash.empty() ? 0 : place.confirmations, " of ",
                     trust.confirmations, " blocks"));
    return checked;
  }
  checked.outcome = CheckOutcome::Of(findings.Take());
  return checked;
}

}  // namespace

CheckedItem CheckChainItem(const ServedItem& item, const ServedPlace& place,
                           const ChainTrust& trust) {
  return CheckItemOnChain(
      absl::StrCat("the ledger item at position ", item.position), item, place,
      trust);
}

CheckOutcome CheckHeadPlace(const ServedItem& item, const ServedPlace& place,
                            absl::string_view note, const VerifierKey& log,
                            const ChainTrust& trust) {
  const std::string what =
      absl::StrCat("the head in item ", Shown(item.txid), ":", place.vout);
  CheckedItem checked = CheckItemOnChain(what, item, place, trust);
  if (!checked.entry.has_value()) return checked.outcome;
  Findings findings(what);
  if (checked.entry->data != note) {
    findings.Add("HEAD_NOT_ON_CHAIN", note, checked.entry->data,
                 "the chain has other data than the head that is shown");
  }
  const std::string key = LedgerHeadsKey(log.name);
  const auto& keys = checked.entry->keys;
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
    findings.Add("HEAD_HIDDEN", key, absl::StrJoin(keys, ", "),
                 "it does not stand under the key where heads are looked for");
  }
  if (!findings.empty()) {
    checked.outcome.Add(CheckOutcome::Of(findings.Take()));
  }
  return checked.outcome;
}

}  // namespace windproof
