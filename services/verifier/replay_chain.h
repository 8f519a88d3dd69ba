// REPLAY of the checkpoints of one key, as the ledger has them: each writing
// moment is computed anew from the record log, from the checkpoint before it.
//
// Where the log gives what is anchored, the replay of the next moment just goes
// on; after a difference it begins again from the ledger, so that each
// difference is named where it is and has no followers. Nothing is asked of
// window-hash. Belongs to one thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_CHAIN_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_CHAIN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"
#include "common/record_log/record_log.h"
#include "services/verifier/chain_check.h"
#include "services/verifier/finding.h"
#include "services/verifier/replay_compare.h"
#include "services/verifier/replay_key.h"
#include "services/verifier/replay_log.h"
#include "services/verifier/replay_moment.h"
#include "services/verifier/replay_windows.h"

namespace windproof {

// What a read of the log that failed comes to: SKIPPED, with "expired" where
// the log no longer holds the records; FAIL where it cannot have lost them by
// itself (LOG_TRUNCATED, LOG_DAMAGED).
CheckOutcome OutcomeOfRead(const absl::Status& read, const ReplayLog& log);

class ChainReplay {
 public:
  // All must outlive this. `spec_of` gives the rules by their hash, or null.
  ChainReplay(RecordLog& log, const KeyChain& chain,
              std::function<const PipelineSpec*(const Digest&)> spec_of,
              std::function<bool()> cancelled);

  // REPLAY of one link. Computed when it is asked for, with its whole moment.
  const CheckOutcome& Outcome(size_t link);

  // What the log gave for a link whose outcome is FAIL; nullptr where it gave
  // nothing.
  const Replayed* Given(size_t link) const;

 private:
  void SkipMoment(const Moment& moment, const std::string& reason);
  void Run(const Moment& moment);
  // Sets the replay to what stands before the moment. Not OK: why it cannot.
  absl::Status Restart(const Moment& moment, const PipelineSpec& spec);
  void Take(EngineOutput* output);
  void Compare(const Moment& moment);
  // The outcome of a link that differs: what the log gave for it, if anything.
  CheckOutcome Differs(const ChainLink& link, const Replayed* given);

  RecordLog& log_;
  const KeyChain& chain_;
  const std::function<const PipelineSpec*(const Digest&)> spec_of_;
  const std::function<bool()> cancelled_;

  std::vector<std::optional<CheckOutcome>> outcomes_;  // by link
  std::map<size_t, Replayed> differing_;               // by link

  // The replay that runs.
  const PipelineSpec* spec_ = nullptr;
  std::unique_ptr<ReplayLog> reader_;
  std::unique_ptr<ReplayLog> old_reader_;  // of windows written before
  std::unique_ptr<ChainWindows> windows_;
  std::unique_ptr<KeyReplay> replay_;
  std::optional<size_t> goes_on_at_;  // the link that would come next

  // Of the moment that runs.
  std::vector<PendingDrop> drops_;
  std::vector<Replayed> given_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_CHAIN_H_
