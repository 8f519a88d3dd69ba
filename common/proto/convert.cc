#include "common/proto/convert.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace windproof {
namespace {

constexpr size_t kMaxKeyBytes = 128;
constexpr size_t kMaxPipelineBytes = 32;
constexpr int64_t kMillisPerSecond = 1000;
constexpr int32_t kNanosPerMilli = 1'000'000;

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsPipelineName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxPipelineBytes) return false;
  if (!IsLowerOrDigit(name[0])) return false;
  for (const char c : name) {
    if (!IsLowerOrDigit(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

bool HasControlCharacter(absl::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

absl::Status CheckPipeline(absl::string_view pipeline, absl::string_view what) {
  if (IsPipelineName(pipeline)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, " is \"", absl::Utf8SafeCHexEscape(pipeline.substr(0, 64)),
      "\"; 1 to 32 of a-z 0-9 . _ - are accepted, first a letter or digit"));
}

absl::Status CheckKey(absl::string_view key, absl::string_view what) {
  if (key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is empty; 1 to 128 bytes are accepted"));
  }
  if (key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " has ", key.size(), " bytes; 1 to 128 are accepted"));
  }
  if (HasControlCharacter(key)) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is \"", absl::Utf8SafeCHexEscape(key),
                     "\"; no control characters are accepted"));
  }
  return absl::OkStatus();
}

}  // namespace

google::protobuf::Timestamp ToProto(const Timestamp& time) {
  google::protobuf::Timestamp out;
  out.set_seconds(time.seconds);
  out.set_nanos(time.nanos);
  return out;
}

google::protobuf::Timestamp ToProtoMillis(int64_t millis) {
  return ToProto(TimestampFromMillis(millis));
}

absl::StatusOr<Timestamp> FromProto(const google::protobuf::Timestamp& time,
                                    absl::string_view field) {
  if (time.seconds() < kYear0Seconds || time.seconds() >= kYear10000Seconds) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, " has ", time.seconds(),
                     " seconds since 1970; the years 0000 to 9999 are "
                     "accepted, ",
                     kYear0Seconds, " to ", kYear10000Seconds - 1));
  }
  if (time.nanos() < 0 || time.nanos() > 999'999'999) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, " has ", time.nanos(), " nanos; 0 to 999999999 are accepted"));
  }
  return Timestamp{.seconds = time.seconds(), .nanos = time.nanos()};
}

absl::StatusOr<int64_t> MillisFromProto(const google::protobuf::Timestamp& time,
                                        absl::string_view field) {
  const absl::StatusOr<Timestamp> checked = FromProto(time, field);
  if (!checked.ok()) return checked.status();
  if (checked->nanos % kNanosPerMilli != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, " is ", FormatTimestamp(*checked),
                     "; whole milliseconds are accepted"));
  }
  return checked->seconds * kMillisPerSecond + checked->nanos / kNanosPerMilli;
}

v1::WindowId MakeWindowId(absl::string_view pipeline, absl::string_view key,
                          int64_t start_ms) {
  v1::WindowId id;
  id.set_pipeline(std::string(pipeline));
  id.set_key(std::string(key));
  *id.mutable_start() = ToProtoMillis(start_ms);
  return id;
}

v1::WindowId ToProto(const WindowName& name) {
  return MakeWindowId(name.pipeline, name.key, name.start_ms);
}

absl::StatusOr<WindowName> FromProto(const v1::WindowId& id,
                                     absl::string_view field) {
  absl::Status checked =
      CheckPipeline(id.pipeline(), absl::StrCat(field, ".pipeline"));
  if (!checked.ok()) return checked;
  checked = CheckKey(id.key(), absl::StrCat(field, ".key"));
  if (!checked.ok()) return checked;
  const std::string start_field = absl::StrCat(field, ".start");
  if (!id.has_start()) {
    return absl::InvalidArgumentError(
        absl::StrCat(start_field,
                     " is missing; a time such as 2026-01-25T12:00:00Z is "
                     "accepted"));
  }
  const absl::StatusOr<int64_t> start_ms =
      MillisFromProto(id.start(), start_field);
  if (!start_ms.ok()) return start_ms.status();
  return WindowName{id.pipeline(), id.key(), *start_ms};
}

std::string WindowText(const WindowName& name) {
  return absl::StrCat(name.pipeline, "/", name.key, "/",
                      FormatTimestamp(TimestampFromMillis(name.start_ms)));
}

absl::StatusOr<WindowName> ParseWindowText(absl::string_view text) {
  const size_t first = text.find('/');
  const size_t last = text.rfind('/');
  if (first == absl::string_view::npos || first == last) {
    return absl::InvalidArgumentError(
        absl::StrCat("window \"", absl::Utf8SafeCHexEscape(text),
                     "\" is not PIPELINE/KEY/START, as in "
                     "weather/00433/2026-01-25T12:00:00Z"));
  }
  const absl::string_view pipeline = text.substr(0, first);
  const absl::string_view key = text.substr(first + 1, last - first - 1);
  absl::Status checked = CheckPipeline(pipeline, "the window's pipeline");
  if (!checked.ok()) return checked;
  checked = CheckKey(key, "the window's key");
  if (!checked.ok()) return checked;
  const absl::StatusOr<Timestamp> start =
      TimestampFromText(text.substr(last + 1));
  if (!start.ok()) return start.status();
  const absl::StatusOr<int64_t> start_ms =
      MillisFromProto(ToProto(*start), "the window's start");
  if (!start_ms.ok()) return start_ms.status();
  return WindowName{std::string(pipeline), std::string(key), *start_ms};
}

}  // namespace windproof
