// Submits the checkpoints that window-hash has to an anchor again: to one whose
// ledger was lost, or is a new one.
//
// Stateless; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDPROOF_RESUBMIT_H_
#define WINDPROOF_SERVICES_WINDPROOF_RESUBMIT_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

struct Resubmitted {
  int64_t keys = 0;
  int64_t checkpoints = 0;
  int64_t anchored = 0;    // of them, those that the ledger has confirmed
  int64_t unreadable = 0;  // windows whose checkpoint cannot be read
};

// Every closed window of the pipeline, key by key in order of seq, each with
// its producer's signature. Idempotent, as SubmitCheckpoints is. `result` holds
// what was done also where an error ends it; `culprit` says then which service
// it is of: `window-hash` or `anchor`.
grpc::Status ResubmitPipeline(const std::string& pipeline,
                              v1::WindowHashService::StubInterface& window_hash,
                              v1::AnchorService::StubInterface& anchor,
                              Resubmitted* result, std::string* culprit);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_RESUBMIT_H_
