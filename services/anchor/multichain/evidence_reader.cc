#include "services/anchor/multichain/evidence_reader.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/multichain/chain_bytes.h"

namespace windproof {
namespace {

constexpr size_t kBlocksKept = 32;
constexpr size_t kTransactionsKept = 32;

}  // namespace

template <typename Value>
std::shared_ptr<const Value> EvidenceReader::Cache<Value>::Find(
    const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : found->second;
}

template <typename Value>
void EvidenceReader::Cache<Value>::Put(const std::string& name,
                                       std::shared_ptr<const Value> value,
                                       size_t most) {
  if (!values.emplace(name, std::move(value)).second) return;
  order.push_back(name);
  if (order.size() <= most) return;
  values.erase(order.front());
  order.pop_front();
}

EvidenceReader::EvidenceReader(StreamNode& node) : node_(node) {}

absl::StatusOr<ChainEvidence> EvidenceReader::Read(const StreamItem& item) {
  std::shared_ptr<const std::string> transaction;
  std::shared_ptr<const ChainBlock> block;
  {
    MutexLock lock(mutex_);
    transaction = transactions_.Find(item.txid);
    block = blocks_.Find(item.block_hash);
  }
  if (transaction == nullptr) {
    absl::StatusOr<std::string> raw = node_.RawTransaction(item.txid);
    if (!raw.ok()) return raw.status();
    transaction = std::make_shared<const std::string>(*std::move(raw));
    MutexLock lock(mutex_);
    transactions_.Put(item.txid, transaction, kTransactionsKept);
  }
  ChainEvidence evidence;
  evidence.transaction = *transaction;
  if (!item.confirmed()) return evidence;

  if (block == nullptr) {
    absl::StatusOr<ChainBlock> read = node_.Block(item.block_hash);
    if (!read.ok()) return read.status();
    block = std::make_shared<const ChainBlock>(*std::move(read));
    MutexLock lock(mutex_);
    blocks_.Put(item.block_hash, block, kBlocksKept);
  }
  const absl::StatusOr<Digest> txid = HashFromShown(item.txid);
  if (!txid.ok()) return txid.status();
  const auto found = std::find(block->txids.begin(), block->txids.end(), *txid);
  if (found == block->txids.end()) {
    return absl::NotFoundError(absl::StrCat("the block ", item.block_hash,
                                            " has no transaction ", item.txid));
  }
  evidence.block_hash = item.block_hash;
  evidence.height = item.height;
  evidence.header = block->header;
  evidence.index = found - block->txids.begin();
  evidence.branch =
      BlockMerkleBranch(block->txids, static_cast<size_t>(evidence.index));
  return evidence;
}

}  // namespace windproof
