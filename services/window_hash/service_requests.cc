#include "services/window_hash/service_requests.h"

#include <simdjson.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/proto/convert.h"

namespace windproof {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

absl::Status BadPageToken(absl::string_view token) {
  return absl::InvalidArgumentError(absl::StrCat(
      "page_token is '", absl::CHexEscape(token.substr(0, 64)),
      "'; next_page_token of a response to the same request is accepted"));
}

// Milliseconds, rounded up: what starts in whole milliseconds at or after
// `time` starts at or after this.
absl::StatusOr<int64_t> CeilMillis(const google::protobuf::Timestamp& time,
                                   absl::string_view field) {
  const absl::StatusOr<Timestamp> parsed = FromProto(time, field);
  if (!parsed.ok()) return parsed.status();
  const int64_t floor = FloorMillis(*parsed);
  return TimestampFromMillis(floor) == *parsed ? floor : floor + 1;
}

// proto3 strings are UTF-8; what Kafka allows in a header name need not be.
std::string Utf8Name(absl::string_view name) {
  if (simdjson::validate_utf8(name.data(), name.size())) {
    return std::string(name);
  }
  return absl::CHexEscape(name);
}

}  // namespace

absl::StatusOr<int> PageSize(int32_t page_size) {
  if (page_size == 0) return kDefaultPageSize;
  if (page_size < 0 || page_size > kMaxPageSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "page_size is ", page_size, "; 0 to ", kMaxPageSize, " are accepted"));
  }
  return page_size;
}

std::string PageToken(absl::string_view store_key) {
  return absl::WebSafeBase64Escape(store_key);
}

absl::StatusOr<std::string> WindowPageStart(const WindowRange& range,
                                            absl::string_view token) {
  if (token.empty()) return std::string();
  std::string store_key;
  if (!absl::WebSafeBase64Unescape(token, &store_key)) {
    return BadPageToken(token);
  }
  const std::optional<WindowKey> window = DecodeWindowKey(store_key);
  if (!window.has_value() || window->pipeline != range.pipeline ||
      (!range.key.empty() && window->key != range.key)) {
    return BadPageToken(token);
  }
  return store_key;
}

absl::StatusOr<std::optional<KeyedNumber>> DropPageStart(
    absl::string_view pipeline, absl::string_view key,
    absl::string_view token) {
  if (token.empty()) return std::nullopt;
  std::string store_key;
  if (!absl::WebSafeBase64Unescape(token, &store_key)) {
    return BadPageToken(token);
  }
  std::optional<KeyedNumber> place = DecodeKeyedNumber(store_key);
  if (!place.has_value() || place->source.pipeline != pipeline ||
      place->key != key) {
    return BadPageToken(token);
  }
  return place;
}

absl::Status CheckKeyField(absl::string_view key, bool required) {
  if (key.empty() && !required) return absl::OkStatus();
  if (IsUsableKey(key)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "key is '", absl::CHexEscape(key.substr(0, 160)),
      "'; 1 to 128 bytes of UTF-8 without control characters are accepted"));
}

absl::StatusOr<WindowRange> RangeOf(const v1::ListWindowsRequest& request) {
  WindowRange range;
  range.pipeline = request.pipeline();
  range.key = request.key();
  const absl::Status key = CheckKeyField(range.key, /*required=*/false);
  if (!key.ok()) return key;
  if (request.has_start_time()) {
    const absl::StatusOr<int64_t> from =
        CeilMillis(request.start_time(), "start_time");
    if (!from.ok()) return from.status();
    range.start_from = *from;
  }
  if (request.has_end_time()) {
    const absl::StatusOr<int64_t> to =
        CeilMillis(request.end_time(), "end_time");
    if (!to.ok()) return to.status();
    range.start_to = *to;
  }
  return range;
}

v1::Window DescribeWindow(const WindowKey& window, const PipelineSpec& spec) {
  v1::Window result;
  *result.mutable_id() =
      MakeWindowId(window.pipeline, window.key, window.start_ms);
  *result.mutable_end() = ToProtoMillis(window.start_ms + spec.window_ms);
  result.set_revision(window.revision);
  return result;
}

void MoveCheckpoint(store::v1::StoredCheckpoint stored, v1::Window* window) {
  *window->mutable_checkpoint() = std::move(*stored.mutable_checkpoint());
  if (stored.has_receipt()) {
    *window->mutable_receipt() = std::move(*stored.mutable_receipt());
  } else {
    window->mutable_receipt()->set_state(v1::Receipt::PENDING);
  }
}

absl::StatusOr<v1::DroppedRecord> DescribeDrop(
    int64_t offset, const store::v1::StoredDrop& drop) {
  const absl::StatusOr<LogRecord> raw = ParseRawRecord(offset, drop.raw());
  if (!raw.ok()) {
    return absl::DataLossError(absl::StrCat("stored dropped record at offset ",
                                            offset, ": ",
                                            raw.status().message()));
  }
  v1::DroppedRecord result;
  v1::LogRecord* record = result.mutable_record();
  record->set_offset(offset);
  record->set_log_time_ms(raw->log_time_ms);
  if (raw->key.has_value()) record->set_key(std::string(*raw->key));
  if (raw->value.has_value()) record->set_value(std::string(*raw->value));
  for (const LogRecord::Header& header : raw->headers) {
    v1::Header* entry = record->add_headers();
    entry->set_name(Utf8Name(header.name));
    if (header.value.has_value()) entry->set_value(std::string(*header.value));
  }
  result.set_reason(v1::DroppedRecord::Reason_IsValid(drop.reason())
                        ? static_cast<v1::DroppedRecord::Reason>(drop.reason())
                        : v1::DroppedRecord::REASON_UNSPECIFIED);
  result.set_record_sha256(drop.record_sha256());
  result.set_waiting(drop.waiting());
  return result;
}

}  // namespace windproof
