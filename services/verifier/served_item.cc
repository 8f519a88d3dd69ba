#include "services/verifier/served_item.h"

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"
#include "common/merkle/proof.h"

namespace windproof {
namespace {

// Where an item's proof has digests of another size, that is a bad proof and
// not a missing one: a digest of zeros stands for it.
std::optional<InclusionProof> ProofOf(const v1::LedgerItem& item) {
  if (!item.has_inclusion()) return std::nullopt;
  InclusionProof proof;
  proof.leaf_index = static_cast<uint64_t>(item.inclusion().leaf_index());
  proof.leaf_count = static_cast<uint64_t>(item.inclusion().tree_size());
  proof.siblings.reserve(item.inclusion().siblings_size());
  for (const std::string& sibling : item.inclusion().siblings()) {
    const absl::StatusOr<Digest> digest = DigestFromBytes(sibling);
    proof.siblings.push_back(digest.ok() ? *digest : kZeroDigest);
  }
  return proof;
}

}  // namespace

ServedItem ServedItemOf(const v1::LedgerItem& item) {
  ServedItem served;
  served.position = item.position();
  served.txid = item.txid();
  served.keys.assign(item.keys().begin(), item.keys().end());
  served.checkpoint = item.checkpoint();
  served.publisher = item.publisher();
  served.entry = item.entry();
  served.inclusion = ProofOf(item);
  return served;
}

ServedPlace ServedPlaceOf(const v1::LedgerItem& item) {
  const v1::ChainEvidence& chain = item.chain();
  ServedPlace place;
  place.chain = chain.chain();
  place.genesis = chain.genesis();
  place.stream = chain.stream();
  place.stream_txid = chain.stream_txid();
  place.transaction = chain.transaction();
  place.vout = item.vout();
  place.block_hash = chain.block_hash();
  place.header = chain.header();
  place.index = chain.index();
  place.branch.assign(chain.branch().begin(), chain.branch().end());
  place.confirmations = item.confirmations();
  if (chain.has_split_view()) {
    place.split_view = chain.split_view().what();
    place.other_block_hash = chain.split_view().other_block_hash();
  }
  place.signer = item.signer();
  place.signature = item.signature();
  return place;
}

}  // namespace windproof
