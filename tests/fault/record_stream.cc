#include "tests/fault/record_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"
#include "common/proto/convert.h"

namespace windproof {
namespace {

constexpr int64_t kStartMs = 1'577'836'800'000;  // 2020-01-01T00:00:00Z
constexpr int64_t kDayMs = 86'400'000;
constexpr size_t kHistory = 8;

v1::Record Control(const std::string& topic, const std::string& key,
                   int64_t time_ms) {
  v1::Record record;
  record.set_topic(topic);
  record.set_key(key);
  record.set_value(FormatTimestamp(TimestampFromMillis(time_ms)));
  v1::Header& header = *record.add_headers();
  header.set_name(std::string(kControlHeader));
  header.set_value("watermark");
  return record;
}

}  // namespace

RecordStream::RecordStream(uint64_t seed, int publisher)
    : random_(seed * 1000 + static_cast<uint64_t>(publisher)) {
  for (int i = 0; i < kKeys; ++i) {
    Key& key = keys_.emplace_back();
    key.name = absl::StrCat("p", publisher, "-k", i);
    key.topic = absl::StrCat("fault.", i % kTopics);
    key.clock_ms = kStartMs;
  }
}

int64_t RecordStream::Throw(int64_t sides) {
  return static_cast<int64_t>(random_() % static_cast<uint64_t>(sides));
}

Batch RecordStream::Next() {
  Batch batch;
  if (OneIn(12)) {
    Key& key = keys_[static_cast<size_t>(Throw(kKeys))];
    key.clock_ms += Throw(200'000);
    batch.watermark.set_topic(key.topic);
    batch.watermark.set_key(key.name);
    *batch.watermark.mutable_watermark() = ToProtoMillis(key.clock_ms);
    return batch;
  }
  const int64_t size = OneIn(8) ? 200 + Throw(600) : 1 + Throw(40);
  for (int64_t i = 0; i < size; ++i) batch.records.push_back(NextRecord());
  return batch;
}

Batch RecordStream::Last() {
  Batch batch;
  for (const Key& key : keys_) {
    batch.records.push_back(
        Control(key.topic, key.name, key.clock_ms + kDayMs));
  }
  return batch;
}

v1::Record RecordStream::NextRecord() {
  Key& key = keys_[static_cast<size_t>(Throw(kKeys))];
  const int64_t kind = Throw(24);
  if (kind < 3 && !key.history.empty()) {
    // The same again: a duplicate, or late.
    return key.history[static_cast<size_t>(
        Throw(static_cast<int64_t>(key.history.size())))];
  }
  if (kind == 3) return Control(key.topic, key.name, key.clock_ms);
  if (kind == 4) return Reading(key, key.clock_ms);  // mostly a conflict
  if (kind == 5) return Reading(key, key.clock_ms - Throw(2'000'000));
  key.clock_ms += Throw(15) * 1'000;
  return Reading(key, key.clock_ms - Throw(4) * 20'000);
}

v1::Record RecordStream::Reading(Key& key, int64_t time_ms) {
  const std::string time =
      OneIn(3) ? absl::StrCat(time_ms)
               : absl::StrCat(
                     "\"", FormatTimestamp(TimestampFromMillis(time_ms)), "\"");
  v1::Record record;
  record.set_topic(key.topic);
  if (!OneIn(4)) record.set_key(key.name);
  record.set_value(absl::StrCat("{\"id\":\"", key.name, "\",\"at\":", time,
                                ",\"a\":", Throw(40), ".", Throw(10),
                                ",\"b\":", Throw(2), ",\"c\":[]}"));
  key.history.push_back(record);
  if (key.history.size() > kHistory) key.history.erase(key.history.begin());
  return record;
}

}  // namespace windproof
