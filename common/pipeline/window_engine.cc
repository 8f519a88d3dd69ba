#include "common/pipeline/window_engine.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/amendment.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/leaves.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/open_window.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"

namespace windproof {
namespace {

constexpr Timestamp kNever{std::numeric_limits<int64_t>::max(), 0};

struct WaitingRecord {
  KeyState::Waiting saved;
  Timestamp time;
  int64_t window_start_ms = 0;
};

struct Key {
  std::string name;
  std::optional<Timestamp> watermark;
  Timestamp next_close = kNever;  // of the first open window
  int64_t seq = 0;
  Digest prev{};
  int64_t begin = 0;
  int64_t seen_at_begin = 0;
  ScanCounts counts;
  std::vector<PendingDrop> drops;  // of the scan that runs, by offset
  std::vector<WaitingRecord> waiting;
  absl::btree_map<int64_t, OpenWindow> open;  // by start
  absl::btree_set<int64_t> lows;              // low_offset() of each of `open`
  int64_t records_in_open = 0;
  int64_t records_in_open_saved = 0;  // what a restart has to find again
  bool touched = false;
};

// A window about to be written, in the order of writing.
struct Writing {
  int64_t start_ms = 0;
  int64_t revision = 0;
  std::optional<Digest> supersedes;
  WindowRecords records;
  std::vector<Checkpoint::Aggregate> aggregates;
};

int64_t& CountOf(DropReason reason, ScanCounts* counts) {
  switch (reason) {
    case DropReason::kDuplicate:
      return counts->duplicate;
    case DropReason::kConflict:
      return counts->conflict;
    case DropReason::kLate:
      return counts->late;
    case DropReason::kInvalid:
      break;
  }
  return counts->invalid;
}

}  // namespace

class WindowEngine::Impl {
 public:
  Impl(const PipelineSpec& spec, absl::string_view topic, int32_t partition,
       WrittenWindows& written)
      : spec_(spec),
        spec_hash_(SpecHash(spec)),
        topic_(topic),
        partition_(partition),
        written_(written),
        reader_(spec),
        stored_reader_(spec) {}

  void Begin(int64_t origin) {
    state_.origin = origin;
    state_.position = origin;
    state_.low_water = origin;
    next_ = origin;
  }

  void RestorePartition(const PartitionState& state) {
    state_ = state;
    rereading_ = true;
    next_ = state.low_water;
    if (state.last_offset >= 0) next_ = std::min(next_, state.last_offset);
  }

  absl::Status RestoreKey(const KeyState& saved,
                          std::vector<PendingDrop> drops) {
    Key& key = FindOrMakeKey(saved.key);
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
      if (!stored_reader_.ReadCanonical(saved.key, waiting.canonical,
                                        &result)) {
        return absl::DataLossError(absl::StrCat(
            Where(), ": the stored record of key ", saved.key, " at offset ",
            waiting.offset, " that waits to amend is not canonical"));
      }
      key.waiting.push_back({waiting, result.time, result.window_start_ms});
    }
    return absl::OkStatus();
  }

  absl::Status RestoreSpill(const Spill& spill) {
    Key& key = FindOrMakeKey(spill.key);
    OpenWindow* window = nullptr;
    // In order of offset, as they came: the first one makes the window.
    std::vector<const WindowRecords::Entry*> entries;
    for (const WindowRecords::Entry& entry : spill.records.entries) {
      entries.push_back(&entry);
    }
    std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
      return a->offset < b->offset;
    });
    for (const WindowRecords::Entry* entry : entries) {
      RecordReader::Result result;
      if (!stored_reader_.ReadCanonical(
              spill.key, spill.records.Canonical(*entry), &result) ||
          result.window_start_ms != spill.window_start_ms) {
        return absl::DataLossError(absl::StrCat(
            Where(), ": the stored record of key ", spill.key, " at offset ",
            entry->offset, " in an open window is not canonical"));
      }
      if (window == nullptr) {
        window = &OpenWindowAt(&key, spill.window_start_ms, entry->offset);
      }
      if (absl::Status status = Put(&key, window, entry->offset, result);
          !status.ok()) {
        return status;
      }
    }
    if (window != nullptr) {
      window->spilled_at = spill.position;
      Release(window);
    }
    return absl::OkStatus();
  }

  int64_t next_offset() const { return next_; }
  bool rereading() const { return rereading_; }

  absl::Status Feed(const LogRecord& record, EngineOutput* output) {
    if (record.offset < next_) {
      return absl::InvalidArgumentError(
          absl::StrCat(Where(), ": record at offset ", record.offset,
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
    last_raw_.clear();
    AppendRawRecord(record, &last_raw_);
    last_hash_known_ = false;

    const RecordReader::Result& read = reader_.Read(record);
    if (read.kind == RecordReader::Kind::kOther) {
      last_class_ = Class::kOther;
      return absl::OkStatus();
    }
    Key& key = FindOrMakeKey(read.key);
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
        if (key.watermark < read.time) key.watermark = read.time;
        return WriteMoment(&key, record.offset, output);
      case RecordReader::Kind::kCanonical:
        return FeedCanonical(&key, record.offset, read, output);
    }
    return absl::OkStatus();
  }

  absl::Status AdvanceTo(int64_t offset) {
    next_ = std::max(next_, offset);
    if (rereading_) {
      if (next_ < state_.position) return absl::OkStatus();
      if (absl::Status status = EndRereading(); !status.ok()) return status;
    }
    state_.position = std::max(state_.position, next_);
    return absl::OkStatus();
  }

  PartitionState partition_state() {
    if (rereading_) return state_;
    if (!last_hash_known_ && state_.last_offset >= 0 && !last_raw_.empty()) {
      state_.last_record_hash = Sha256Of(last_raw_);
      last_hash_known_ = true;
    }
    state_.low_water = holds_.empty() ? state_.position : holds_.begin()->first;
    return state_;
  }

  std::vector<KeyState> TakeTouchedKeys() {
    std::vector<KeyState> states;
    states.reserve(touched_.size());
    for (Key* key : touched_) {
      key->touched = false;
      KeyState& state = states.emplace_back();
      state.key = key->name;
      state.watermark = key->watermark;
      state.seq = key->seq;
      state.prev = key->prev;
      state.begin = key->begin;
      state.seen_at_begin = key->seen_at_begin;
      state.counts = key->counts;
      state.records_in_open = key->records_in_open;
      for (const WaitingRecord& waiting : key->waiting) {
        state.waiting.push_back(waiting.saved);
      }
    }
    touched_.clear();
    return states;
  }

  std::vector<Spill> TakeSpills(int64_t max_lag) {
    std::vector<Spill> spills;
    if (rereading_) return spills;
    while (!holds_.empty() &&
           state_.position - holds_.begin()->first > max_lag) {
      const auto [key, start_ms] = holds_.begin()->second;
      OpenWindow& window = key->open.at(start_ms);
      Spill& spill = spills.emplace_back();
      spill.key = key->name;
      spill.window_start_ms = start_ms;
      spill.position = state_.position;
      spill.records = window.CopyRecords();
      window.spilled_at = state_.position;
      Release(&window);
    }
    return spills;
  }

  std::vector<std::pair<std::string, int64_t>> TakeEndedSpills() {
    return std::exchange(ended_spills_, {});
  }

  int64_t open_windows() const { return open_windows_; }
  int64_t keys() const { return static_cast<int64_t>(keys_.size()); }
  Class last_class() const { return last_class_; }

  bool IsOpen(absl::string_view name, int64_t window_start_ms) const {
    const auto key = keys_.find(name);
    return key != keys_.end() && key->second->open.contains(window_start_ms);
  }

 private:
  std::string Where() const {
    return absl::StrCat("pipeline ", spec_.name, ", ", topic_, "/", partition_);
  }

  Timestamp ClosesAt(int64_t window_start_ms) const {
    return TimestampFromMillis(window_start_ms + spec_.window_ms +
                               spec_.grace_ms);
  }

  Key& FindOrMakeKey(absl::string_view name) {
    if (last_key_ != nullptr && last_key_->name == name) return *last_key_;
    auto found = keys_.find(name);
    if (found == keys_.end()) {
      auto key = std::make_unique<Key>();
      key->name = std::string(name);
      key->begin = state_.origin;
      found = keys_.emplace(key->name, std::move(key)).first;
    }
    last_key_ = found->second.get();
    return *last_key_;
  }

  void Touch(Key* key) {
    if (key->touched) return;
    key->touched = true;
    touched_.push_back(key);
  }

  OpenWindow& OpenWindowAt(Key* key, int64_t start_ms, int64_t first_offset) {
    const auto [place, made] =
        key->open.try_emplace(start_ms, spec_.aggregated.size(), first_offset);
    OpenWindow& window = place->second;
    if (made) {
      key->lows.insert(first_offset);
      key->next_close = ClosesAt(key->open.begin()->first);
      Hold(key, start_ms, &window, first_offset);
      open_windows_ += 1;
    }
    return window;
  }

  // Each record is in one window, so no two windows hold the same offset.
  void Hold(Key* key, int64_t start_ms, OpenWindow* window, int64_t offset) {
    window->hold = offset;
    holds_.emplace(offset, std::make_pair(key, start_ms));
  }

  void Release(OpenWindow* window) {
    if (!window->hold.has_value()) return;
    holds_.erase(*window->hold);
    window->hold.reset();
  }

  // Puts a record whose identity is new into an open window.
  absl::Status Put(Key* key, OpenWindow* window, int64_t offset,
                   const RecordReader::Result& read) {
    if (!window->Add(offset, read)) {
      return absl::ResourceExhaustedError(absl::StrCat(
          Where(), ": the window of key ", key->name, " at offset ", offset,
          " would exceed 4 GiB of canonical records"));
    }
    key->records_in_open += 1;
    return absl::OkStatus();
  }

  absl::Status FeedCanonical(Key* key, int64_t offset,
                             const RecordReader::Result& read,
                             EngineOutput* output) {
    const Timestamp closes = ClosesAt(read.window_start_ms);
    if (key->watermark >= closes) {
      last_class_ = Class::kLate;
      const bool waits =
          spec_.late_policy == LatePolicy::kAmend &&
          key->watermark <
              TimestampFromMillis(read.window_start_ms + spec_.window_ms +
                                  spec_.grace_ms + spec_.amend_ms);
      Drop(key, offset, DropReason::kLate, waits, output);
      if (waits) {
        key->waiting.push_back({{offset, std::string(read.canonical),
                                 key->drops.back().record_hash},
                                read.time,
                                read.window_start_ms});
      }
      return absl::OkStatus();
    }
    OpenWindow& window = OpenWindowAt(key, read.window_start_ms, offset);
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
    if (window.spilled_at.has_value() && !window.hold.has_value()) {
      Hold(key, read.window_start_ms, &window, offset);
    }
    if (key->watermark < read.time) key->watermark = read.time;
    if (key->watermark < key->next_close) return absl::OkStatus();
    return WriteMoment(key, offset, output);
  }

  void Drop(Key* key, int64_t offset, DropReason reason, bool waiting,
            EngineOutput* output) {
    CountOf(reason, &key->counts) += 1;
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

  // A record below the saved position: it only goes back into its open window.
  absl::Status Reread(const LogRecord& record) {
    next_ = record.offset + 1;
    last_class_ = Class::kReread;
    if (record.offset == state_.last_offset) {
      const Digest hash = RecordHash(record);
      if (hash != state_.last_record_hash) {
        return absl::DataLossError(absl::StrCat(
            Where(), ": the log has another record at offset ", record.offset,
            " than was read before: expected ", HexOf(state_.last_record_hash),
            ", found ", HexOf(hash)));
      }
    }
    const RecordReader::Result& read = reader_.Read(record);
    if (read.kind != RecordReader::Kind::kCanonical) return absl::OkStatus();
    Key& key = FindOrMakeKey(read.key);
    if (key.watermark >= ClosesAt(read.window_start_ms)) {
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
    OpenWindow& window =
        OpenWindowAt(&key, read.window_start_ms, record.offset);
    if (window.spilled_at.has_value() && !window.hold.has_value()) {
      Hold(&key, read.window_start_ms, &window, record.offset);
    }
    return Put(&key, &window, record.offset, read);
  }

  absl::Status EndRereading() {
    for (const auto& [name, key] : keys_) {
      if (key->records_in_open != key->records_in_open_saved) {
        return absl::DataLossError(absl::StrCat(
            Where(), ": the log below offset ", state_.position, " has ",
            key->records_in_open, " records of key ", name,
            " in open windows; expected are ", key->records_in_open_saved));
      }
    }
    rereading_ = false;
    last_hash_known_ = true;  // the saved one, until a record is read
    return absl::OkStatus();
  }

  // FORMATS section "Classes and closing", steps 1 to 4.
  absl::Status WriteMoment(Key* key, int64_t offset, EngineOutput* output) {
    std::vector<Writing> writings;
    if (!key->waiting.empty()) {
      if (absl::Status status = SettleWaiting(key, &writings, output);
          !status.ok()) {
        return status;
      }
    }
    while (!key->open.empty() && key->watermark >= key->next_close) {
      const auto first = key->open.begin();
      writings.push_back(Close(key, first->first, &first->second));
      key->open.erase(first);
      key->next_close =
          key->open.empty() ? kNever : ClosesAt(key->open.begin()->first);
    }
    for (size_t i = 0; i < writings.size(); ++i) {
      Write(key, offset, i == 0, std::move(writings[i]), output);
    }
    return absl::OkStatus();
  }

  Writing Close(Key* key, int64_t start_ms, OpenWindow* window) {
    Writing writing;
    writing.start_ms = start_ms;
    writing.aggregates = window->Aggregates(spec_.aggregated);
    key->records_in_open -= static_cast<int64_t>(window->size());
    writing.records = window->TakeRecords();
    key->lows.erase(window->low_offset());
    Release(window);
    if (window->spilled_at.has_value()) {
      ended_spills_.emplace_back(key->name, start_ms);
    }
    open_windows_ -= 1;
    return writing;
  }

  // Step 1: what waits goes into the newest payloads of its windows.
  absl::Status SettleWaiting(Key* key, std::vector<Writing>* writings,
                             EngineOutput* output) {
    std::map<int64_t, std::vector<const WaitingRecord*>> by_window;
    for (const WaitingRecord& waiting : key->waiting) {
      by_window[waiting.window_start_ms].push_back(&waiting);
    }
    for (const auto& [start_ms, waiting] : by_window) {
      auto newest = written_.Newest(key->name, start_ms);
      if (!newest.ok()) return newest.status();
      std::vector<LateRecord> late;
      late.reserve(waiting.size());
      for (const WaitingRecord* record : waiting) {
        late.push_back(
            {record->saved.offset, record->time, record->saved.canonical});
      }
      absl::StatusOr<Amendment> amendment = Amend(
          key->name, late, newest->has_value() ? &(*newest)->records : nullptr,
          spec_, stored_reader_);
      if (!amendment.ok()) {
        return absl::Status(
            amendment.status().code(),
            absl::StrCat(Where(), ": ", amendment.status().message()));
      }
      for (size_t i = 0; i < waiting.size(); ++i) {
        if (absl::Status status =
                Settle(key, *waiting[i], amendment->outcomes[i], output);
            !status.ok()) {
          return status;
        }
      }
      if (!amendment->changed) continue;
      Writing& writing = writings->emplace_back();
      writing.start_ms = start_ms;
      writing.revision = newest->has_value() ? (*newest)->revision + 1 : 1;
      writing.supersedes =
          newest->has_value() ? (*newest)->checkpoint_hash : kZeroDigest;
      writing.records = std::move(amendment->records);
      writing.aggregates = std::move(amendment->aggregates);
    }
    key->waiting.clear();
    std::erase_if(key->drops,
                  [](const PendingDrop& drop) { return drop.offset < 0; });
    return absl::OkStatus();
  }

  // A waiting record's class in the end; nothing: accepted after all. Those
  // are marked by an offset below 0 and erased together.
  absl::Status Settle(Key* key, const WaitingRecord& record,
                      std::optional<DropReason> reason, EngineOutput* output) {
    const auto drop = std::lower_bound(
        key->drops.begin(), key->drops.end(), record.saved.offset,
        [](const PendingDrop& a, int64_t offset) {
          // An erased one keeps its place in the order.
          return (a.offset < 0 ? ~a.offset : a.offset) < offset;
        });
    if (drop == key->drops.end() || drop->offset != record.saved.offset) {
      return absl::DataLossError(absl::StrCat(
          Where(), ": the record of key ", key->name, " at offset ",
          record.saved.offset, " waits to amend but is not stored as dropped"));
    }
    key->counts.late -= 1;
    DroppedRecord& change = output->dropped.emplace_back();
    change.key = key->name;
    change.offset = record.saved.offset;
    change.record_hash = record.saved.record_hash;
    if (reason.has_value()) {
      change.change = DroppedRecord::Change::kReasonChanged;
      change.reason = *reason;
      drop->reason = *reason;
      CountOf(*reason, &key->counts) += 1;
    } else {
      change.change = DroppedRecord::Change::kAcceptedAfterAll;
      change.reason = DropReason::kLate;
      drop->offset = ~drop->offset;
      key->counts.accepted += 1;
    }
    return absl::OkStatus();
  }

  // Step 4: the checkpoint of one window.
  void Write(Key* key, int64_t offset, bool first, Writing writing,
             EngineOutput* output) {
    WrittenWindow& written = output->windows.emplace_back();
    written.records = std::move(writing.records);
    Checkpoint& checkpoint = written.checkpoint;
    checkpoint.key = key->name;
    checkpoint.pipeline = spec_.name;
    checkpoint.spec = spec_hash_;
    checkpoint.topic = topic_;
    checkpoint.partition = partition_;
    checkpoint.window_start_ms = writing.start_ms;
    checkpoint.window_end_ms = writing.start_ms + spec_.window_ms;
    checkpoint.revision = writing.revision;
    checkpoint.supersedes = writing.supersedes;
    checkpoint.aggregates = std::move(writing.aggregates);
    checkpoint.records = static_cast<int64_t>(written.records.entries.size());
    checkpoint.watermark = *key->watermark;

    const LeafSummary leaves = HashLeaves(&written.records);
    checkpoint.root = leaves.root;
    checkpoint.positions_sha256 = leaves.positions_sha256;
    checkpoint.offsets_begin = leaves.lowest_offset;
    checkpoint.offsets_end = leaves.highest_offset + 1;

    checkpoint.scan_begin = first ? key->begin : offset + 1;
    checkpoint.scan_end = offset + 1;
    checkpoint.scan_low = key->lows.empty() ? offset + 1 : *key->lows.begin();
    checkpoint.dropped_root = EmptyRoot();
    if (first) {
      checkpoint.scan = key->counts;
      const int64_t seen = state_.seen - key->seen_at_begin;
      checkpoint.scan.other = seen - key->counts.Sum();
      checkpoint.scan.gap = offset + 1 - key->begin - seen;
      checkpoint.dropped_root = DroppedRoot(key->drops);
      key->begin = offset + 1;
      key->seen_at_begin = state_.seen;
      key->counts = ScanCounts();
      key->drops.clear();
    }

    checkpoint.seq = key->seq;
    checkpoint.prev = key->prev;
    written.bytes = EncodeCheckpoint(checkpoint);
    written.checkpoint_hash = Sha256Of(written.bytes);
    key->seq += 1;
    key->prev = written.checkpoint_hash;
  }

  const PipelineSpec& spec_;
  const Digest spec_hash_;
  const std::string topic_;
  const int32_t partition_;
  WrittenWindows& written_;
  RecordReader reader_;         // of the log's records
  RecordReader stored_reader_;  // of canonical records from the store

  PartitionState state_;
  int64_t next_ = 0;  // next offset to be fed
  bool rereading_ = false;
  std::string last_raw_;  // of the record fed last
  bool last_hash_known_ = false;
  Class last_class_ = Class::kOther;

  absl::flat_hash_map<std::string, std::unique_ptr<Key>> keys_;
  Key* last_key_ = nullptr;
  std::vector<Key*> touched_;
  // What keeps L back: offset → the window that needs it.
  absl::btree_map<int64_t, std::pair<Key*, int64_t>> holds_;
  std::vector<std::pair<std::string, int64_t>> ended_spills_;
  int64_t open_windows_ = 0;
};

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
