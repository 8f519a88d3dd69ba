// What the Kafka benchmark runs: an anchor that says yes to everything, in this
// process, and window-hash and ingest as they are, each a process of its own
// whose CPU and memory are read from /proc.
//
// Errors of the benchmark itself end the program with a message.
#ifndef WINDPROOF_TESTS_BENCH_KAFKA_SERVICES_H_
#define WINDPROOF_TESTS_BENCH_KAFKA_SERVICES_H_

#include <grpcpp/server.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "tests/bench/kafka_load.h"

namespace windproof {

// Answers ANCHORED and keeps nothing, so that what is measured is window-hash.
// Thread-safe.
class YesAnchor final : public v1::AnchorService::Service {
 public:
  YesAnchor();
  ~YesAnchor() override;

  const std::string& address() const { return address_; }

  void Reset() ABSL_LOCKS_EXCLUDED(mutex_);
  // Until that many checkpoints came since Reset(); false: not within 30 s of
  // the one before.
  bool WaitFor(int64_t checkpoints) ABSL_LOCKS_EXCLUDED(mutex_);

  grpc::Status SubmitCheckpoints(
      grpc::ServerContext* context, const v1::SubmitCheckpointsRequest* request,
      v1::SubmitCheckpointsResponse* response) override;

 private:
  Mutex mutex_;
  CondVar changed_;
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// CPU of a process until now, all threads; 0 where it is gone.
double CpuSecondsOf(pid_t pid);
// VmHWM or VmRSS.
double MemoryMibOf(pid_t pid, absl::string_view field);
// The broker, which is our child; 0: there is none.
pid_t BrokerPid();

// What of (b) is measured.
struct WindowHashRun {
  Cost cost;  // from the start of the process until all is anchored
  double anchor_cpu_s = 0;  // of this process, meanwhile
  double broker_cpu_s = 0;
  double peak_rss_mib = 0;
  std::vector<double> rss_mib;  // at equal steps, of the checkpoints
  double restart_s = 0;         // with nothing behind, until it knows that
};

struct WindowHashJob {
  std::string bootstrap;
  std::string dir;  // of its own
  bool changelog = false;
  bool restart = false;  // measured afterwards
  int rss_steps = 1;
};

// Runs window-hash on a load until all of its windows are closed, committed,
// anchored and off the outbox.
WindowHashRun RunWindowHash(const WindowHashJob& job, const Load& load,
                            YesAnchor& anchor);

struct IngestRun {
  Cost cost;                // CPU of ingest alone
  double client_cpu_s = 0;  // of this process, meanwhile
  double peak_rss_mib = 0;
};

// Publishes as many records as the load has, in batches of 500, 4 calls at a
// time, until all are acknowledged. The topics must be there.
IngestRun RunIngest(const std::string& bootstrap, const std::string& dir,
                    const Load& load);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_BENCH_KAFKA_SERVICES_H_
