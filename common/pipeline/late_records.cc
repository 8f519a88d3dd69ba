#include "common/pipeline/late_records.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/pipeline/amendment.h"

namespace windproof {
namespace {

// A drop that was accepted after all, until those are erased together. It keeps
// its place in the order.
void MarkErased(PendingDrop* drop) { drop->offset = ~drop->offset; }
bool IsErased(const PendingDrop& drop) { return drop.offset < 0; }
int64_t OffsetOf(const PendingDrop& drop) {
  return IsErased(drop) ? ~drop.offset : drop.offset;
}

// A waiting record's class in the end; nothing: accepted after all.
absl::Status Settle(const WaitingRecord& record,
                    std::optional<DropReason> reason, KeyStream* key,
                    EngineOutput* output) {
  const auto drop = std::lower_bound(key->drops.begin(), key->drops.end(),
                                     record.saved.offset,
                                     [](const PendingDrop& a, int64_t offset) {
                                       return OffsetOf(a) < offset;
                                     });
  if (drop == key->drops.end() || drop->offset != record.saved.offset) {
    return absl::DataLossError(absl::StrCat(
        "the record of key ", key->name, " at offset ", record.saved.offset,
        " waits to amend but is not stored as dropped"));
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
    key->CountOf(*reason) += 1;
  } else {
    change.change = DroppedRecord::Change::kAcceptedAfterAll;
    change.reason = DropReason::kLate;
    MarkErased(&*drop);
    key->counts.accepted += 1;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SettleLateRecords(const PipelineSpec& spec,
                               WrittenWindows& written, RecordReader& reader,
                               KeyStream* key, std::vector<Writing>* writings,
                               EngineOutput* output) {
  std::map<int64_t, std::vector<const WaitingRecord*>> by_window;
  for (const WaitingRecord& waiting : key->waiting) {
    by_window[waiting.window_start_ms].push_back(&waiting);
  }
  for (const auto& [start_ms, waiting] : by_window) {
    const absl::StatusOr<std::optional<NewestRevision>> found =
        written.Newest(key->name, start_ms);
    if (!found.ok()) return found.status();
    const NewestRevision* newest = found->has_value() ? &**found : nullptr;
    std::vector<LateRecord> late;
    late.reserve(waiting.size());
    for (const WaitingRecord* record : waiting) {
      late.push_back(
          {record->saved.offset, record->time, record->saved.canonical});
    }
    absl::StatusOr<Amendment> amendment =
        Amend(key->name, late, newest == nullptr ? nullptr : &newest->records,
              spec, reader);
    if (!amendment.ok()) return amendment.status();
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (absl::Status status =
              Settle(*waiting[i], amendment->outcomes[i], key, output);
          !status.ok()) {
        return status;
      }
    }
    if (!amendment->changed) continue;
    Writing& writing = writings->emplace_back();
    writing.start_ms = start_ms;
    writing.revision = newest == nullptr ? 1 : newest->revision + 1;
    writing.supersedes =
        newest == nullptr ? kZeroDigest : newest->checkpoint_hash;
    writing.records = std::move(amendment->records);
    writing.aggregates = std::move(amendment->aggregates);
  }
  key->waiting.clear();
  std::erase_if(key->drops, IsErased);
  return absl::OkStatus();
}

}  // namespace windproof
