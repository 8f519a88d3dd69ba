// Names the records by which a window differs, once a check of it has failed.
//
// Neither side is believed: what the record log gives is compared with what
// window-hash serves, and each names the other's record only as far as it leads
// to the anchored hashes. Safe from any thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_CULPRIT_NAMES_H_
#define WINDPROOF_SERVICES_VERIFIER_CULPRIT_NAMES_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/proto/convert.h"
#include "common/record_log/record_log.h"
#include "proto/windproof/v1/window_hash.pb.h"
#include "services/verifier/finding.h"
#include "services/verifier/peers.h"
#include "services/verifier/replay_compare.h"

namespace windproof {

// Where records can be looked up. All must outlive it.
struct NamingSources {
  const Peers& peers;
  RecordLog* log = nullptr;  // may be null
  const std::function<bool()>& cancelled;
};

// COMPLETENESS of records that are not the anchored ones, which window-hash
// serves of `name`. `spec` may be null; `origin` is where the key's first scan
// began.
CheckOutcome NameServedRecords(const NamingSources& sources,
                               const WindowName& name,
                               const Checkpoint& checkpoint,
                               const PipelineSpec* spec, int64_t origin,
                               const v1::Window& served);

// The records of the log that make its window, `given`, another than the
// anchored one. `served` is window-hash's revision of it; may be null. Empty
// where nothing proves which.
std::vector<Finding> NameLogRecords(const Peers& peers, const WindowName& name,
                                    const Checkpoint& checkpoint,
                                    const Replayed& given,
                                    const v1::Window* served);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_CULPRIT_NAMES_H_
