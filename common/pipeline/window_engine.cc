#include "common/pipeline/window_engine.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/key_stream.h"
#include "common/pipeline/late_records.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/open_window.h"
#include "common/pipeline/open_windows.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_writer.h"

namespace windproof {

// Says of each record what becomes of it; OpenWindows, SettleLateRecords and
// WindowWriter do the rest.
class WindowEngine::Impl {
 public:
  Impl(const PipelineSpec& spec, absl::string_view topic, int32_t partition,
       WrittenWindows& written)
      : spec_(spec),
        where_(
            absl::StrCat("pipeline ", spec.name, ", ", topic, "/", partition)),
        written_(written),
        reader_(spec),
        stored_reader_(spec),
        windows_(spec),
        writer_(spec, topic, partition) {}

  void Begin(int64_t origin);
  void RestorePartition(const PartitionState& state);
  absl::Status RestoreKey(const KeyState& saved,
                          std::vector<PendingDrop> drops);
  absl::Status RestoreSpill(const Spill& spill);

  absl::Status Feed(const LogRecord& record, EngineOutput* output);
  absl::Status AdvanceTo(int64_t offset);

  PartitionState partition_state();
  std::vector<KeyState> TakeTouchedKeys();
  std::vector<Spill> TakeSpills(int64_t max_lag);
  std::vector<std::pair<std::string, int64_t>> TakeEndedSpills() {
    return windows_.TakeEndedSpills();
  }

  int64_t next_offset() const { return next_; }
  bool rereading() const { return rereading_; }
  int64_t open_windows() const { return windows_.size(); }
  int64_t keys() const { return static_cast<int64_t>(keys_.size()); }
  Class last_class() const { return last_class_; }
  bool IsOpen(absl::string_view key, int64_t window_start_ms) const;

 private:
  // `status` with the partition that it is about.
  absl::Status Located(const absl::Status& status) const;
  absl::Status DataLoss(absl::string_view what) const;

  KeyStream& FindOrMakeKey(absl::string_view name);
  void Touch(KeyStream* key);

  // A record below the saved position: it only goes back into its open window.
  absl::Status Reread(const LogRecord& record);
  absl::Status EndRereading();

  absl::Status FeedCanonical(KeyStream* key, int64_t offset,
                             const RecordReader::Result& read,
                             EngineOutput* output);
  void FeedLate(KeyStream* key, int64_t offset,
                const RecordReader::Result& read, EngineOutput* output);
  // Puts a record whose identity is new into an open window.
  absl::Status Put(KeyStream* key, OpenWindow* window, int64_t offset,
                   const RecordReader::Result& read);
  void Drop(KeyStream* key, int64_t offset, DropReason reason, bool waiting,
            EngineOutput* output);
  absl::Status WriteMoment(KeyStream* key, int64_t offset,
                           EngineOutput* output);

  const PipelineSpec& spec_;
  const std::string where_;  // for error messages
  WrittenWindows& written_;
  RecordReader reader_;         // of the log's records
  RecordReader stored_reader_;  // of canonical records from the store

  PartitionState state_;
  int64_t next_ = 0;  // next offset to be fed
  bool rereading_ = false;
  std::string last_raw_;  // of the record fed last
  bool last_hash_known_ = false;
  Class last_class_ = Class::kOther;

  absl::flat_hash_map<std::string, std::unique_ptr<KeyStream>> keys_;
  KeyStream* last_key_ = nullptr;
  std::vector<KeyStream*> touched_;
  OpenWindows windows_;
  WindowWriter writer_;
  std::vector<Writing> writings_;  // of a moment; empty outside of one
};

void WindowEngine::Impl::Begin(int64_t origin) {
  state_.origin = origin;
  state_.position = origin;
  state_.low_water = origin;
  next_ = origin;
}

void WindowEngine::Impl::RestorePartition(const PartitionState& state) {
  state_ = state;
  rereading_ = true;
  next_ = state.low_water;
  if (state.last_offset >= 0) next_ = std::min(next_, state.last_offset);
}

absl::Status WindowEngine::Impl::RestoreKey(const KeyState& saved,
                                            std::vector<PendingDrop> drops) {
  KeyStream& key = FindOrMakeKey(saved.key);
  key.watermark = saved.watermark;
  key.seq = saved.seq;
  key.prev = saved.prev;
  key.begin = saved.begin;
  key.seen_at_begin = saved.seen_at_begin;
  key.counts = saved.counts;
  key.drops = std::move(drops);
  key.records_in_open_saved = saved.records_in_open;
  for (const KeyState::Waiting& waiting : saved.waiting) {
    RecordReader::Result result;
    if (!stored_reader_.ReadCanonical(saved.key, waiting.canonical, &result)) {
      return DataLoss(absl::StrCat("the stored record of key ", saved.key,
                                   " at offset ", waiting.offset,
                                   " that waits to amend is not canonical"));
    }
    key.waiting.push_back({waiting, result.time, result.window_start_ms});
  }
  return absl::OkStatus();
}

absl::Status WindowEngine::Impl::RestoreSpill(const Spill& spill) {
  KeyStream& key = FindOrMakeKey(spill.key);
  // When a window is spilled depends on who does it: an owner that was believed
  // dead can have stored one that the next owner, who closed it, never had.
  if (key.HasPassed(windows_.ClosesAt(spill.window_start_ms))) {
    windows_.EndSpill(key, spill.window_start_ms);
    return absl::OkStatus();
  }
  OpenWindow* window = nullptr;
  // In order of offset, as they came: the first one makes the window.
  std::vector<const WindowRecords::Entry*> entries;
  entries.reserve(spill.records.entries.size());
  for (const WindowRecords::Entry& entry : spill.records.entries) {
    entries.push_back(&entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (const WindowRecords::Entry* entry : entries) {
    RecordReader::Result result;
    if (!stored_reader_.ReadCanonical(
            spill.key, spill.records.Canonical(*entry), &result) ||
        result.window_start_ms != spill.window_start_ms) {
      return DataLoss(absl::StrCat("the stored record of key ", spill.key,
                                   " at offset ", entry->offset,
                                   " in an open window is not canonical"));
    }
    if (window == nullptr) {
      window = &windows_.At(&key, spill.window_start_ms, entry->offset);
    }
    if (absl::Status status = Put(&key, window, entry->offset, result);
        !status.ok()) {
      return status;
    }
  }
  if (window != nullptr) windows_.MarkSpilled(window, spill.position);
  return absl::OkStatus();
}

absl::Status WindowEngine::Impl::Feed(const LogRecord& record,
                                      EngineOutput* output) {
  if (record.offset < next_) {
    return absl::InvalidArgumentError(
        absl::StrCat(where_, ": record at offset ", record.offset,
                     " comes after offset ", next_ - 1));
  }
  if (rereading_) {
    if (record.offset < state_.position) return Reread(record);
    if (absl::Status status = EndRereading(); !status.ok()) return status;
  }
  next_ = record.offset + 1;
  state_.position = next_;
  state_.seen += 1;
  state_.last_offset = record.offset;
  AssignRawRecord(record, &last_raw_);
  last_hash_known_ = false;

  const RecordReader::Result& read = reader_.Read(record);
  if (read.kind == RecordReader::Kind::kOther) {
    last_class_ = Class::kOther;
    return absl::OkStatus();
  }
  KeyStream& key = FindOrMakeKey(read.key);
  Touch(&key);
  switch (read.kind) {
    case RecordReader::Kind::kOther:
      break;
    case RecordReader::Kind::kInvalid:
      last_class_ = Class::kInvalid;
      Drop(&key, record.offset, DropReason::kInvalid, false, output);
      break;
    case RecordReader::Kind::kControl:
      last_class_ = Class::kControl;
      key.counts.control += 1;
      key.Advance(read.time);
      return WriteMoment(&key, record.offset, output);
    case RecordReader::Kind::kCanonical:
      return FeedCanonical(&key, record.offset, read, output);
  }
  return absl::OkStatus();
}

absl::Status WindowEngine::Impl::FeedCanonical(KeyStream* key, int64_t offset,
                                               const RecordReader::Result& read,
                                               EngineOutput* output) {
  if (key->HasPassed(windows_.ClosesAt(read.window_start_ms))) {
    FeedLate(key, offset, read, output);
    return absl::OkStatus();
  }
  OpenWindow& window = windows_.At(key, read.window_start_ms, offset);
  if (const auto same = window.Find(read.time); same.has_value()) {
    const bool equal = *same == read.canonical;
    last_class_ = equal ? Class::kDuplicate : Class::kConflict;
    Drop(key, offset, equal ? DropReason::kDuplicate : DropReason::kConflict,
         false, output);
    return absl::OkStatus();
  }
  last_class_ = Class::kAccepted;
  key->counts.accepted += 1;
  if (absl::Status status = Put(key, &window, offset, read); !status.ok()) {
    return status;
  }
  key->Advance(read.time);
  if (!key->HasPassed(key->next_close)) return absl::OkStatus();
  return WriteMoment(key, offset, output);
}

void WindowEngine::Impl::FeedLate(KeyStream* key, int64_t offset,
                                  const RecordReader::Result& read,
                                  EngineOutput* output) {
  last_class_ = Class::kLate;
  const bool waits =
      spec_.late_policy == LatePolicy::kAmend &&
      !key->HasPassed(windows_.ClosesAt(read.window_start_ms + spec_.amend_ms));
  Drop(key, offset, DropReason::kLate, waits, output);
  if (!waits) return;
  key->waiting.push_back(
      {{offset, std::string(read.canonical), key->drops.back().record_hash},
       read.time,
       read.window_start_ms});
}

absl::Status WindowEngine::Impl::Put(KeyStream* key, OpenWindow* window,
                                     int64_t offset,
                                     const RecordReader::Result& read) {
  if (windows_.Put(key, window, offset, read)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(where_, ": the window of key ", key->name, " at offset ",
                   offset, " would exceed 4 GiB of canonical records"));
}

void WindowEngine::Impl::Drop(KeyStream* key, int64_t offset, DropReason reason,
                              bool waiting, EngineOutput* output) {
  key->CountOf(reason) += 1;
  const Digest hash = Sha256Of(last_raw_);
  key->drops.push_back({offset, reason, hash});
  DroppedRecord& dropped = output->dropped.emplace_back();
  dropped.change = DroppedRecord::Change::kDropped;
  dropped.key = key->name;
  dropped.offset = offset;
  dropped.reason = reason;
  dropped.waiting = waiting;
  dropped.record_hash = hash;
  dropped.raw = last_raw_;
}

// docs/formats/ ("Classes and closing"), steps 1 to 4.
absl::Status WindowEngine::Impl::WriteMoment(KeyStream* key, int64_t offset,
                                             EngineOutput* output) {
  if (!key->waiting.empty()) {
    if (absl::Status status = SettleLateRecords(spec_, written_, stored_reader_,
                                                key, &writings_, output);
        !status.ok()) {
      return Located(status);
    }
  }
  windows_.CloseAll(key, &writings_);
  writer_.Write(key, offset, state_.seen, &writings_, output);
  writings_.clear();
  return absl::OkStatus();
}

absl::Status WindowEngine::Impl::AdvanceTo(int64_t offset) {
  next_ = std::max(next_, offset);
  if (rereading_) {
    if (next_ < state_.position) return absl::OkStatus();
    if (absl::Status status = EndRereading(); !status.ok()) return status;
  }
  state_.position = std::max(state_.position, next_);
  return absl::OkStatus();
}

absl::Status WindowEngine::Impl::Reread(const LogRecord& record) {
  next_ = record.offset + 1;
  last_class_ = Class::kReread;
  if (record.offset == state_.last_offset) {
    const Digest hash = RecordHash(record);
    if (hash != state_.last_record_hash) {
      return DataLoss(absl::StrCat(
          "the log has another record at offset ", record.offset,
          " than was read before: expected ", HexOf(state_.last_record_hash),
          ", found ", HexOf(hash)));
    }
  }
  const RecordReader::Result& read = reader_.Read(record);
  if (read.kind != RecordReader::Kind::kCanonical) return absl::OkStatus();
  KeyStream& key = FindOrMakeKey(read.key);
  if (key.HasPassed(windows_.ClosesAt(read.window_start_ms))) {
    return absl::OkStatus();
  }
  const auto known = key.open.find(read.window_start_ms);
  if (known != key.open.end()) {
    const OpenWindow& window = known->second;
    if (window.spilled_at.value_or(0) > record.offset ||
        window.Find(read.time).has_value()) {
      return absl::OkStatus();
    }
  }
  OpenWindow& window = windows_.At(&key, read.window_start_ms, record.offset);
  return Put(&key, &window, record.offset, read);
}

absl::Status WindowEngine::Impl::EndRereading() {
  for (const auto& [name, key] : keys_) {
    if (key->records_in_open != key->records_in_open_saved) {
      return DataLoss(absl::StrCat(
          "the log below offset ", state_.position, " has ",
          key->records_in_open, " records of key ", name,
          " in open windows; expected are ", key->records_in_open_saved));
    }
  }
  rereading_ = false;
  last_hash_known_ = true;  // the saved one, until a record is read
  return absl::OkStatus();
}

PartitionState WindowEngine::Impl::partition_state() {
  if (rereading_) return state_;
  if (!last_hash_known_ && state_.last_offset >= 0 && !last_raw_.empty()) {
    state_.last_record_hash = Sha256Of(last_raw_);
    last_hash_known_ = true;
  }
  state_.low_water = windows_.LowWater(state_.position);
  return state_;
}

std::vector<KeyState> WindowEngine::Impl::TakeTouchedKeys() {
  std::vector<KeyState> states;
  states.reserve(touched_.size());
  for (KeyStream* key : touched_) {
    key->touched = false;
    states.push_back(key->State());
  }
  touched_.clear();
  return states;
}

std::vector<Spill> WindowEngine::Impl::TakeSpills(int64_t max_lag) {
  if (rereading_) return {};
  return windows_.TakeSpills(state_.position, max_lag);
}

bool WindowEngine::Impl::IsOpen(absl::string_view name,
                                int64_t window_start_ms) const {
  const auto key = keys_.find(name);
  return key != keys_.end() && key->second->open.contains(window_start_ms);
}

absl::Status WindowEngine::Impl::Located(const absl::Status& status) const {
  return absl::Status(status.code(),
                      absl::StrCat(where_, ": ", status.message()));
}

absl::Status WindowEngine::Impl::DataLoss(absl::string_view what) const {
  return Located(absl::DataLossError(what));
}

KeyStream& WindowEngine::Impl::FindOrMakeKey(absl::string_view name) {
  if (last_key_ != nullptr && last_key_->name == name) return *last_key_;
  auto found = keys_.find(name);
  if (found == keys_.end()) {
    auto key = std::make_unique<KeyStream>();
    key->name = std::string(name);
    key->begin = state_.origin;
    found = keys_.emplace(key->name, std::move(key)).first;
  }
  last_key_ = found->second.get();
  return *last_key_;
}

void WindowEngine::Impl::Touch(KeyStream* key) {
  if (key->touched) return;
  key->touched = true;
  touched_.push_back(key);
}

WindowEngine::WindowEngine(const PipelineSpec& spec, absl::string_view topic,
                           int32_t partition, WrittenWindows& written)
    : impl_(std::make_unique<Impl>(spec, topic, partition, written)) {}
WindowEngine::~WindowEngine() = default;

void WindowEngine::Begin(int64_t origin) { impl_->Begin(origin); }
void WindowEngine::RestorePartition(const PartitionState& state) {
  impl_->RestorePartition(state);
}
absl::Status WindowEngine::RestoreKey(const KeyState& key,
                                      std::vector<PendingDrop> drops) {
  return impl_->RestoreKey(key, std::move(drops));
}
absl::Status WindowEngine::RestoreSpill(const Spill& spill) {
  return impl_->RestoreSpill(spill);
}
int64_t WindowEngine::next_offset() const { return impl_->next_offset(); }
absl::Status WindowEngine::Feed(const LogRecord& record, EngineOutput* output) {
  return impl_->Feed(record, output);
}
absl::Status WindowEngine::AdvanceTo(int64_t offset) {
  return impl_->AdvanceTo(offset);
}
bool WindowEngine::rereading() const { return impl_->rereading(); }
PartitionState WindowEngine::partition_state() const {
  return impl_->partition_state();
}
std::vector<KeyState> WindowEngine::TakeTouchedKeys() {
  return impl_->TakeTouchedKeys();
}
std::vector<Spill> WindowEngine::TakeSpills(int64_t max_lag) {
  return impl_->TakeSpills(max_lag);
}
std::vector<std::pair<std::string, int64_t>> WindowEngine::TakeEndedSpills() {
  return impl_->TakeEndedSpills();
}
int64_t WindowEngine::open_windows() const { return impl_->open_windows(); }
int64_t WindowEngine::keys() const { return impl_->keys(); }
bool WindowEngine::IsOpen(absl::string_view key,
                          int64_t window_start_ms) const {
  return impl_->IsOpen(key, window_start_ms);
}
WindowEngine::Class WindowEngine::last_class() const {
  return impl_->last_class();
}

}  // namespace windproof
