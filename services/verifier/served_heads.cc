#include "services/verifier/served_heads.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/merkle/proof.h"
#include "common/server/grpc_status.h"
#include "proto/windproof/v1/anchor.pb.h"
#include "services/verifier/chain_item_check.h"
#include "services/verifier/finding.h"
#include "services/verifier/served_item.h"

namespace windproof {
namespace {

Finding Fork(absl::string_view expected, absl::string_view found,
             std::string message) {
  Finding fork;
  fork.code = "HEAD_FORK";
  fork.expected = std::string(expected);
  fork.found = std::string(found);
  fork.message = std::move(message);
  return fork;
}

}  // namespace

const CheckedHead& ServedHeads::Check(bool is_there, const v1::LedgerHead& head,
                                      const Heads& conflicts) {
  // A reply may lie about each member each time.
  std::string id = absl::StrCat(is_there, head.SerializeAsString());
  for (const v1::LedgerHead& conflict : conflicts) {
    absl::StrAppend(&id, "\n", conflict.SerializeAsString());
  }
  std::unique_ptr<CheckedHead>& checked = heads_[id];
  if (checked != nullptr) return *checked;
  checked = std::make_unique<CheckedHead>();
  if (!ledger_.key.has_value()) return *checked;  // nothing has a head

  const bool batched = ledger_.chain.has_value();
  CheckOutcome& outcome = checked->outcome;
  if (batched && !is_there) {
    outcome = CheckOutcome::Skipped(
        "no head of the ledger's log is on the chain yet");
  } else {
    *checked = book_.Check({head.note(), head.tree_size(), head.root()});
  }
  if (checked->head.has_value()) {
    const TreeHead& tree = *checked->head;
    CheckRoot(tree, &outcome);
    if (batched) {
      CheckPlace(head, &outcome);
      CheckAgainstSeen(tree, &outcome);
    }
  }
  if (batched) CheckConflicts(conflicts, &outcome);
  return *checked;
}

void ServedHeads::CheckRoot(const TreeHead& tree, CheckOutcome* outcome) {
  const auto [known, is_new] = roots_.emplace(tree.size, tree.root);
  if (is_new || known->second == tree.root) return;
  outcome->Add(CheckOutcome::Of(
      {Fork(HexOf(known->second), HexOf(tree.root),
            absl::StrCat("the ledger signed two heads of size ", tree.size))}));
}

void ServedHeads::CheckPlace(const v1::LedgerHead& head,
                             CheckOutcome* outcome) {
  if (!head.has_item()) {
    outcome->Add(CheckOutcome::Skipped(absl::StrCat(
        "the head of ", head.tree_size(),
        " entries comes without its place on the chain: whether it is there "
        "cannot be told")));
    return;
  }
  outcome->Add(CheckHeadPlace(ServedItemOf(head.item()),
                              ServedPlaceOf(head.item()), head.note(),
                              *ledger_.key, *ledger_.chain));
}

void ServedHeads::CheckAgainstSeen(const TreeHead& tree,
                                   CheckOutcome* outcome) {
  const std::optional<TreeHead> seen = book_.ToCompareWith(tree);
  if (!seen.has_value()) return;
  const auto fork = [&](absl::string_view how) {
    outcome->Add(CheckOutcome::Of(
        {Fork(absl::StrCat(seen->size, " ", HexOf(seen->root)),
              absl::StrCat(tree.size, " ", HexOf(tree.root)),
              absl::StrCat("the ledger's key signed two heads, of ", seen->size,
                           " and of ", tree.size,
                           " entries, that are not of one log: ", how))}));
  };
  if (seen->size == tree.size) return fork("they have two roots");
  const TreeHead& first = seen->size < tree.size ? *seen : tree;
  const TreeHead& second = seen->size < tree.size ? tree : *seen;
  v1::GetConsistencyProofRequest request;
  request.set_first_size(static_cast<int64_t>(first.size));
  request.set_second_size(static_cast<int64_t>(second.size));
  v1::GetConsistencyProofResponse response;
  const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
  const grpc::Status status =
      peers_.anchor.GetConsistencyProof(context.get(), request, &response);
  if (!status.ok()) {
    outcome->Add(CheckOutcome::Skipped(absl::StrCat(
        "whether the heads of ", first.size, " and of ", second.size,
        " entries are of one log cannot be told: anchor: ",
        FromGrpcStatus(status).message())));
    return;
  }
  ConsistencyProof proof{first.size, second.size, {}};
  for (const std::string& node : response.nodes()) {
    const absl::StatusOr<Digest> digest = DigestFromBytes(node);
    proof.nodes.push_back(digest.ok() ? *digest : kZeroDigest);
  }
  const absl::Status consistent =
      CheckConsistency(proof, first.root, second.root);
  if (!consistent.ok()) return fork(consistent.message());
  book_.NoteConsistent(tree);
}

void ServedHeads::CheckConflicts(const Heads& conflicts,
                                 CheckOutcome* outcome) {
  for (const v1::LedgerHead& head : conflicts) {
    // Anybody can show a head; one that the key signed speaks for itself.
    const CheckedHead checked =
        book_.Check({head.note(), head.tree_size(), head.root()});
    if (!checked.head.has_value()) continue;
    Finding finding = Fork(
        "heads of one log",
        absl::StrCat(checked.head->size, " ", HexOf(checked.head->root)),
        absl::StrCat("the chain has a head of ", checked.head->size,
                     " entries that the ledger's key signed and that is not of "
                     "the log that the anchor shows: item ",
                     Shown(head.item().txid()), ":", head.item().vout()));
    outcome->Add(CheckOutcome::Of({std::move(finding)}));
  }
}

}  // namespace windproof
