// Recomputes a pipeline from the record log and compares every checkpoint that
// is on the ledger, byte by byte. Needs the log and the ledger alone.
//
// Whole partitions are read once, from their origin, all keys together. Where
// one key or a time range is asked for, or the log no longer holds the origin,
// each key is replayed from the checkpoint before what is asked for.
// Belongs to one thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_AUDIT_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_AUDIT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/crypto/signed_note.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "services/verifier/key_ledger.h"
#include "services/verifier/ledger_trust.h"
#include "services/verifier/peers.h"
#include "services/verifier/window_reader.h"
#include "services/verifier/window_report.h"

namespace windproof {

class ReplayAudit {
 public:
  struct Options {
    PipelineSpec spec;  // valid
    LedgerTrust ledger;
    RecordLog* log = nullptr;
    MonotonicClock now;
  };
  struct Query {
    std::string key;  // empty: all
    StartRange starts;
  };
  // Is told what is found. False ends the audit.
  struct Listener {
    // One checkpoint: rows ANCHOR (the ledger's item) and REPLAY.
    std::function<bool(const WindowReport& report)> on_checkpoint;
    std::function<bool(int64_t done, int64_t checkpoints)> on_progress;
    // What is worth to know and no fault: how far the ledger goes.
    std::function<void(const std::string& note)> on_note;
  };

  // `peers`: only the anchor is asked. All must outlive the audit.
  ReplayAudit(Options options, const Peers& peers, Listener listener);

  // Checkpoints come in the order of the log, partition by partition. Memory
  // is that of the ledger's checkpoints, not of the records.
  // Errors: what the anchor answered; Cancelled where the listener ended it.
  absl::Status Run(const Query& query);

 private:
  class Partition;
  struct Key {
    std::string name;
    KeyLedger ledger;
  };

  absl::Status ReadLedger(const Query& query);
  absl::Status ReplayPartition(const TopicPartition& source,
                               std::vector<Key*> keys);
  absl::Status ReplayKey(Key& key, const Query& query);
  absl::Status ReportUnusable(const Key& key, const Query& query);
  absl::Status Report(const Key& key, size_t link, CheckOutcome outcome,
                      std::chrono::nanoseconds duration);
  bool Ended() const { return ended_; }

  const Options options_;
  const Digest spec_hash_;
  const Peers& peers_;
  const Listener listener_;
  std::map<std::string, Key> keys_;
  StartRange starts_;
  int64_t checkpoints_ = 0;
  int64_t done_ = 0;
  bool ended_ = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_AUDIT_H_
