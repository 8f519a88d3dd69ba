// Which windows a command is about: pipeline, key and time range, as flags.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_WINDOW_QUERY_H_
#define WINDPROOF_SERVICES_WINDPROOF_WINDOW_QUERY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/canonical/timestamp.h"
#include "common/server/command_line.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

struct WindowQuery {
  std::string pipeline;  // empty: all
  std::string key;       // empty: all
  std::string from;      // windows with start in [from, to); empty: unbounded
  std::string to;

  // --pipeline, --key, --from, --to.
  void AddFlags(Command& command);

  // What restricts it, for messages: " of pipeline weather, of key 00433";
  // empty where nothing does.
  std::string Text() const;

  // Fills the request's pipeline, key, start_time and end_time. InvalidArgument
  // names the flag. `Request` is ListWindowsRequest or VerifyRangeRequest.
  template <typename Request>
  absl::Status Fill(Request* request) const;
};

// The names of the pipelines that a query means, in order: the one that it
// names, else all that window-hash has. Any error of the call.
absl::StatusOr<std::vector<std::string>> PipelinesOf(
    const WindowQuery& query,
    v1::WindowHashService::StubInterface& window_hash);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_WINDOW_QUERY_H_
