#include "services/window_hash/state_codec.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

// Sizes beyond an int are no messages; protobuf would crash on the cast.
template <typename Message>
absl::Status Parse(absl::string_view bytes, absl::string_view what,
                   Message* message) {
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(absl::StrCat(
        "stored ", what, " of ", bytes.size(), " bytes is no such message"));
  }
  return absl::OkStatus();
}

absl::Status ReadDigest(absl::string_view bytes, absl::string_view field,
                        Digest* digest) {
  const absl::StatusOr<Digest> read = DigestFromBytes(bytes);
  if (!read.ok()) {
    return absl::DataLossError(absl::StrCat(
        "stored ", field, " has ", bytes.size(), " bytes; 32 are accepted"));
  }
  *digest = *read;
  return absl::OkStatus();
}

std::string ToString(absl::string_view view) { return std::string(view); }

}  // namespace

std::string EncodePartitionState(const PartitionState& state,
                                 int32_t topic_partitions) {
  store::v1::StoredPartition stored;
  stored.set_origin(state.origin);
  stored.set_seen(state.seen);
  stored.set_position(state.position);
  stored.set_low_water(state.low_water);
  stored.set_last_offset(state.last_offset);
  stored.set_last_record_sha256(ToString(BytesOf(state.last_record_hash)));
  stored.set_topic_partitions(topic_partitions);
  return stored.SerializeAsString();
}

absl::StatusOr<int32_t> DecodeTopicPartitions(absl::string_view bytes) {
  store::v1::StoredPartition stored;
  const absl::Status status = Parse(bytes, "partition state", &stored);
  if (!status.ok()) return status;
  return std::max(stored.topic_partitions(), 1);
}

absl::StatusOr<PartitionState> DecodePartitionState(absl::string_view bytes) {
  store::v1::StoredPartition stored;
  absl::Status status = Parse(bytes, "partition state", &stored);
  if (!status.ok()) return status;
  PartitionState state;
  state.origin = stored.origin();
  state.seen = stored.seen();
  state.position = stored.position();
  state.low_water = stored.low_water();
  state.last_offset = stored.last_offset();
  status = ReadDigest(stored.last_record_sha256(),
                      "partition state: last_record_sha256",
                      &state.last_record_hash);
  if (!status.ok()) return status;
  if (state.origin < 0 || state.low_water < state.origin ||
      state.position < state.low_water || state.seen < 0 ||
      state.last_offset < -1 || state.last_offset >= state.position) {
    return absl::DataLossError(absl::StrCat(
        "stored partition state: origin ", state.origin, ", low_water ",
        state.low_water, ", position ", state.position, ", last_offset ",
        state.last_offset, ", seen ", state.seen,
        "; 0 <= origin <= low_water <= position and last_offset < position "
        "are accepted"));
  }
  return state;
}

std::string EncodeKeyState(const KeyState& state) {
  store::v1::StoredKey stored;
  if (state.watermark.has_value()) {
    stored.set_watermark_seconds(state.watermark->seconds);
    stored.set_watermark_nanos(state.watermark->nanos);
  }
  stored.set_seq(state.seq);
  stored.set_prev(ToString(BytesOf(state.prev)));
  stored.set_begin(state.begin);
  stored.set_seen_at_begin(state.seen_at_begin);
  stored.set_accepted(state.counts.accepted);
  stored.set_conflict(state.counts.conflict);
  stored.set_control(state.counts.control);
  stored.set_duplicate(state.counts.duplicate);
  stored.set_invalid(state.counts.invalid);
  stored.set_late(state.counts.late);
  stored.set_records_in_open(state.records_in_open);
  for (const KeyState::Waiting& waiting : state.waiting) {
    store::v1::StoredKey::Waiting* entry = stored.add_waiting();
    entry->set_offset(waiting.offset);
    entry->set_canonical(waiting.canonical);
    entry->set_record_sha256(ToString(BytesOf(waiting.record_hash)));
  }
  return stored.SerializeAsString();
}

absl::StatusOr<KeyState> DecodeKeyState(absl::string_view key,
                                        absl::string_view bytes) {
  store::v1::StoredKey stored;
  absl::Status status = Parse(bytes, "key state", &stored);
  if (!status.ok()) return status;
  KeyState state;
  state.key = ToString(key);
  if (stored.has_watermark_seconds()) {
    const Timestamp watermark{.seconds = stored.watermark_seconds(),
                              .nanos = stored.watermark_nanos()};
    if (watermark.seconds < kYear0Seconds ||
        watermark.seconds >= kYear10000Seconds || watermark.nanos < 0 ||
        watermark.nanos >= 1'000'000'000) {
      return absl::DataLossError(absl::StrCat(
          "stored key state: watermark of ", watermark.seconds, " s and ",
          watermark.nanos, " ns; the years 0000 to 9999 are accepted"));
    }
    state.watermark = watermark;
  }
  state.seq = stored.seq();
  status = ReadDigest(stored.prev(), "key state: prev", &state.prev);
  if (!status.ok()) return status;
  state.begin = stored.begin();
  state.seen_at_begin = stored.seen_at_begin();
  state.counts.accepted = stored.accepted();
  state.counts.conflict = stored.conflict();
  state.counts.control = stored.control();
  state.counts.duplicate = stored.duplicate();
  state.counts.invalid = stored.invalid();
  state.counts.late = stored.late();
  state.records_in_open = stored.records_in_open();
  state.waiting.reserve(stored.waiting_size());
  for (const store::v1::StoredKey::Waiting& entry : stored.waiting()) {
    KeyState::Waiting& waiting = state.waiting.emplace_back();
    waiting.offset = entry.offset();
    waiting.canonical = entry.canonical();
    status =
        ReadDigest(entry.record_sha256(), "key state: waiting.record_sha256",
                   &waiting.record_hash);
    if (!status.ok()) return status;
  }
  return state;
}

std::string EncodeSpill(const Spill& spill) {
  store::v1::StoredSpill stored;
  stored.set_position(spill.position);
  for (const WindowRecords::Entry& entry : spill.records.entries) {
    store::v1::StoredSpill::Record* record = stored.add_records();
    record->set_offset(entry.offset);
    record->set_canonical(ToString(spill.records.Canonical(entry)));
  }
  return stored.SerializeAsString();
}

absl::StatusOr<Spill> DecodeSpill(const OpenWindowKey& window,
                                  absl::string_view bytes) {
  store::v1::StoredSpill stored;
  const absl::Status status = Parse(bytes, "open window", &stored);
  if (!status.ok()) return status;
  Spill spill;
  spill.key = window.key;
  spill.window_start_ms = window.start_ms;
  spill.position = stored.position();
  spill.records.entries.reserve(stored.records_size());
  for (const store::v1::StoredSpill::Record& record : stored.records()) {
    spill.records.entries.push_back(
        {.offset = record.offset(),
         .begin = static_cast<uint32_t>(spill.records.bytes.size()),
         .size = static_cast<uint32_t>(record.canonical().size())});
    spill.records.bytes += record.canonical();
  }
  return spill;
}

v1::DroppedRecord::Reason ToProto(DropReason reason) {
  switch (reason) {
    case DropReason::kDuplicate:
      return v1::DroppedRecord::DUPLICATE;
    case DropReason::kConflict:
      return v1::DroppedRecord::CONFLICT;
    case DropReason::kLate:
      return v1::DroppedRecord::LATE;
    case DropReason::kInvalid:
      break;
  }
  return v1::DroppedRecord::INVALID;
}

absl::StatusOr<DropReason> DropReasonFromStored(int32_t reason) {
  switch (reason) {
    case v1::DroppedRecord::DUPLICATE:
      return DropReason::kDuplicate;
    case v1::DroppedRecord::CONFLICT:
      return DropReason::kConflict;
    case v1::DroppedRecord::LATE:
      return DropReason::kLate;
    case v1::DroppedRecord::INVALID:
      return DropReason::kInvalid;
    default:
      return absl::DataLossError(absl::StrCat("stored dropped record: reason ",
                                              reason, "; 1 to 4 are accepted"));
  }
}

}  // namespace windproof
