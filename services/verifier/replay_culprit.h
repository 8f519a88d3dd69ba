// Names the record of the log that makes a replay differ, from ledger and log
// alone, as far as the hashes on the ledger prove it.
//
// Belongs to one thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_CULPRIT_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_CULPRIT_H_

#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "services/verifier/finding.h"
#include "services/verifier/replay_compare.h"
#include "services/verifier/replay_log.h"

namespace windproof {

// The outcome for a checkpoint that the log does not give: FAIL with
// REPLAY_DIFFERS or REPLAY_MISSING (`given` null) first, then the records that
// can be named. SKIPPED ("expired") where the log lacks records that it may
// lose by itself.
CheckOutcome ExplainDifference(ReplayLog& log, const PipelineSpec& spec,
                               const Checkpoint& anchored,
                               const Replayed* given);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_CULPRIT_H_
