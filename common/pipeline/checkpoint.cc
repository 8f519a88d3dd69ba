#include "common/pipeline/checkpoint.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"

namespace windproof {
namespace {

constexpr int kVersion = 1;

// A count as a JSON number. Beyond 2^53 it is what a double makes of it.
void AppendCount(int64_t count, std::string* out) {
  constexpr int64_t kExact = int64_t{1} << 53;
  if (count >= -kExact && count <= kExact) {
    absl::StrAppend(out, count);
  } else {
    AppendCanonicalNumber(static_cast<double>(count), out);
  }
}

void AppendHex(const Digest& digest, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const uint8_t byte : digest) {
    out->push_back(kDigits[byte >> 4]);
    out->push_back(kDigits[byte & 15]);
  }
}

void AppendMillis(int64_t millis, std::string* out) {
  AppendTimestamp(TimestampFromMillis(millis), out);
}

// Reads the members of one JSON object; the first problem wins.
class MemberReader {
 public:
  MemberReader(const JsonValue& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  const absl::Status& status() const { return status_; }
  bool ok() const { return status_.ok(); }
  void Fail(absl::Status status) { status_.Update(std::move(status)); }

  // Fails unless the object's members are exactly `names` (those of `optional`
  // may be missing): another set is another version of the rules.
  template <size_t N>
  void ExpectMembers(const std::array<absl::string_view, N>& names,
                     absl::string_view optional = "") {
    if (object_.kind != JsonValue::Kind::kObject) {
      Fail(Wrong("", "an object"));
      return;
    }
    for (const auto& [name, value] : object_.members) {
      bool known = name == optional;
      for (const absl::string_view accepted : names) known |= name == accepted;
      if (!known) {
        Fail(absl::UnimplementedError(
            absl::StrCat(Path(name), " is no member of version ", kVersion)));
        return;
      }
    }
    for (const absl::string_view name : names) {
      if (object_.Find(name) == nullptr) {
        Fail(absl::UnimplementedError(absl::StrCat(
            Path(name), " is missing; version ", kVersion, " has it")));
        return;
      }
    }
  }

  const JsonValue& Object(absl::string_view name) {
    const JsonValue& value = Get(name);
    if (value.kind != JsonValue::Kind::kObject) Fail(Wrong(name, "an object"));
    return value;
  }

  std::string Text(absl::string_view name) {
    const JsonValue& value = Get(name);
    if (value.kind != JsonValue::Kind::kString) Fail(Wrong(name, "a string"));
    return value.string;
  }

  double Number(absl::string_view name) {
    const JsonValue& value = Get(name);
    if (value.kind != JsonValue::Kind::kNumber) Fail(Wrong(name, "a number"));
    return value.number;
  }

  // A whole number >= `least` as a JSON number.
  int64_t Count(absl::string_view name, int64_t least = 0) {
    const double number = Number(name);
    constexpr double kLimit = 9'223'372'036'854'775'808.0;
    if (!(number >= static_cast<double>(least) && number < kLimit &&
          number == std::floor(number))) {
      Fail(Wrong(name, absl::StrCat("a whole number of at least ", least)));
      return least;
    }
    return static_cast<int64_t>(number);
  }

  // A whole number >= 0 as a string.
  int64_t Position(absl::string_view name) {
    const std::string text = Text(name);
    int64_t position = 0;
    if (text.empty() || text.find_first_not_of("0123456789") != text.npos ||
        !absl::SimpleAtoi(text, &position)) {
      Fail(Wrong(name, "a whole number from 0 to 2^63 - 1 as a string"));
    }
    return position;
  }

  Digest Hash(absl::string_view name) {
    const absl::StatusOr<Digest> digest = DigestFromHex(Text(name));
    if (!digest.ok()) {
      Fail(Wrong(name, "64 lower-case hex digits"));
      return kZeroDigest;
    }
    return *digest;
  }

  Timestamp Time(absl::string_view name) {
    const std::optional<Timestamp> time = ParseTimestamp(Text(name));
    if (!time.has_value()) Fail(Wrong(name, "a timestamp"));
    return time.value_or(Timestamp{});
  }

  int64_t Millis(absl::string_view name) {
    const std::string text = Text(name);
    const std::optional<Timestamp> time = ParseTimestamp(text);
    if (!time.has_value() || time->nanos % 1'000'000 != 0) {
      Fail(Wrong(name, "a timestamp of whole milliseconds"));
      return 0;
    }
    return FloorMillis(*time);
  }

 private:
  const JsonValue& Get(absl::string_view name) const {
    static const JsonValue kNull;
    const JsonValue* value = object_.Find(name);
    return value == nullptr ? kNull : *value;
  }

  std::string Path(absl::string_view name) const {
    if (name.empty()) return path_;
    return absl::StrCat(path_, ".", name);
  }

  absl::Status Wrong(absl::string_view name, absl::string_view accepted) const {
    const std::string found =
        CanonicalJson(name.empty() ? object_ : Get(name)).substr(0, 80);
    return absl::InvalidArgumentError(
        absl::StrCat(Path(name), " is ", found, "; accepted is ", accepted));
  }

  const JsonValue& object_;
  const std::string path_;
  absl::Status status_;
};

absl::Status ParseAggregates(const JsonValue& json, Checkpoint* checkpoint) {
  for (const auto& [field, value] : json.members) {
    MemberReader reader(value, absl::StrCat("checkpoint.aggregates.", field));
    reader.ExpectMembers(
        std::array<absl::string_view, 4>{"avg", "count", "max", "min"});
    if (!reader.ok()) return reader.status();
    Checkpoint::Aggregate aggregate;
    aggregate.field = field;
    aggregate.avg = reader.Number("avg");
    aggregate.count = reader.Count("count", 1);
    aggregate.max = reader.Number("max");
    aggregate.min = reader.Number("min");
    if (!reader.ok()) return reader.status();
    checkpoint->aggregates.push_back(std::move(aggregate));
  }
  return absl::OkStatus();
}

absl::Status ParseScan(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.scan");
  reader.ExpectMembers(std::array<absl::string_view, 11>{
      "accepted", "begin", "conflict", "control", "duplicate", "end", "gap",
      "invalid", "late", "low", "other"});
  if (!reader.ok()) return reader.status();
  checkpoint->scan_begin = reader.Position("begin");
  checkpoint->scan_end = reader.Position("end");
  checkpoint->scan_low = reader.Position("low");
  ScanCounts& scan = checkpoint->scan;
  scan.accepted = reader.Count("accepted");
  scan.conflict = reader.Count("conflict");
  scan.control = reader.Count("control");
  scan.duplicate = reader.Count("duplicate");
  scan.gap = reader.Count("gap");
  scan.invalid = reader.Count("invalid");
  scan.late = reader.Count("late");
  scan.other = reader.Count("other");
  return reader.status();
}

absl::Status ParseOffsets(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.offsets");
  reader.ExpectMembers(std::array<absl::string_view, 2>{"begin", "end"});
  if (!reader.ok()) return reader.status();
  checkpoint->offsets_begin = reader.Position("begin");
  checkpoint->offsets_end = reader.Position("end");
  return reader.status();
}

absl::Status ParseSource(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.source");
  reader.ExpectMembers(std::array<absl::string_view, 2>{"partition", "topic"});
  if (!reader.ok()) return reader.status();
  const int64_t partition = reader.Count("partition");
  if (partition > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint.source.partition is ", partition,
                     "; accepted are 0 to 2147483647"));
  }
  checkpoint->partition = static_cast<int32_t>(partition);
  checkpoint->topic = reader.Text("topic");
  return reader.status();
}

absl::Status ParseWindow(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.window");
  reader.ExpectMembers(std::array<absl::string_view, 2>{"end", "start"});
  if (!reader.ok()) return reader.status();
  checkpoint->window_start_ms = reader.Millis("start");
  checkpoint->window_end_ms = reader.Millis("end");
  return reader.status();
}

}  // namespace

void AppendCheckpoint(const Checkpoint& checkpoint, std::string* out) {
  // The members in RFC 8785 order, written down once.
  out->append("{\"aggregates\":{");
  for (size_t i = 0; i < checkpoint.aggregates.size(); ++i) {
    const Checkpoint::Aggregate& aggregate = checkpoint.aggregates[i];
    if (i > 0) out->push_back(',');
    AppendQuoted(aggregate.field, out);
    out->append(":{\"avg\":");
    AppendCanonicalNumber(aggregate.avg, out);
    out->append(",\"count\":");
    AppendCount(aggregate.count, out);
    out->append(",\"max\":");
    AppendCanonicalNumber(aggregate.max, out);
    out->append(",\"min\":");
    AppendCanonicalNumber(aggregate.min, out);
    out->push_back('}');
  }
  out->append("},\"dropped_root\":\"");
  AppendHex(checkpoint.dropped_root, out);
  out->append("\",\"key\":");
  AppendQuoted(checkpoint.key, out);
  absl::StrAppend(out, ",\"offsets\":{\"begin\":\"", checkpoint.offsets_begin,
                  "\",\"end\":\"", checkpoint.offsets_end, "\"},\"pipeline\":");
  AppendQuoted(checkpoint.pipeline, out);
  out->append(",\"positions_sha256\":\"");
  AppendHex(checkpoint.positions_sha256, out);
  out->append("\",\"prev\":\"");
  AppendHex(checkpoint.prev, out);
  out->append("\",\"records\":");
  AppendCount(checkpoint.records, out);
  out->append(",\"revision\":");
  AppendCount(checkpoint.revision, out);
  out->append(",\"root\":\"");
  AppendHex(checkpoint.root, out);

  const ScanCounts& scan = checkpoint.scan;
  out->append("\",\"scan\":{\"accepted\":");
  AppendCount(scan.accepted, out);
  absl::StrAppend(out, ",\"begin\":\"", checkpoint.scan_begin,
                  "\",\"conflict\":");
  AppendCount(scan.conflict, out);
  out->append(",\"control\":");
  AppendCount(scan.control, out);
  out->append(",\"duplicate\":");
  AppendCount(scan.duplicate, out);
  absl::StrAppend(out, ",\"end\":\"", checkpoint.scan_end, "\",\"gap\":");
  AppendCount(scan.gap, out);
  out->append(",\"invalid\":");
  AppendCount(scan.invalid, out);
  out->append(",\"late\":");
  AppendCount(scan.late, out);
  absl::StrAppend(out, ",\"low\":\"", checkpoint.scan_low, "\",\"other\":");
  AppendCount(scan.other, out);

  absl::StrAppend(out, "},\"seq\":\"", checkpoint.seq,
                  "\",\"source\":{\"partition\":", checkpoint.partition,
                  ",\"topic\":");
  AppendQuoted(checkpoint.topic, out);
  out->append("},\"spec\":\"");
  AppendHex(checkpoint.spec, out);
  if (checkpoint.supersedes.has_value()) {
    out->append("\",\"supersedes\":\"");
    AppendHex(*checkpoint.supersedes, out);
  }
  absl::StrAppend(out, "\",\"version\":", kVersion, ",\"watermark\":\"");
  AppendTimestamp(checkpoint.watermark, out);
  out->append("\",\"window\":{\"end\":\"");
  AppendMillis(checkpoint.window_end_ms, out);
  out->append("\",\"start\":\"");
  AppendMillis(checkpoint.window_start_ms, out);
  out->append("\"}}");
}

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string bytes;
  bytes.reserve(1024);
  AppendCheckpoint(checkpoint, &bytes);
  return bytes;
}

absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view bytes) {
  const absl::StatusOr<JsonValue> json = ParseJson(bytes);
  if (!json.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint is no JSON: ", json.status().message()));
  }
  MemberReader reader(*json, "checkpoint");
  // The version first: what another one consists of is not ours to judge.
  const JsonValue* version = json->Find("version");
  if (version != nullptr && !(version->kind == JsonValue::Kind::kNumber &&
                              version->number == kVersion)) {
    return absl::UnimplementedError(absl::StrCat("checkpoint.version is ",
                                                 CanonicalJson(*version),
                                                 "; accepted is ", kVersion));
  }
  reader.ExpectMembers(
      std::array<absl::string_view, 17>{
          "aggregates", "dropped_root", "key", "offsets", "pipeline",
          "positions_sha256", "prev", "records", "revision", "root", "scan",
          "seq", "source", "spec", "version", "watermark", "window"},
      "supersedes");
  if (!reader.ok()) return reader.status();

  Checkpoint checkpoint;
  checkpoint.dropped_root = reader.Hash("dropped_root");
  checkpoint.key = reader.Text("key");
  checkpoint.pipeline = reader.Text("pipeline");
  checkpoint.positions_sha256 = reader.Hash("positions_sha256");
  checkpoint.prev = reader.Hash("prev");
  checkpoint.records = reader.Count("records", 1);
  checkpoint.revision = reader.Count("revision");
  checkpoint.root = reader.Hash("root");
  checkpoint.seq = reader.Position("seq");
  checkpoint.spec = reader.Hash("spec");
  checkpoint.watermark = reader.Time("watermark");
  if (json->Find("supersedes") != nullptr) {
    checkpoint.supersedes = reader.Hash("supersedes");
  }
  const JsonValue& aggregates = reader.Object("aggregates");
  const JsonValue& offsets = reader.Object("offsets");
  const JsonValue& scan = reader.Object("scan");
  const JsonValue& source = reader.Object("source");
  const JsonValue& window = reader.Object("window");
  if (!reader.ok()) return reader.status();
  reader.Fail(ParseAggregates(aggregates, &checkpoint));
  reader.Fail(ParseOffsets(offsets, &checkpoint));
  reader.Fail(ParseScan(scan, &checkpoint));
  reader.Fail(ParseSource(source, &checkpoint));
  reader.Fail(ParseWindow(window, &checkpoint));
  if (!reader.ok()) return reader.status();

  if (checkpoint.supersedes.has_value() != (checkpoint.revision > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint.supersedes is ",
                     checkpoint.supersedes.has_value() ? "there" : "missing",
                     " with revision ", checkpoint.revision,
                     "; revisions from 1 up have it, and only those"));
  }
  if (EncodeCheckpoint(checkpoint) != bytes) {
    return absl::InvalidArgumentError(
        "checkpoint is not in its canonical form (RFC 8785)");
  }
  return checkpoint;
}

}  // namespace windproof
