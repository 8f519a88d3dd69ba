#include "services/windproof/record_sender.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestPause{2000};

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

// The same call may succeed later.
bool MayPass(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

}  // namespace

std::string TryingAgainText(const grpc::Status& why) {
  return absl::StrCat("windproof: ingest takes no records at the moment (",
                      why.error_message(), "); trying again");
}

void PublishBatch::Add(absl::string_view topic, absl::string_view key,
                       std::string value, RecordOrigin origin) {
  bytes_ += value.size();
  v1::Record* record = request_.add_records();
  record->set_topic(topic.data(), topic.size());
  if (!key.empty()) record->set_key(key.data(), key.size());
  record->set_value(std::move(value));
  origins_.push_back(origin);
}

bool PublishBatch::Merge(PublishBatch* other) {
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

void PublishBatch::Remove(int index) {
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

bool RecordSender::Send(int lane_index, PublishBatch batch) {
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

std::map<int32_t, int64_t> RecordSender::settled() const {
  MutexLock lock(mutex_);
  return settled_;
}

void RecordSender::Run(Lane& lane) {
  while (true) {
    PublishBatch batch;
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
    failed_.NotifyAll();
    return;
  }
}

// Waits a little longer each time. False: it has been long enough.
bool RecordSender::PauseBeforeNext(const grpc::Status& status,
                                   steady_clock::time_point start,
                                   milliseconds* pause) {
  MutexLock lock(mutex_);
  const milliseconds patience =
      written_ > 0 ? options_.patience : options_.patience / 10;
  const steady_clock::time_point next = steady_clock::now() + *pause;
  if (!status_.ok() || next > start + patience) return false;
  if (*pause == options_.first_pause && options_.trying_again) {
    options_.trying_again(status);
  }
  *pause = std::min(2 * *pause, kLongestPause);
  while (status_.ok() && failed_.WaitUntil(mutex_, next)) {
  }
  return status_.ok();
}

grpc::Status RecordSender::Call(const PublishBatch& batch,
                                v1::PublishRecordsResponse* response) {
  const steady_clock::time_point start = steady_clock::now();
  milliseconds pause = options_.first_pause;
  while (true) {
    grpc::ClientContext context;
    const grpc::Status status =
        ingest_->PublishRecords(&context, batch.request(), response);
    if (!MayPass(status) || !PauseBeforeNext(status, start, &pause)) {
      return status;
    }
  }
}

grpc::Status RecordSender::Publish(PublishBatch batch) {
  while (batch.size() > 0) {
    v1::PublishRecordsResponse response;
    const grpc::Status status = Call(batch, &response);
    if (status.ok()) {
      MutexLock lock(mutex_);
      written_ += batch.size();
      for (int i = 0; i < batch.size(); ++i) {
        settled_[batch.origin(i).source] = batch.origin(i).number;
      }
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
    {
      MutexLock lock(mutex_);
      const RecordOrigin& origin = batch.origin(refusal->index);
      if (options_.refused) options_.refused(origin, refusal->reason);
      // Those before it are not: they go with the rest of the batch.
      if (refusal->index == 0) settled_[origin.source] = origin.number;
    }
    batch.Remove(refusal->index);
  }
  return grpc::Status::OK;
}

}  // namespace windproof
