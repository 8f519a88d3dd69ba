#include "tests/vectors/golden_log.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/json_value.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"

namespace windproof {
namespace {

using Kind = JsonValue::Kind;

// Reads members and elements; the first problem wins and every later value is
// an empty one.
class Reader {
 public:
  absl::Status status;

  const JsonValue& Member(const JsonValue& object, absl::string_view name,
                          Kind kind) {
    static const JsonValue kEmpty;
    const JsonValue* value = object.Find(name);
    if (value != nullptr && value->kind == kind) return *value;
    Fail(absl::StrCat("member ", name, " is missing or of another type"));
    return kEmpty;
  }

  const JsonValue& Element(const JsonValue& array, size_t index) {
    static const JsonValue kEmpty;
    if (index < array.elements.size()) return array.elements[index];
    Fail(absl::StrCat("an array has no element ", index));
    return kEmpty;
  }

  int64_t Integer(const JsonValue& text) {
    int64_t integer = 0;
    if (text.kind == Kind::kNumber) return static_cast<int64_t>(text.number);
    if (!absl::SimpleAtoi(text.string, &integer)) {
      Fail(absl::StrCat("\"", text.string, "\" is no whole number"));
    }
    return integer;
  }

  std::optional<std::string> Bytes(const JsonValue& value) {
    if (value.kind == Kind::kNull) return std::nullopt;
    if (value.kind == Kind::kString) return value.string;
    std::string bytes;
    if (!absl::Base64Unescape(Member(value, "base64", Kind::kString).string,
                              &bytes)) {
      Fail("a member base64 is no base64");
    }
    return bytes;
  }

 private:
  void Fail(const std::string& message) {
    status.Update(absl::InvalidArgumentError(message));
  }
};

OwnedRecord ReadEntry(const JsonValue& json, Reader* reader) {
  static const JsonValue kNull;
  OwnedRecord record;
  record.offset =
      reader->Integer(reader->Member(json, "offset", Kind::kString));
  record.log_time_ms =
      reader->Integer(reader->Member(json, "log_time_ms", Kind::kString));
  const JsonValue* key = json.Find("key");
  const JsonValue* value = json.Find("value");
  record.key = reader->Bytes(key == nullptr ? kNull : *key);
  record.value = reader->Bytes(value == nullptr ? kNull : *value);
  for (const JsonValue& header :
       reader->Member(json, "headers", Kind::kArray).elements) {
    record.headers.emplace_back(
        reader->Bytes(reader->Element(header, 0)).value_or(""),
        reader->Bytes(reader->Element(header, 1)));
  }
  return record;
}

GoldenLog::Written ReadWritten(const JsonValue& json, Reader* reader) {
  GoldenLog::Written written;
  written.checkpoint = reader->Member(json, "checkpoint", Kind::kString).string;
  written.sha256 = reader->Member(json, "sha256", Kind::kString).string;
  for (const JsonValue& record :
       reader->Member(json, "records", Kind::kArray).elements) {
    written.records.emplace_back(reader->Integer(reader->Element(record, 0)),
                                 reader->Element(record, 1).string);
  }
  for (const JsonValue& dropped :
       reader->Member(json, "dropped", Kind::kArray).elements) {
    written.dropped.push_back({reader->Integer(reader->Element(dropped, 0)),
                               reader->Element(dropped, 1).string,
                               reader->Element(dropped, 2).string});
  }
  return written;
}

template <typename A, typename B>
absl::Status Compare(absl::string_view what, const A& expected,
                     const B& found) {
  if (expected == found) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      what, " differs:\n  expected ", expected, "\n  found    ", found));
}

absl::Status CompareWritten(const GoldenLog& log, const EngineRun& run) {
  const size_t common = std::min(log.written.size(), run.written().size());
  for (size_t i = 0; i < common; ++i) {
    const GoldenLog::Written& expected = log.written[i];
    const WrittenWindow& found = run.written()[i];
    const std::string at = absl::StrCat("checkpoint ", i);
    absl::Status status;
    // The parts first: they say more than the hash over them.
    for (size_t r = 0;
         r < std::min(expected.records.size(), found.records.entries.size());
         ++r) {
      const WindowRecords::Entry& entry = found.records.entries[r];
      const std::string record = absl::StrCat(at, ", record ", r);
      status.Update(Compare(absl::StrCat(record, ", offset"),
                            expected.records[r].first, entry.offset));
      status.Update(Compare(record, expected.records[r].second,
                            std::string(found.records.Canonical(entry))));
    }
    status.Update(Compare(absl::StrCat(at, ", number of records"),
                          expected.records.size(),
                          found.records.entries.size()));
    status.Update(Compare(at, expected.checkpoint, found.bytes));
    status.Update(Compare(absl::StrCat(at, ", sha256"), expected.sha256,
                          HexOf(found.checkpoint_hash)));
    if (!status.ok()) return status;
    const absl::StatusOr<Checkpoint> parsed = ParseCheckpoint(found.bytes);
    if (!parsed.ok()) return parsed.status();
    if (!(*parsed == found.checkpoint)) {
      return absl::FailedPreconditionError(
          absl::StrCat(at, " parses to another checkpoint"));
    }
    for (const GoldenLog::Written::Dropped& dropped : expected.dropped) {
      const auto kept =
          run.dropped().find({found.checkpoint.key, dropped.offset});
      status.Update(
          Compare(absl::StrCat(at, ", dropped record at ", dropped.offset),
                  dropped.reason,
                  kept == run.dropped().end()
                      ? "none"
                      : std::string(DropReasonName(kept->second))));
    }
    if (!status.ok()) return status;
  }
  return Compare("number of checkpoints", log.written.size(),
                 run.written().size());
}

// What every record became in the end, as the log's `classes` say it.
absl::Status CompareClasses(const GoldenLog& log, const EngineRun& run,
                            const std::map<int64_t, std::string>& at_first) {
  std::set<int64_t> accepted_after_all;
  for (const WrittenWindow& window : run.written()) {
    for (const WindowRecords::Entry& entry : window.records.entries) {
      accepted_after_all.insert(entry.offset);
    }
  }
  for (const GoldenLog::ClassOfRecord& expected : log.classes) {
    const auto first = at_first.find(expected.offset);
    std::string found = first == at_first.end() ? "none" : first->second;
    if (expected.key.has_value()) {
      const auto dropped = run.dropped().find({*expected.key, expected.offset});
      if (dropped != run.dropped().end()) {
        found = std::string(DropReasonName(dropped->second));
      } else if (found == "late") {
        found =
            accepted_after_all.contains(expected.offset) ? "accepted" : "none";
      }
    }
    if (absl::Status status =
            Compare(absl::StrCat("class of the record at ", expected.offset),
                    expected.name, found);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

std::string NameOf(WindowEngine::Class record_class) {
  switch (record_class) {
    case WindowEngine::Class::kAccepted:
      return "accepted";
    case WindowEngine::Class::kConflict:
      return "conflict";
    case WindowEngine::Class::kControl:
      return "control";
    case WindowEngine::Class::kDuplicate:
      return "duplicate";
    case WindowEngine::Class::kInvalid:
      return "invalid";
    case WindowEngine::Class::kLate:
      return "late";
    case WindowEngine::Class::kOther:
      return "other";
    case WindowEngine::Class::kReread:
      break;
  }
  return "reread";
}

}  // namespace

absl::StatusOr<GoldenLog> ParseGoldenLog(absl::string_view text) {
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok()) return json.status();
  Reader reader;
  GoldenLog log;
  log.name = reader.Member(*json, "name", Kind::kString).string;
  log.about = reader.Member(*json, "about", Kind::kString).string;
  log.spec_sha256 = reader.Member(*json, "spec_sha256", Kind::kString).string;
  log.origin = reader.Integer(reader.Member(*json, "origin", Kind::kString));
  const JsonValue& source = reader.Member(*json, "source", Kind::kObject);
  log.topic = reader.Member(source, "topic", Kind::kString).string;
  log.partition = static_cast<int32_t>(
      reader.Member(source, "partition", Kind::kNumber).number);
  for (const JsonValue& entry :
       reader.Member(*json, "entries", Kind::kArray).elements) {
    log.entries.push_back(ReadEntry(entry, &reader));
  }
  for (const JsonValue& row :
       reader.Member(*json, "classes", Kind::kArray).elements) {
    const JsonValue& key = reader.Element(row, 1);
    log.classes.push_back({reader.Integer(reader.Element(row, 0)),
                           key.kind == Kind::kNull
                               ? std::nullopt
                               : std::optional<std::string>(key.string),
                           reader.Element(row, 2).string});
  }
  for (const JsonValue& written :
       reader.Member(*json, "written", Kind::kArray).elements) {
    log.written.push_back(ReadWritten(written, &reader));
  }
  for (const JsonValue& row :
       reader.Member(*json, "positions", Kind::kArray).elements) {
    log.positions.push_back(
        {reader.Integer(reader.Member(row, "P", Kind::kString)),
         reader.Integer(reader.Member(row, "L", Kind::kString)),
         reader.Integer(reader.Member(row, "written", Kind::kNumber))});
  }
  const JsonValue& spec = reader.Member(*json, "spec", Kind::kObject);
  if (!reader.status.ok()) return reader.status;
  absl::StatusOr<PipelineSpec> parsed = ParseCanonicalSpec(CanonicalJson(spec));
  if (!parsed.ok()) return parsed.status();
  log.spec = *std::move(parsed);
  return log;
}

absl::Status CheckGoldenLog(const GoldenLog& log, const Feeding& feeding) {
  absl::Status status =
      Compare("spec_sha256", log.spec_sha256, HexOf(SpecHash(log.spec)));
  if (!status.ok()) return status;

  EngineRun run(log.spec, log.topic, log.partition, log.origin);
  if (feeding.spill_lag.has_value()) run.SpillOnCommit(*feeding.spill_lag);
  std::map<int64_t, GoldenLog::Position> positions;
  for (const GoldenLog::Position& position : log.positions) {
    positions[position.position] = position;
  }
  std::map<int64_t, std::string> classes;
  size_t in_batch = 0;
  for (const OwnedRecord& entry : log.entries) {
    status = run.Feed({&entry, 1});
    if (!status.ok()) return status;
    classes[entry.offset] = NameOf(run.engine().last_class());
    if (++in_batch != feeding.batch) continue;
    in_batch = 0;
    run.Commit();
    const auto expected = positions.find(run.state().position);
    if (expected != positions.end() && !feeding.spill_lag.has_value()) {
      const std::string at =
          absl::StrCat("at position ", run.state().position, ", ");
      status.Update(Compare(absl::StrCat(at, "low-water mark"),
                            expected->second.low_water, run.state().low_water));
      status.Update(Compare(absl::StrCat(at, "number of checkpoints"),
                            expected->second.written,
                            static_cast<int64_t>(run.written().size())));
    }
    if (feeding.restart) status.Update(run.Restart(log.entries));
    if (!status.ok()) return status;
  }
  run.Commit();
  status = CompareWritten(log, run);
  if (!status.ok()) return status;
  return CompareClasses(log, run, classes);
}

}  // namespace windproof
