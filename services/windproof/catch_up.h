// Waiting until what was ingested has become windows, anchored ones.
#ifndef WINDPROOF_SERVICES_WINDPROOF_CATCH_UP_H_
#define WINDPROOF_SERVICES_WINDPROOF_CATCH_UP_H_

#include <chrono>

#include "absl/status/status.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/windproof/record_sender.h"

namespace windproof {

// Waits until every pipeline that reads the partitions of `ends` has read them
// up to there, and no checkpoint waits for its receipt. Windows that are still
// open then need later records.
//
// DeadlineExceeded after `patience`; Internal where a partition has stopped or
// checkpoints do not reach the anchor, with the reason; any error of the call.
absl::Status WaitUntilAnchored(
    v1::WindowHashService::StubInterface& window_hash, const LogEnds& ends,
    std::chrono::steady_clock::duration patience);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_CATCH_UP_H_
