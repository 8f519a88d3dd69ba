#include "services/verifier/replay_key.h"

#include <algorithm>
#include <utility>

namespace windproof {

KeyReplay::KeyReplay(const PipelineSpec& spec, absl::string_view topic,
                     int32_t partition, absl::string_view key,
                     WrittenWindows& written)
    : spec_(spec),
      key_(key),
      reader_(spec),
      engine_(spec, topic, partition, written) {}

void KeyReplay::Begin(int64_t origin) {
  first_ = origin;
  begin_ = origin;
  engine_.Begin(origin);
  started_ = true;
}

void KeyReplay::BeginAfter(const Checkpoint& last, const Digest& hash) {
  first_ = std::min(last.scan_low, last.scan_end);
  begin_ = last.scan_end;
  state_.key = key_;
  state_.watermark = last.watermark;
  state_.seq = last.seq + 1;
  state_.prev = hash;
  state_.begin = begin_;
}

bool KeyReplay::IsAnothers(const LogRecord& record) {
  if (record.key.has_value()) return *record.key != key_;
  const RecordReader::Result& read = reader_.Read(record);
  return read.kind == RecordReader::Kind::kOther || read.key != key_;
}

void KeyReplay::Reread(const LogRecord& record) {
  const RecordReader::Result& read = reader_.Read(record);
  if (read.kind != RecordReader::Kind::kCanonical || read.key != key_) return;
  const Timestamp closes = TimestampFromMillis(
      read.window_start_ms + spec_.window_ms + spec_.grace_ms);
  if (state_.watermark >= closes) return;
  const auto [place, is_first] =
      open_[read.window_start_ms].try_emplace(read.time);
  if (!is_first) return;
  place->second = {record.offset, std::string(read.canonical)};
}

// To the engine the windows that are open at the begin of the scan are stored
// ones, and the log begins there.
absl::Status KeyReplay::StartEngine() {
  started_ = true;
  PartitionState partition;
  partition.origin = begin_;
  partition.position = begin_;
  partition.low_water = begin_;
  engine_.RestorePartition(partition);
  for (const auto& [start_ms, records] : open_) {
    state_.records_in_open += static_cast<int64_t>(records.size());
  }
  if (absl::Status restored = engine_.RestoreKey(state_, {}); !restored.ok()) {
    return restored;
  }
  for (const auto& [start_ms, records] : open_) {
    Spill spill;
    spill.key = key_;
    spill.window_start_ms = start_ms;
    spill.position = begin_;
    for (const auto& [time, accepted] : records) {
      WindowRecords::Entry& entry = spill.records.entries.emplace_back();
      entry.offset = accepted.offset;
      entry.begin = static_cast<uint32_t>(spill.records.bytes.size());
      entry.size = static_cast<uint32_t>(accepted.canonical.size());
      spill.records.bytes.append(accepted.canonical);
    }
    if (absl::Status restored = engine_.RestoreSpill(spill); !restored.ok()) {
      return restored;
    }
  }
  open_.clear();
  return absl::OkStatus();
}

absl::Status KeyReplay::Feed(const LogRecord& record, EngineOutput* output) {
  if (record.offset < begin_) {
    Reread(record);
    return absl::OkStatus();
  }
  if (!started_) {
    if (absl::Status started = StartEngine(); !started.ok()) return started;
  }
  if (!IsAnothers(record)) return engine_.Feed(record, output);
  LogRecord nobodys;
  nobodys.offset = record.offset;
  return engine_.Feed(nobodys, output);
}

}  // namespace windproof
