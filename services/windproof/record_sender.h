// Sends records to ingest, batch by batch, on several lanes side by side.
//
// A lane keeps its order: its next batch leaves when the one before it is
// durable. So records of one key belong on one lane. A record that ingest
// refuses is reported and left out; the rest of its batch goes on. A batch that
// does not get through is sent again for a while: what was written after all is
// then there twice, and counts as duplicates.
#ifndef WINDPROOF_SERVICES_WINDPROOF_RECORD_SENDER_H_
#define WINDPROOF_SERVICES_WINDPROOF_RECORD_SENDER_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"

namespace windproof {

// Where a record came from, in the sender's user's own words.
struct RecordOrigin {
  int32_t source = 0;
  int64_t number = 0;

  friend auto operator<=>(const RecordOrigin&, const RecordOrigin&) = default;
};

// Topic and partition, and one past the highest offset that was written there.
using LogEnds = std::map<std::pair<std::string, int32_t>, int64_t>;

class PublishBatch {
 public:
  // What a batch should not exceed: large enough to make a sync of the log
  // cheap, small enough to keep both sides busy.
  static constexpr int kRecords = 1000;
  static constexpr size_t kBytes = 1 << 20;

  // An empty `key`: the record has no message key.
  void Add(absl::string_view topic, absl::string_view key, std::string value,
           RecordOrigin origin);

  // Takes all of `other` if both fit into one batch.
  bool Merge(PublishBatch* other);

  // Leaves out one record.
  void Remove(int index);

  int size() const { return request_.records_size(); }
  bool full() const { return size() >= kRecords || bytes_ >= kBytes; }
  const v1::PublishRecordsRequest& request() const { return request_; }
  const RecordOrigin& origin(int index) const {
    return origins_[static_cast<size_t>(index)];
  }

 private:
  v1::PublishRecordsRequest request_;
  std::vector<RecordOrigin> origins_;
  size_t bytes_ = 0;
};

// Send() and Finish() belong to one thread; the rest is thread-safe.
class RecordSender {
 public:
  struct Options {
    int lanes = 1;
    size_t queue_max = 4;  // batches that wait on a lane
    // Batches that wait are sent as one: for records that come one by one.
    bool merge = false;
    // How long a batch is sent again where ingest is not reachable or cannot
    // take more, with pauses that grow. From a server that has not answered
    // yet a tenth of it is enough.
    std::chrono::milliseconds patience{20'000};
    std::chrono::milliseconds first_pause{100};
    // Told once of each time that begins in which ingest does not take records;
    // as `refused`.
    std::function<void(const grpc::Status&)> trying_again;
    // Told of each refused record and why; one call at a time, any thread.
    std::function<void(const RecordOrigin&, const std::string&)> refused;
  };

  RecordSender(std::unique_ptr<v1::IngestService::StubInterface> ingest,
               Options options);

  // As Finish().
  ~RecordSender();
  RecordSender(const RecordSender&) = delete;
  RecordSender& operator=(const RecordSender&) = delete;

  // Waits while the lane has queue_max batches. False after a failure: then
  // nothing is sent any more, and Finish() says why.
  bool Send(int lane, PublishBatch batch) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for what was sent. OK when every record was written or refused.
  grpc::Status Finish() ABSL_LOCKS_EXCLUDED(mutex_);

  // Records that are durable, until now.
  int64_t written() const ABSL_LOCKS_EXCLUDED(mutex_);
  LogEnds log_ends() const ABSL_LOCKS_EXCLUDED(mutex_);

  // By source: the number of the last record that is durable or refused. All
  // before it are, where a source has one lane and its numbers rise.
  std::map<int32_t, int64_t> settled() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Lane {
    std::deque<PublishBatch> queue;
    CondVar changed;
    std::thread thread;
  };

  void Run(Lane& lane) ABSL_LOCKS_EXCLUDED(mutex_);
  grpc::Status Publish(PublishBatch batch) ABSL_LOCKS_EXCLUDED(mutex_);
  grpc::Status Call(const PublishBatch& batch,
                    v1::PublishRecordsResponse* response)
      ABSL_LOCKS_EXCLUDED(mutex_);
  bool PauseBeforeNext(const grpc::Status& status,
                       std::chrono::steady_clock::time_point start,
                       std::chrono::milliseconds* pause)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<v1::IngestService::StubInterface> ingest_;
  const Options options_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  mutable Mutex mutex_;
  CondVar room_;
  CondVar failed_;  // ends the pauses of other lanes
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  int64_t written_ ABSL_GUARDED_BY(mutex_) = 0;
  LogEnds log_ends_ ABSL_GUARDED_BY(mutex_);
  std::map<int32_t, int64_t> settled_ ABSL_GUARDED_BY(mutex_);
};

// For `trying_again`.
std::string TryingAgainText(const grpc::Status& why);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_RECORD_SENDER_H_
