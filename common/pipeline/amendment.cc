#include "common/pipeline/amendment.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/aggregate.h"

namespace windproof {
namespace {

struct Value {
  int64_t offset = 0;
  std::string canonical;
};

// A window's records by time: what a revision changes and then writes.
using Values = std::map<Timestamp, Value>;

absl::Status NotCanonical(absl::string_view key, int64_t offset) {
  return absl::DataLossError(absl::StrCat("the stored record of key ", key,
                                          " at offset ", offset,
                                          " is not canonical"));
}

absl::StatusOr<Values> ValuesOf(absl::string_view key,
                                const WindowRecords* newest,
                                RecordReader& reader) {
  Values values;
  if (newest == nullptr) return values;
  for (const WindowRecords::Entry& entry : newest->entries) {
    const absl::string_view canonical = newest->Canonical(entry);
    RecordReader::Result read;
    if (!reader.ReadCanonical(key, canonical, &read)) {
      return NotCanonical(key, entry.offset);
    }
    values[read.time] = {entry.offset, std::string(canonical)};
  }
  return values;
}

absl::Status Write(absl::string_view key, const Values& values,
                   const PipelineSpec& spec, RecordReader& reader,
                   Amendment* amendment) {
  Aggregator aggregator(spec.aggregated.size());
  WindowRecords& records = amendment->records;
  for (const auto& [time, value] : values) {
    RecordReader::Result read;
    if (!reader.ReadCanonical(key, value.canonical, &read)) {
      return NotCanonical(key, value.offset);
    }
    aggregator.Add(read.aggregated);
    if (records.bytes.size() + value.canonical.size() >
        std::numeric_limits<uint32_t>::max()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the amended window of key ", key,
                       " would exceed 4 GiB of canonical records"));
    }
    records.entries.push_back(
        {value.offset, static_cast<uint32_t>(records.bytes.size()),
         static_cast<uint32_t>(value.canonical.size()), kZeroDigest});
    records.bytes += value.canonical;
  }
  amendment->aggregates = aggregator.Finish(spec.aggregated);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Amendment> Amend(absl::string_view key,
                                const std::vector<LateRecord>& late,
                                const WindowRecords* newest,
                                const PipelineSpec& spec,
                                RecordReader& reader) {
  absl::StatusOr<Values> values = ValuesOf(key, newest, reader);
  if (!values.ok()) return values.status();

  // Of the records of one time, the last one's value counts.
  std::map<Timestamp, absl::string_view> settled;
  for (const LateRecord& record : late) settled[record.time] = record.canonical;

  Amendment amendment;
  for (const LateRecord& record : late) {
    std::optional<DropReason>& outcome = amendment.outcomes.emplace_back();
    const auto held = values->find(record.time);
    if (record.canonical != settled.at(record.time)) {
      outcome = DropReason::kConflict;
    } else if (held != values->end() &&
               held->second.canonical == record.canonical) {
      outcome = DropReason::kDuplicate;
    } else {
      (*values)[record.time] = {record.offset, std::string(record.canonical)};
      amendment.changed = true;
    }
  }
  if (amendment.changed) {
    if (absl::Status status = Write(key, *values, spec, reader, &amendment);
        !status.ok()) {
      return status;
    }
  }
  return amendment;
}

}  // namespace windproof
