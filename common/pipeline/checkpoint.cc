#include "common/pipeline/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
#include "common/pipeline/checkpoint_scanner.h"

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
  char hex[2 * sizeof(Digest)];
  char* p = hex;
  for (const uint8_t byte : digest) {
    *p++ = kDigits[byte >> 4];
    *p++ = kDigits[byte & 15];
  }
  out->append(hex, sizeof(hex));
}

void AppendMillis(int64_t millis, std::string* out) {
  AppendTimestamp(TimestampFromMillis(millis), out);
}

// Reads the members of one JSON object. Those that are asked for are the ones
// that it must have; status() tells the first problem.
class MemberReader {
 public:
  MemberReader(const JsonValue& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  // Another set of members is another version of the rules, whatever is wrong
  // with their values: so ask for all of them before this.
  absl::Status status() const {
    if (object_.kind != JsonValue::Kind::kObject) return Wrong("", "an object");
    for (const auto& [name, value] : object_.members) {
      if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
        return absl::UnimplementedError(
            absl::StrCat(Path(name), " is no member of version ", kVersion));
      }
    }
    if (!missing_.empty()) {
      return absl::UnimplementedError(absl::StrCat(
          Path(missing_), " is missing; version ", kVersion, " has it"));
    }
    return status_;
  }

  // Whether the object has a member that may be missing.
  bool Has(absl::string_view name) const {
    return object_.Find(name) != nullptr;
  }

  const JsonValue& Object(absl::string_view name) {
    const JsonValue& value = Get(name);
    if (value.kind != JsonValue::Kind::kObject) Fail(name, "an object");
    return value;
  }

  absl::string_view Text(absl::string_view name) {
    const JsonValue& value = Get(name);
    if (value.kind != JsonValue::Kind::kString) Fail(name, "a string");
    return value.string;
  }

  double Number(absl::string_view name) {
    const JsonValue& value = Get(name);
    if (value.kind != JsonValue::Kind::kNumber) Fail(name, "a number");
    return value.number;
  }

  // A whole number >= `least` as a JSON number.
  int64_t Count(absl::string_view name, int64_t least = 0) {
    const double number = Number(name);
    constexpr double kLimit = 9'223'372'036'854'775'808.0;
    if (!(number >= static_cast<double>(least) && number < kLimit &&
          number == std::floor(number))) {
      Fail(name, absl::StrCat("a whole number of at least ", least));
      return least;
    }
    return static_cast<int64_t>(number);
  }

  // A whole number >= 0 as a string.
  int64_t Position(absl::string_view name) {
    const absl::string_view text = Text(name);
    int64_t position = 0;
    if (text.empty() || text.find_first_not_of("0123456789") != text.npos ||
        !absl::SimpleAtoi(text, &position)) {
      Fail(name, "a whole number from 0 to 2^63 - 1 as a string");
    }
    return position;
  }

  Digest Hash(absl::string_view name) {
    const absl::StatusOr<Digest> digest = DigestFromHex(Text(name));
    if (!digest.ok()) {
      Fail(name, "64 lower-case hex digits");
      return kZeroDigest;
    }
    return *digest;
  }

  Timestamp Time(absl::string_view name) {
    const std::optional<Timestamp> time = ParseTimestamp(Text(name));
    if (!time.has_value()) Fail(name, "a timestamp");
    return time.value_or(Timestamp{});
  }

  int64_t Millis(absl::string_view name) {
    const std::optional<Timestamp> time = ParseTimestamp(Text(name));
    if (!time.has_value() || time->nanos % 1'000'000 != 0) {
      Fail(name, "a timestamp of whole milliseconds");
      return 0;
    }
    return FloorMillis(*time);
  }

 private:
  const JsonValue& Get(absl::string_view name) {
    static const JsonValue kNull;
    asked_.push_back(name);
    const JsonValue* value = object_.Find(name);
    if (value != nullptr) return *value;
    if (missing_.empty()) missing_ = name;
    return kNull;
  }

  std::string Path(absl::string_view name) const {
    if (name.empty()) return path_;
    return absl::StrCat(path_, ".", name);
  }

  void Fail(absl::string_view name, absl::string_view accepted) {
    if (status_.ok()) status_ = Wrong(name, accepted);
  }

  absl::Status Wrong(absl::string_view name, absl::string_view accepted) const {
    static const JsonValue kNull;
    const JsonValue* value = name.empty() ? &object_ : object_.Find(name);
    return absl::InvalidArgumentError(absl::StrCat(
        Path(name), " is ",
        CanonicalJson(value == nullptr ? kNull : *value).substr(0, 80),
        "; accepted is ", accepted));
  }

  const JsonValue& object_;
  const std::string path_;
  std::vector<absl::string_view> asked_;  // all names are literals
  absl::string_view missing_;             // the first
  absl::Status status_;
};

absl::Status ParseAggregates(const JsonValue& json, Checkpoint* checkpoint) {
  for (const auto& [field, value] : json.members) {
    MemberReader reader(value, absl::StrCat("checkpoint.aggregates.", field));
    Checkpoint::Aggregate& aggregate = checkpoint->aggregates.emplace_back();
    aggregate.field = field;
    aggregate.avg = reader.Number("avg");
    aggregate.count = reader.Count("count", 1);
    aggregate.max = reader.Number("max");
    aggregate.min = reader.Number("min");
    if (absl::Status status = reader.status(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ParseScan(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.scan");
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
  checkpoint->offsets_begin = reader.Position("begin");
  checkpoint->offsets_end = reader.Position("end");
  return reader.status();
}

absl::Status ParseSource(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.source");
  const int64_t partition = reader.Count("partition");
  checkpoint->topic = std::string(reader.Text("topic"));
  if (absl::Status status = reader.status(); !status.ok()) return status;
  if (partition > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint.source.partition is ", partition,
                     "; accepted are 0 to 2147483647"));
  }
  checkpoint->partition = static_cast<int32_t>(partition);
  return absl::OkStatus();
}

absl::Status ParseWindow(const JsonValue& json, Checkpoint* checkpoint) {
  MemberReader reader(json, "checkpoint.window");
  checkpoint->window_start_ms = reader.Millis("start");
  checkpoint->window_end_ms = reader.Millis("end");
  return reader.status();
}

// As ParseCheckpoint(), which see; says what is wrong.
absl::StatusOr<Checkpoint> ParseAnyCheckpoint(absl::string_view bytes) {
  const absl::StatusOr<JsonValue> json = ParseJson(bytes);
  if (!json.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint is no JSON: ", json.status().message()));
  }
  MemberReader reader(*json, "checkpoint");
  // The version first: what another one consists of is not ours to judge.
  if (reader.Number("version") != kVersion && reader.Has("version")) {
    return absl::UnimplementedError(absl::StrCat(
        "checkpoint.version is ", CanonicalJson(*json->Find("version")),
        "; accepted is ", kVersion));
  }

  Checkpoint checkpoint;
  checkpoint.dropped_root = reader.Hash("dropped_root");
  checkpoint.key = std::string(reader.Text("key"));
  checkpoint.pipeline = std::string(reader.Text("pipeline"));
  checkpoint.positions_sha256 = reader.Hash("positions_sha256");
  checkpoint.prev = reader.Hash("prev");
  checkpoint.records = reader.Count("records", 1);
  checkpoint.revision = reader.Count("revision");
  checkpoint.root = reader.Hash("root");
  checkpoint.seq = reader.Position("seq");
  checkpoint.spec = reader.Hash("spec");
  checkpoint.watermark = reader.Time("watermark");
  if (reader.Has("supersedes")) {
    checkpoint.supersedes = reader.Hash("supersedes");
  }
  const JsonValue& aggregates = reader.Object("aggregates");
  const JsonValue& offsets = reader.Object("offsets");
  const JsonValue& scan = reader.Object("scan");
  const JsonValue& source = reader.Object("source");
  const JsonValue& window = reader.Object("window");
  if (absl::Status status = reader.status(); !status.ok()) return status;
  for (const absl::Status& status :
       {ParseAggregates(aggregates, &checkpoint),
        ParseOffsets(offsets, &checkpoint), ParseScan(scan, &checkpoint),
        ParseSource(source, &checkpoint), ParseWindow(window, &checkpoint)}) {
    if (!status.ok()) return status;
  }

  if (checkpoint.supersedes.has_value() != (checkpoint.revision > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint.supersedes is ",
                     checkpoint.supersedes.has_value() ? "there" : "missing",
                     " with revision ", checkpoint.revision,
                     "; revisions from 1 up have it, and only those"));
  }
  // Both: what is encoded has each aggregate where it was read.
  if (CanonicalJson(*json) != bytes || EncodeCheckpoint(checkpoint) != bytes) {
    return absl::InvalidArgumentError(
        "checkpoint is not in its canonical form (RFC 8785)");
  }
  return checkpoint;
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
  Checkpoint scanned;
  if (ScanCheckpoint(bytes, &scanned) && EncodeCheckpoint(scanned) == bytes) {
    return scanned;
  }
  return ParseAnyCheckpoint(bytes);
}

}  // namespace windproof
