#include "services/verifier/recompute.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "common/merkle/tree.h"

namespace windproof {

// Knows the newest revision of the one window. What amendments make of others
// is of no interest here, and changes nothing in this one.
class WindowRecomputer::OneWindow : public WrittenWindows {
 public:
  OneWindow(std::string key, int64_t start_ms)
      : key_(std::move(key)), start_ms_(start_ms) {}

  absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view key, int64_t window_start_ms) override {
    if (key != key_ || window_start_ms != start_ms_) return std::nullopt;
    return newest_;
  }

  void Take(const WrittenWindow& written) {
    newest_ = NewestRevision{written.checkpoint.revision,
                             written.checkpoint_hash, written.records};
  }

 private:
  const std::string key_;
  const int64_t start_ms_;
  std::optional<NewestRevision> newest_;
};

WindowRecomputer::WindowRecomputer(const PipelineSpec& spec,
                                   const Checkpoint& anchored, int64_t origin)
    : spec_(spec), anchored_(anchored), origin_(origin), reader_(spec) {
  if (anchored.revision == 0) return;
  window_ = std::make_unique<OneWindow>(anchored.key, anchored.window_start_ms);
  engine_ = std::make_unique<WindowEngine>(spec_, anchored.topic,
                                           anchored.partition, *window_);
  engine_->Begin(origin);
}

WindowRecomputer::~WindowRecomputer() = default;

int64_t WindowRecomputer::begin() const {
  return anchored_.revision == 0 ? anchored_.offsets_begin : origin_;
}

int64_t WindowRecomputer::end() const {
  // A removed record may lie on either side of the offsets that are served, but
  // not of those that are anchored. A revision is written at its scan's end.
  return anchored_.revision == 0 ? anchored_.offsets_end : anchored_.scan_end;
}

absl::Status WindowRecomputer::Feed(const LogRecord& record) {
  if (record.offset < begin() || record.offset >= end()) {
    return absl::OkStatus();
  }
  if (engine_ == nullptr) {
    FeedClosing(record);
    return absl::OkStatus();
  }
  if (absl::Status fed = engine_->Feed(record, &output_); !fed.ok()) return fed;
  for (WrittenWindow& written : output_.windows) {
    const Checkpoint& checkpoint = written.checkpoint;
    if (checkpoint.key != anchored_.key ||
        checkpoint.window_start_ms != anchored_.window_start_ms) {
      continue;
    }
    window_->Take(written);
    if (checkpoint.revision == anchored_.revision) {
      revised_ = std::move(written.records);
    }
  }
  output_.Clear();
  return absl::OkStatus();
}

void WindowRecomputer::FeedClosing(const LogRecord& record) {
  const RecordReader::Result& result = reader_.Read(record);
  if (result.kind != RecordReader::Kind::kCanonical ||
      result.key != anchored_.key ||
      result.window_start_ms != anchored_.window_start_ms) {
    return;
  }
  const auto [candidate, is_first] = candidates_.try_emplace(result.time);
  if (!is_first) return;
  candidate->second.offset = record.offset;
  candidate->second.canonical = std::string(result.canonical);
}

WindowRecords WindowRecomputer::Finish() {
  if (engine_ != nullptr) return std::move(revised_);
  WindowRecords records;
  for (const auto& [time, candidate] : candidates_) {
    WindowRecords::Entry entry;
    entry.offset = candidate.offset;
    entry.begin = static_cast<uint32_t>(records.bytes.size());
    entry.size = static_cast<uint32_t>(candidate.canonical.size());
    entry.leaf_hash = HashLeaf(candidate.canonical);
    records.bytes.append(candidate.canonical);
    records.entries.push_back(entry);
  }
  return records;
}

}  // namespace windproof
