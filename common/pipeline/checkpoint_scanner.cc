#include "common/pipeline/checkpoint_scanner.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"

namespace windproof {
namespace {

// Takes members off the front, in their order. After the first thing that is
// not as it has to be, ok() is false and what is returned says nothing.
class Scanner {
 public:
  explicit Scanner(absl::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return rest_.empty(); }
  bool NextIs(absl::string_view text) const {
    return absl::StartsWith(rest_, text);
  }

  Scanner& Literal(absl::string_view text) {
    if (!NextIs(text)) return Fail();
    rest_.remove_prefix(text.size());
    return *this;
  }

  // The inside of a string, up to its closing quote, which stays. ASCII without
  // escapes only.
  absl::string_view Text() {
    size_t size = 0;
    while (size < rest_.size() && IsPlain(rest_[size])) ++size;
    if (size == rest_.size() || rest_[size] != '"') Fail();
    return Take(size);
  }
  std::string String() { return std::string(Text()); }

  Digest Hash() {
    const absl::StatusOr<Digest> digest = DigestFromHex(Text());
    if (!digest.ok()) Fail();
    return digest.value_or(kZeroDigest);
  }

  Timestamp Time() {
    const std::optional<Timestamp> time = ParseTimestamp(Text());
    if (!time.has_value()) Fail();
    return time.value_or(Timestamp{});
  }

  int64_t Millis() {
    const Timestamp time = Time();
    if (time.nanos % 1'000'000 != 0) Fail();
    return FloorMillis(time);
  }

  // A whole number >= 0, as digits.
  int64_t Position() {
    constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
    return Digits(0, kMax);
  }

  // The same as a JSON number, of those that a double has exactly.
  int64_t Count(int64_t least = 0) { return Digits(least, int64_t{1} << 53); }

  int32_t Partition() {
    return static_cast<int32_t>(Digits(0, std::numeric_limits<int32_t>::max()));
  }

  double Number() {
    // Not what from_chars() takes beside numbers: inf and nan.
    const size_t sign = NextIs("-") ? 1 : 0;
    if (sign == rest_.size() || !IsDigit(rest_[sign])) Fail();
    return Parsed<double>();
  }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  static bool IsPlain(char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  }

  Scanner& Fail() {
    ok_ = false;
    rest_ = {};
    return *this;
  }

  absl::string_view Take(size_t size) {
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  int64_t Digits(int64_t least, int64_t most) {
    const int64_t value = Parsed<int64_t>();
    if (value < least || value > most) Fail();
    return value;
  }

  template <typename T>
  T Parsed() {
    T value{};
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) {
      Fail();
      return value;
    }
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  absl::string_view rest_;
  bool ok_ = true;
};

void ScanAggregates(Scanner* in, Checkpoint* checkpoint) {
  in->Literal("{\"aggregates\":{");
  while (in->ok() && !in->NextIs("}")) {
    if (!checkpoint->aggregates.empty()) in->Literal(",");
    Checkpoint::Aggregate aggregate;
    aggregate.field = in->Literal("\"").String();
    aggregate.avg = in->Literal("\":{\"avg\":").Number();
    aggregate.count = in->Literal(",\"count\":").Count(1);
    aggregate.max = in->Literal(",\"max\":").Number();
    aggregate.min = in->Literal(",\"min\":").Number();
    in->Literal("}");
    checkpoint->aggregates.push_back(std::move(aggregate));
  }
  in->Literal("}");
}

void ScanScan(Scanner* in, Checkpoint* checkpoint) {
  ScanCounts& scan = checkpoint->scan;
  scan.accepted = in->Literal(",\"scan\":{\"accepted\":").Count();
  checkpoint->scan_begin = in->Literal(",\"begin\":\"").Position();
  scan.conflict = in->Literal("\",\"conflict\":").Count();
  scan.control = in->Literal(",\"control\":").Count();
  scan.duplicate = in->Literal(",\"duplicate\":").Count();
  checkpoint->scan_end = in->Literal(",\"end\":\"").Position();
  scan.gap = in->Literal("\",\"gap\":").Count();
  scan.invalid = in->Literal(",\"invalid\":").Count();
  scan.late = in->Literal(",\"late\":").Count();
  checkpoint->scan_low = in->Literal(",\"low\":\"").Position();
  scan.other = in->Literal("\",\"other\":").Count();
  in->Literal("}");
}

// Names of fields rise, so that none is there twice.
bool InOrder(const std::vector<Checkpoint::Aggregate>& aggregates) {
  for (size_t i = 1; i < aggregates.size(); ++i) {
    if (aggregates[i - 1].field >= aggregates[i].field) return false;
  }
  return true;
}

}  // namespace

bool ScanCheckpoint(absl::string_view bytes, Checkpoint* checkpoint) {
  Scanner in(bytes);
  ScanAggregates(&in, checkpoint);
  checkpoint->dropped_root = in.Literal(",\"dropped_root\":\"").Hash();
  checkpoint->key = in.Literal("\",\"key\":\"").String();
  checkpoint->offsets_begin =
      in.Literal("\",\"offsets\":{\"begin\":\"").Position();
  checkpoint->offsets_end = in.Literal("\",\"end\":\"").Position();
  checkpoint->pipeline = in.Literal("\"},\"pipeline\":\"").String();
  checkpoint->positions_sha256 =
      in.Literal("\",\"positions_sha256\":\"").Hash();
  checkpoint->prev = in.Literal("\",\"prev\":\"").Hash();
  checkpoint->records = in.Literal("\",\"records\":").Count(1);
  checkpoint->revision = in.Literal(",\"revision\":").Count();
  checkpoint->root = in.Literal(",\"root\":\"").Hash();
  in.Literal("\"");
  ScanScan(&in, checkpoint);
  checkpoint->seq = in.Literal(",\"seq\":\"").Position();
  checkpoint->partition =
      in.Literal("\",\"source\":{\"partition\":").Partition();
  checkpoint->topic = in.Literal(",\"topic\":\"").String();
  checkpoint->spec = in.Literal("\"},\"spec\":\"").Hash();
  if (checkpoint->revision > 0) {
    checkpoint->supersedes = in.Literal("\",\"supersedes\":\"").Hash();
  }
  checkpoint->watermark =
      in.Literal("\",\"version\":1,\"watermark\":\"").Time();
  checkpoint->window_end_ms = in.Literal("\",\"window\":{\"end\":\"").Millis();
  checkpoint->window_start_ms = in.Literal("\",\"start\":\"").Millis();
  in.Literal("\"}}");
  return in.ok() && in.AtEnd() && InOrder(checkpoint->aggregates);
}

}  // namespace windproof
