// Between absl::Status and grpc::Status. The codes are the same numbers; a
// message goes over as it is, cut where an HTTP/2 header would be too long.
//
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_SERVER_GRPC_STATUS_H_
#define WINDPROOF_COMMON_SERVER_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace windproof {

// Messages beyond this many bytes are cut, at a character of UTF-8: gRPC sends
// them in a header, and peers drop a call whose headers exceed 8 KiB.
inline constexpr size_t kMaxStatusMessageBytes = 4096;

// What is no code of gRPC becomes UNKNOWN; bytes that are no UTF-8 are shown
// as '*'.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Payloads (error_details) are dropped; an unknown code becomes kUnknown.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_GRPC_STATUS_H_
