// Runs a partition worker over a store on the disk and a log in memory,
// restarting where a test says so.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_TESTING_WORKER_RUN_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_TESTING_WORKER_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"
#include "services/window_hash/partition_worker.h"
#include "services/window_hash/payload_store.h"

namespace windproof {

// A key of its own for each process.
const CheckpointSigner& TestSigner();

// An empty folder of its own for each call, below TEST_TMPDIR.
std::string NewTestDir(const std::string& name);

// The records of `log` with offset in [begin, end), and `end` as next offset.
RecordBatch BatchOf(const TopicPartition& source,
                    const std::vector<OwnedRecord>& log, int64_t begin,
                    int64_t end);

// Records of the built-in `weather` pipeline for each of `keys` in turn, ten
// minutes apart from 2026-01-01 on: `windows` full hours, closed by a control
// record of each key. Offsets from 0.
std::vector<OwnedRecord> WeatherLog(const std::vector<std::string>& keys,
                                    int windows);

// A store that can be closed and opened again; its folder goes with it.
struct TestStore {
  TestStore() = default;
  ~TestStore();
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  std::string dir = NewTestDir("store");
  std::unique_ptr<PayloadStore> store;

  absl::Status Open();
};

class WorkerRun {
 public:
  // All but `options` and `source` must outlive the run. Several runs can share
  // a store when their sources have other pipeline names.
  WorkerRun(const PipelineSpec& spec, PipelineSource source, int64_t origin,
            const std::vector<OwnedRecord>& log,
            PartitionWorker::Options options, TestStore& store);

  // Makes a worker from what is stored; opens the store before, if it is not.
  absl::Status OpenWorker();
  // As a crash does: nothing is finished. The next OpenWorker() goes on.
  void DropWorker() { worker_.reset(); }
  void DropStore();

  // Opens the worker and feeds it the whole log.
  absl::Status Run();

  // Feeds the log from where the worker stands up to `end`, in batches of
  // `batch` offsets.
  absl::Status FeedTo(int64_t end, int64_t batch);

  PartitionWorker& worker() { return *worker_; }
  PayloadStore& store() { return *store_.store; }
  const PipelineSource& source() const { return source_; }

  // Checkpoints in the order in which they were committed, over all restarts.
  const std::vector<std::string>& written() const { return written_; }

 private:
  const PipelineSpec& spec_;
  const PipelineSource source_;
  const int64_t origin_;
  const std::vector<OwnedRecord>& log_;
  PartitionWorker::Options options_;
  std::vector<std::string> written_;
  TestStore& store_;
  std::unique_ptr<PartitionWorker> worker_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_TESTING_WORKER_RUN_H_
