#include "services/windproof/record_sender.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace windproof {
namespace {

struct Refusal {
  int index = 0;
  std::string reason;
};

// Ingest names the first record that it does not take: `records[17]: REASON`.
// Nothing where the message is about something else.
std::optional<Refusal> RefusalOf(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::INVALID_ARGUMENT) return {};
  const std::string message = status.error_message();
  absl::string_view text = message;
  if (!absl::ConsumePrefix(&text, "records[")) return {};
  const size_t end = text.find("]: ");
  Refusal refusal;
  if (end == absl::string_view::npos ||
      !absl::SimpleAtoi(text.substr(0, end), &refusal.index)) {
    return {};
  }
  refusal.reason = std::string(text.substr(end + 3));
  return refusal;
}

}  // namespace

void RecordBatch::Add(absl::string_view topic, absl::string_view key,
                      std::string value, RecordOrigin origin) {
  bytes_ += value.size();
  v1::Record* record = request_.add_records();
  record->set_topic(topic.data(), topic.size());
  if (!key.empty()) record->set_key(key.data(), key.size());
  record->set_value(std::move(value));
  origins_.push_back(origin);
}

bool RecordBatch::Merge(RecordBatch* other) {
  if (size() + other->size() > kRecords || bytes_ + other->bytes_ > kBytes) {
    return false;
  }
  for (v1::Record& record : *other->request_.mutable_records()) {
    *request_.add_records() = std::move(record);
  }
  origins_.insert(origins_.end(), other->origins_.begin(),
                  other->origins_.end());
  bytes_ += other->bytes_;
  return true;
}

void RecordBatch::Remove(int index) {
  request_.mutable_records()->DeleteSubrange(index, 1);
  origins_.erase(origins_.begin() + index);
}

RecordSender::RecordSender(
    std::unique_ptr<v1::IngestService::StubInterface> ingest, Options options)
    : ingest_(std::move(ingest)), options_(std::move(options)) {
  for (int i = 0; i < std::max(options_.lanes, 1); ++i) {
    lanes_.push_back(std::make_unique<Lane>());
    Lane& lane = *lanes_.back();
    lane.thread = std::thread([this, &lane] { Run(lane); });
  }
}

RecordSender::~RecordSender() { Finish(); }

bool RecordSender::Send(int lane_index, RecordBatch batch) {
  Lane& lane = *lanes_[static_cast<size_t>(lane_index)];
  MutexLock lock(mutex_);
  while (status_.ok() && lane.queue.size() >= options_.queue_max) {
    room_.Wait(mutex_);
  }
  if (!status_.ok()) return false;
  lane.queue.push_back(std::move(batch));
  lane.changed.NotifyOne();
  return true;
}

grpc::Status RecordSender::Finish() {
  {
    MutexLock lock(mutex_);
    finishing_ = true;
    for (const auto& lane : lanes_) lane->changed.NotifyOne();
  }
  for (const auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
  MutexLock lock(mutex_);
  return status_;
}

int64_t RecordSender::written() const {
  MutexLock lock(mutex_);
  return written_;
}

LogEnds RecordSender::log_ends() const {
  MutexLock lock(mutex_);
  return log_ends_;
}

void RecordSender::Run(Lane& lane) {
  while (true) {
    RecordBatch batch;
    {
      MutexLock lock(mutex_);
      while (lane.queue.empty() && !finishing_ && status_.ok()) {
        lane.changed.Wait(mutex_);
      }
      if (!status_.ok() || lane.queue.empty()) return;
      batch = std::move(lane.queue.front());
      lane.queue.pop_front();
      while (options_.merge && !lane.queue.empty() &&
             batch.Merge(&lane.queue.front())) {
        lane.queue.pop_front();
      }
      room_.NotifyOne();
    }
    const grpc::Status status = Publish(std::move(batch));
    if (status.ok()) continue;
    MutexLock lock(mutex_);
    if (status_.ok()) status_ = status;
    for (const auto& other : lanes_) other->changed.NotifyOne();
    room_.NotifyOne();
    return;
  }
}

grpc::Status RecordSender::Publish(RecordBatch batch) {
  while (batch.size() > 0) {
    grpc::ClientContext context;
    v1::PublishRecordsResponse response;
    const grpc::Status status =
        ingest_->PublishRecords(&context, batch.request(), &response);
    if (status.ok()) {
      MutexLock lock(mutex_);
      written_ += batch.size();
      int64_t* end = nullptr;
      const v1::PublishedRecord* last = nullptr;
      for (const v1::PublishedRecord& record : response.records()) {
        if (last == nullptr || record.partition() != last->partition() ||
            record.topic() != last->topic()) {
          end = &log_ends_[{record.topic(), record.partition()}];
        }
        *end = std::max(*end, record.offset() + 1);
        last = &record;
      }
      return status;
    }
    const std::optional<Refusal> refusal = RefusalOf(status);
    // A topic that nobody reads is wrong for all records, not for this one.
    if (!refusal.has_value() || refusal->index < 0 ||
        refusal->index >= batch.size() ||
        absl::StartsWith(refusal->reason, "topic ")) {
      return status;
    }
    if (options_.refused) {
      MutexLock lock(mutex_);
      options_.refused(batch.origin(refusal->index), refusal->reason);
    }
    batch.Remove(refusal->index);
  }
  return grpc::Status::OK;
}

}  // namespace windproof
