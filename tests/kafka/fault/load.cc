#include "tests/kafka/fault/load.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"

namespace windproof {
namespace {

// After all event times of the stream: 2025-01-01T00:00:00Z.
constexpr int64_t kLogTimeMs = 1'735'689'600'000;
// Only a log that stays away reaches this.
constexpr std::chrono::minutes kHung{3};
constexpr std::chrono::milliseconds kBetweenBatches{5};
constexpr std::chrono::milliseconds kBetweenTries{50};

// The number of a stream's key, which its name ends in: "…-k4".
int KeyNumber(const v1::Record& record) {
  const std::string& text = record.has_key() ? record.key() : record.value();
  const size_t at = text.find("-k");
  return at == std::string::npos ? 0 : text[at + 2] - '0';
}

}  // namespace

Load::Load(RecordLog& log, std::string prefix, int partitions, uint64_t seed)
    : log_(log),
      prefix_(std::move(prefix)),
      partitions_(partitions),
      stream_(seed, /*publisher=*/0),
      log_time_ms_(kLogTimeMs) {}

Load::~Load() {
  ending_ = true;
  if (writer_.joinable()) writer_.join();
}

std::vector<std::string> Load::topics() const {
  std::vector<std::string> topics;
  for (int i = 0; i < RecordStream::kTopics; ++i) {
    topics.push_back(absl::StrCat(prefix_, ".", i));
  }
  return topics;
}

absl::Status Load::MakeTopics() {
  for (const std::string& topic : topics()) {
    const absl::Status made =
        log_.EnsureTopic({.topic = topic, .partitions = partitions_});
    if (!made.ok()) return made;
  }
  return absl::OkStatus();
}

absl::Status Load::Write(int batches) {
  for (int i = 0; i < batches; ++i) {
    const absl::Status appended = Append(stream_.Next());
    if (!appended.ok()) return appended;
  }
  return absl::OkStatus();
}

void Load::BeginWriting() {
  ending_ = false;
  writer_ = std::thread([this] {
    while (!ending_ && written_.ok()) {
      written_ = Append(stream_.Next());
      std::this_thread::sleep_for(kBetweenBatches);
    }
  });
}

absl::Status Load::EndWriting() {
  ending_ = true;
  if (writer_.joinable()) writer_.join();
  return written_;
}

absl::Status Load::Finish() { return Append(stream_.Last()); }

absl::Status Load::Append(const Batch& batch) {
  std::vector<NewRecord> records;
  for (const v1::Record& record : batch.records) {
    records.push_back(ToLog(record));
  }
  if (batch.records.empty()) {
    v1::Record control;
    control.set_topic(batch.watermark.topic());
    control.set_key(batch.watermark.key());
    control.set_value(FormatTimestamp(
        TimestampFromMillis(batch.watermark.watermark().seconds() * 1'000 +
                            batch.watermark.watermark().nanos() / 1'000'000)));
    v1::Header& header = *control.add_headers();
    header.set_name(std::string(kControlHeader));
    header.set_value("watermark");
    records.push_back(ToLog(control));
  }
  const auto deadline = std::chrono::steady_clock::now() + kHung;
  while (true) {
    const absl::Status appended = log_.Append(records).status();
    if (appended.ok()) {
      records_ += static_cast<int64_t>(records.size());
      return appended;
    }
    const bool away =
        absl::IsUnavailable(appended) || absl::IsResourceExhausted(appended);
    if (!away || std::chrono::steady_clock::now() > deadline) return appended;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

NewRecord Load::ToLog(const v1::Record& record) {
  const int number = KeyNumber(record);
  NewRecord result;
  result.topic = absl::StrCat(prefix_, ".", number % RecordStream::kTopics);
  result.partition = number / RecordStream::kTopics % partitions_;
  if (record.has_key()) result.key = record.key();
  result.value = record.value();
  for (const v1::Header& header : record.headers()) {
    result.headers.emplace_back(header.name(), header.value());
  }
  result.log_time_ms = ++log_time_ms_;
  return result;
}

}  // namespace windproof
