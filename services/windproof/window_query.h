// Which windows a command is about: pipeline, key and time range, as flags.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_WINDOW_QUERY_H_
#define WINDPROOF_SERVICES_WINDPROOF_WINDOW_QUERY_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/canonical/timestamp.h"
#include "common/server/command_line.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

struct WindowQuery {
  std::string pipeline;  // empty: the only one that the server runs
  std::string key;       // empty: all
  std::string from;      // windows with start in [from, to); empty: unbounded
  std::string to;

  // --pipeline, --key, --from, --to.
  void AddFlags(Command& command);

  // Fills the request's pipeline, key, start_time and end_time. InvalidArgument
  // names the flag. `Request` is ListWindowsRequest or VerifyRangeRequest.
  template <typename Request>
  absl::Status Fill(Request* request) const;
};

// The pipeline that a query without one means: the only one of the server.
// InvalidArgument lists those to choose from; any error of the call.
absl::StatusOr<std::string> OnlyPipeline(
    v1::WindowHashService::StubInterface& window_hash);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_WINDOW_QUERY_H_
