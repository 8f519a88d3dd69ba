#include "common/pipeline/testing/random_log.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"

namespace windproof {
namespace {

constexpr int64_t kStartMs = 1'769'342'400'000;    // 2026-01-25T12:00:00Z
constexpr int64_t kLogTimeMs = 1'893'456'000'000;  // 2030-01-01T00:00:00Z

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  // A whole number in [0, sides).
  int64_t Throw(int64_t sides) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(sides));
  }
  bool OneIn(int64_t sides) { return Throw(sides) == 0; }

 private:
  std::mt19937_64 random_;
};

std::string RandomNumber(Dice& dice) {
  switch (dice.Throw(6)) {
    case 0:
      return absl::StrCat(dice.Throw(100));
    case 1:
      return absl::StrFormat("-%d.%d0", dice.Throw(30), dice.Throw(10));
    case 2:
      return absl::StrFormat("%d.%09d5e0", dice.Throw(9), dice.Throw(1000));
    case 3:
      return "1e20";  // too large to aggregate
    case 4:
      return "-0.0";
    default:
      return absl::StrFormat("%d.%d", dice.Throw(40), dice.Throw(10));
  }
}

std::string RandomValue(Dice& dice, const PipelineSpec& spec,
                        const std::string& key, int64_t time_ms) {
  const std::string time =
      dice.OneIn(3)
          ? absl::StrCat(time_ms)
          : absl::StrCat("\"", FormatTimestamp(TimestampFromMillis(time_ms)),
                         "\"");
  std::string value = "{";
  if (!dice.OneIn(8)) {
    absl::StrAppend(&value, "\"", spec.key_field, "\": \"", key, "\", ");
  }
  absl::StrAppend(&value, "\"", spec.timestamp_field, "\":", time);
  for (const auto& [name, type] : spec.fields) {
    if (dice.OneIn(4)) continue;
    absl::StrAppend(&value, ",\"", name,
                    "\":", dice.OneIn(9) ? "null" : RandomNumber(dice));
  }
  if (dice.OneIn(4)) absl::StrAppend(&value, ",\"unknown\":[{},\"\\u00e9\"]");
  return absl::StrCat(value, "}");
}

}  // namespace

PipelineSpec RandomSpec(uint64_t seed) {
  Dice dice(seed ^ 0x5eed);
  PipelineSpec spec;
  spec.name = "random";
  spec.topics = {"random"};
  spec.key_field = "id";
  spec.timestamp_field = "at";
  spec.fields = {{"a", FieldType::kNumber}, {"b", FieldType::kNumber}};
  if (!dice.OneIn(4)) spec.aggregated = {"a"};
  constexpr int64_t kWindows[] = {1, 1'000, 60'000, 3'600'000, 604'800'000};
  spec.window_ms = kWindows[dice.Throw(5)];
  spec.grace_ms = dice.Throw(3) * spec.window_ms / 2;
  spec.future_skew_ms = dice.Throw(2) * 300'000;
  if (dice.OneIn(2)) {
    spec.late_policy = LatePolicy::kAmend;
    spec.amend_ms = spec.window_ms * (1 + dice.Throw(6));
  }
  return spec;
}

std::vector<OwnedRecord> RandomLog(uint64_t seed, const PipelineSpec& spec,
                                   size_t records, int64_t origin) {
  Dice dice(seed);
  const int64_t keys = 1 + dice.Throw(4);
  const int64_t step = spec.window_ms / 6 + 1;
  int64_t clock_ms = kStartMs;
  int64_t offset = origin;
  std::vector<OwnedRecord> log;
  while (log.size() < records) {
    clock_ms += dice.Throw(spec.window_ms / 8 + 2);
    if (dice.OneIn(7)) offset += dice.Throw(5);
    OwnedRecord record;
    if (!log.empty() && dice.OneIn(8)) {
      // The same again: a duplicate, or late.
      const auto back = 1 + dice.Throw(std::min<int64_t>(
                                8, static_cast<int64_t>(log.size())));
      record = log[log.size() - static_cast<size_t>(back)];
    } else {
      const std::string key = absl::StrCat("k", dice.Throw(keys));
      int64_t time_ms = clock_ms + (dice.Throw(7) - 3) * step;
      if (dice.OneIn(7)) time_ms -= dice.Throw(8) * spec.window_ms;
      record.log_time_ms = dice.OneIn(40) ? -1 : kLogTimeMs;
      if (!dice.OneIn(8)) record.key = key;
      if (dice.OneIn(14)) {
        record.headers = {{std::string(kControlHeader),
                           dice.OneIn(5) ? "other" : "watermark"}};
        record.value = FormatTimestamp(TimestampFromMillis(time_ms));
      } else if (dice.OneIn(14)) {
        constexpr const char* kBad[] = {"", "{", "[]", "{\"at\":1e999}",
                                        "{\"at\":1,\"at\":1}"};
        record.value = kBad[dice.Throw(5)];
        if (dice.OneIn(4)) record.value.reset();
      } else {
        record.value = RandomValue(dice, spec, key, time_ms);
      }
      if (dice.OneIn(20)) record.key = std::string("\x01", 1);
      if (dice.OneIn(9)) record.headers.emplace_back("trace", std::nullopt);
    }
    record.offset = offset++;
    log.push_back(std::move(record));
  }
  return log;
}

}  // namespace windproof
