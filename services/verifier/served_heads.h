// The heads that come with an anchor's replies, each checked once a request:
// its signature; in batched mode its place on the chain; and that it is
// consistent with every head that this process has seen.
#ifndef WINDPROOF_SERVICES_VERIFIER_SERVED_HEADS_H_
#define WINDPROOF_SERVICES_VERIFIER_SERVED_HEADS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree_head.h"
#include "google/protobuf/repeated_field.h"
#include "proto/windproof/v1/checkpoint.pb.h"
#include "services/verifier/anchor_check.h"
#include "services/verifier/head_book.h"
#include "services/verifier/ledger_trust.h"
#include "services/verifier/peers.h"

namespace windproof {

// Belongs to one thread and one request.
class ServedHeads {
 public:
  // All must outlive it.
  ServedHeads(const Peers& peers, HeadBook& book, const LedgerTrust& ledger)
      : peers_(peers), book_(book), ledger_(ledger) {}

  // That of a reply with items; valid as long as this.
  template <typename Reply>
  const CheckedHead& Of(const Reply& reply) {
    return Check(reply.has_head(), reply.head(), reply.conflicts());
  }

  // How many a head must have to be believed: for requests.
  int64_t confirmations() const {
    return ledger_.chain.has_value() ? ledger_.chain->confirmations : 0;
  }

 private:
  using Heads = google::protobuf::RepeatedPtrField<v1::LedgerHead>;

  const CheckedHead& Check(bool is_there, const v1::LedgerHead& head,
                           const Heads& conflicts);
  // Each adds to what the head came to.
  void CheckRoot(const TreeHead& tree, CheckOutcome* outcome);
  void CheckPlace(const v1::LedgerHead& head, CheckOutcome* outcome);
  void CheckAgainstSeen(const TreeHead& tree, CheckOutcome* outcome);
  void CheckConflicts(const Heads& conflicts, CheckOutcome* outcome);

  const Peers& peers_;
  HeadBook& book_;
  const LedgerTrust& ledger_;
  // By all that was served: pages mostly share one.
  absl::flat_hash_map<std::string, std::unique_ptr<CheckedHead>> heads_;
  std::map<uint64_t, Digest> roots_;  // of heads by size
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_SERVED_HEADS_H_
