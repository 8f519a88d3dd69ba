#include "services/anchor/ledger_prover.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/anchor/ledger_tree.h"

namespace windproof {
namespace {

absl::StatusOr<Digest> NodeOf(absl::string_view beside, uint64_t position,
                              int level) {
  Digest digest;
  if (beside.size() < (static_cast<size_t>(level) + 1) * digest.size()) {
    return absl::DataLossError(absl::StrCat("the tree has no node of level ",
                                            level, " at ", position));
  }
  std::memcpy(digest.data(),
              beside.data() + static_cast<size_t>(level) * digest.size(),
              digest.size());
  return digest;
}

}  // namespace

absl::StatusOr<Digest> LedgerProver::Root(int64_t size) {
  return RootFromNodes(
      static_cast<uint64_t>(size),
      [this](uint64_t at, int level) { return Node(at, level); });
}

absl::StatusOr<InclusionProof> LedgerProver::Inclusion(int64_t position,
                                                       int64_t size) {
  return ProveFromNodes(
      static_cast<uint64_t>(position), static_cast<uint64_t>(size),
      [this](uint64_t at, int level) { return Node(at, level); });
}

absl::StatusOr<ConsistencyProof> LedgerProver::Consistency(int64_t old_size,
                                                           int64_t new_size) {
  return ConsistencyFromNodes(
      static_cast<uint64_t>(old_size), static_cast<uint64_t>(new_size),
      [this](uint64_t at, int level) { return Node(at, level); });
}

absl::StatusOr<Digest> LedgerProver::Node(uint64_t position, int level) {
  const auto cached = nodes_.find(position);
  if (cached != nodes_.end()) return NodeOf(cached->second, position, level);
  std::string value;
  const rocksdb::Status status = store_.db().Get(
      rocksdb::ReadOptions(), store_.nodes(),
      LedgerPositionKey(static_cast<int64_t>(position)), &value);
  if (status.IsNotFound()) value.clear();
  if (!status.ok() && !status.IsNotFound()) {
    return FromRocksStatus(status, "read the ledger's tree");
  }
  return NodeOf(nodes_.emplace(position, std::move(value)).first->second,
                position, level);
}

}  // namespace windproof
