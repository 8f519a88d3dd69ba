// CHAIN, and the part of ACCOUNTING that needs nothing but checkpoints: does a
// checkpoint fit its neighbours in its key's chain?
//
// Source: docs/formats/ ("Checkpoint": "A chain is sound when ..."). Pure;
// thread-compatible.
#ifndef WINDPROOF_SERVICES_VERIFIER_CHAIN_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_CHAIN_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "services/verifier/finding.h"

namespace windproof {

// One checkpoint of a chain, as anchored.
struct ChainLink {
  Checkpoint checkpoint;  // aggregates may be left out
  Digest hash{};          // SHA-256 of its bytes
  int64_t position = 0;   // on the ledger
};

// An item of the key that cannot be a link: its bytes cannot be believed or
// read. What would link to it is SKIPPED, not passed.
struct UnusableItem {
  int64_t position = 0;
  std::string why;
};

// Where a partition's origin was learnt from.
struct KnownOrigin {
  int64_t offset = 0;
  std::string who;  // "key 00427", "window-hash"
};

// The checkpoints of one key, as anchored.
class KeyChain {
 public:
  // `links`: of one pipeline and key, in any order; of one window and revision
  // the one that counts. `unusable`: in any order.
  KeyChain(std::vector<ChainLink> links, std::vector<UnusableItem> unusable);

  // In order of seq.
  size_t size() const { return links_.size(); }
  const ChainLink& link(size_t index) const { return links_[index]; }
  const std::vector<UnusableItem>& unusable() const { return unusable_; }

  // Starts of windows with a checkpoint, in order; and a window's checkpoints
  // (indexes) in order of revision, nullptr where it has none.
  const std::map<int64_t, std::vector<size_t>>& windows() const {
    return windows_;
  }
  const std::vector<size_t>* Window(int64_t start_ms) const;

  // The checkpoint before by seq, where it is there and alone.
  std::optional<size_t> Before(size_t index) const;

  // CHAIN of one checkpoint. `spec` is that of the checkpoint, or null where it
  // is not known: the closing time is not checked then.
  CheckOutcome CheckLink(size_t index, const PipelineSpec* spec) const;

  // ACCOUNTING without the dropped records: counts, and ranges that touch.
  // `origins` says where the partition begins; only seq 0 needs it.
  CheckOutcome CheckScan(size_t index,
                         absl::Span<const KnownOrigin> origins) const;

  // The run of checkpoints that proves that no record of the window was
  // accepted: indexes [first, last] from the closing before it (or the chain's
  // first checkpoint) to the first closing after it. Nothing where the chain
  // does not show that: the window has a checkpoint, or no closing follows.
  struct Run {
    size_t first = 0;
    size_t last = 0;
  };
  std::optional<Run> EmptyEvidence(int64_t start_ms) const;

 private:
  // Why there is no checkpoint `seq` to look at next to `index`: nothing where
  // it is plainly missing.
  std::optional<std::string> WhyUnusable(int64_t seq) const;

  void CheckBefore(size_t index, std::vector<Finding>* findings,
                   std::vector<std::string>* skipped) const;
  void CheckAfter(size_t index, std::vector<Finding>* findings,
                  std::vector<std::string>* skipped) const;
  void CheckRevision(size_t index, std::vector<Finding>* findings,
                     std::vector<std::string>* skipped) const;
  void CheckClosings(size_t index, std::vector<Finding>* findings) const;

  std::vector<ChainLink> links_;
  std::vector<UnusableItem> unusable_;
  std::map<int64_t, std::vector<size_t>> windows_;
  // Closings in order of seq, and the highest start among each and those before
  // it: they rise in a sound chain, but nothing is sound before it is checked.
  std::vector<size_t> closings_;
  std::vector<int64_t> highest_start_;
  std::vector<std::optional<size_t>> closing_before_;  // by index
  std::vector<std::optional<size_t>> closing_after_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_CHAIN_CHECK_H_
