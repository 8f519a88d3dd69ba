// Between the messages of windproof.v1 and the types of the pure core, for what
// several services name: instants and windows.
//
// Pure; safe from any thread. Errors are InvalidArgument and name the field,
// the value found and what is accepted.
#ifndef WINDPROOF_COMMON_PROTO_CONVERT_H_
#define WINDPROOF_COMMON_PROTO_CONVERT_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "proto/windproof/v1/window.pb.h"

namespace windproof {

google::protobuf::Timestamp ToProto(const Timestamp& time);

// `millis` since the epoch, in the years 0000 to 10000 (a window may end
// there).
google::protobuf::Timestamp ToProtoMillis(int64_t millis);

// Refuses what lies outside the years 0000 to 9999, and nanos outside
// [0, 1e9). `field` is the name to show.
absl::StatusOr<Timestamp> FromProto(const google::protobuf::Timestamp& time,
                                    absl::string_view field);

// As FromProto, for what must be a whole number of milliseconds: window starts
// and their bounds.
absl::StatusOr<int64_t> MillisFromProto(const google::protobuf::Timestamp& time,
                                        absl::string_view field);

// A window by name. `start_ms` is milliseconds since the epoch.
struct WindowName {
  std::string pipeline;
  std::string key;
  int64_t start_ms = 0;

  friend auto operator<=>(const WindowName&, const WindowName&) = default;
};

v1::WindowId MakeWindowId(absl::string_view pipeline, absl::string_view key,
                          int64_t start_ms);
v1::WindowId ToProto(const WindowName& name);

// Needs all three parts: a pipeline name, a usable key (1 to 128 bytes without
// control characters) and a start in whole milliseconds. Whether the start is a
// window's of the pipeline is for who knows the spec. `field` is shown in
// front: "window.key".
absl::StatusOr<WindowName> FromProto(const v1::WindowId& id,
                                     absl::string_view field = "window");

// PIPELINE/KEY/START as people write it: weather/00433/2026-01-25T12:00:00Z.
// The key may itself hold slashes: neither of the others does.
std::string WindowText(const WindowName& name);
absl::StatusOr<WindowName> ParseWindowText(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PROTO_CONVERT_H_
