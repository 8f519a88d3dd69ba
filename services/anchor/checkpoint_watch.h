// Streams of ledger items as they stand, and of each change of their state.
//
// One thread waits for the ledger to grow and wakes the streams; a stream reads
// the ledger on gRPC's threads and holds none while it waits.
#ifndef WINDPROOF_SERVICES_ANCHOR_CHECKPOINT_WATCH_H_
#define WINDPROOF_SERVICES_ANCHOR_CHECKPOINT_WATCH_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <set>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"
#include "proto/windproof/v1/checkpoint.pb.h"
#include "services/anchor/ledger.h"
#include "services/anchor/ledger_reader.h"

namespace windproof {

// Thread-safe. Every stream must have ended before it is destroyed: after
// Stop(), the gRPC server's own shutdown waits for that.
class CheckpointWatch {
 public:
  struct Options {
    int64_t confirmations_required = 1;
    int max_streams = 100;  // beyond this, RESOURCE_EXHAUSTED
  };

  // `ledger` must outlive it.
  CheckpointWatch(Options options, Ledger& ledger);
  ~CheckpointWatch();

  // Begins the thread.
  void Start();

  // Ends all streams with UNAVAILABLE, and those that come later at once, and
  // the thread. May be called again.
  void Stop();

  // A stream of the items that match `filter`, from `position` on.
  grpc::ServerWriteReactor<v1::LedgerItem>* NewStream(LedgerFilter filter,
                                                      int64_t position);

  // A stream that ends at once.
  grpc::ServerWriteReactor<v1::LedgerItem>* Refuse(const grpc::Status& status);

  int64_t streams();

 private:
  class Stream;

  void Run();

  const Options options_;
  Ledger& ledger_;
  std::thread thread_;

  Mutex mutex_;
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_CHECKPOINT_WATCH_H_
