// The live source's flags, the same for every server that can run it.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_FLAGS_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/server/command_line.h"
#include "services/ingest/live/dwd_live_options.h"

namespace windproof {

struct DwdLiveFlags {
  std::vector<std::string> stations;
  std::string base_url;
  std::string product = "auto";
  std::string silent_after;
  std::string poll_every = "5m";
  std::string backoff_max = "15m";
  std::string connect_timeout = "10s";
  std::string timeout = "1m";
  int64_t body_bytes_max = 64 << 20;
  std::string ca_path;

  // Adds --dwd-live, --dwd-base-url, ... to a command.
  void AddTo(Command& command);

  // What they say; nothing without --dwd-live. `store_path` is not theirs.
  // InvalidArgument names the flag, its value and what is accepted.
  absl::StatusOr<std::optional<DwdLiveOptions>> Options() const;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_FLAGS_H_
