// The window-hash processes that share the partitions: who they are, and which
// partitions each of them can answer for.
//
// What a replica has changes while it is asked. So each counts its changes (its
// epoch) and says the number with every answer to another replica: an answer is
// taken as complete only where the epoch is the one that its partitions were
// listed at.
//
// Thread-safe.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_REPLICA_SET_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_REPLICA_SET_H_

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/record_log/partition_group.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

// The partitions of a pipeline that somebody answers for, at an epoch.
struct Coverage {
  std::string epoch;
  std::set<TopicPartition> partitions;
};

// Another replica, as it was when the set was asked.
struct Replica {
  std::string address;
  std::shared_ptr<v1::WindowHashService::Stub> stub;
  Coverage coverage;
};

// Those that could be asked, and whether that is enough: not OK (Unavailable)
// names a partition that nobody answers for, because it has no owner now, or
// its owner still rebuilds its store or does not answer.
struct Replicas {
  std::vector<Replica> others;
  absl::Status complete;
};

class ReplicaSet {
 public:
  struct Options {
    std::string advertise;  // our own address
    PartitionGroup* group = nullptr;
    // How long a call may wait for partitions that are on their way from one
    // replica to another.
    std::chrono::milliseconds patience{0};
    // What we have ourselves, and what there is.
    std::function<Coverage(absl::string_view pipeline)> own;
    std::function<absl::StatusOr<std::set<TopicPartition>>(
        absl::string_view pipeline)>
        expected;
  };

  explicit ReplicaSet(Options options) : options_(std::move(options)) {}

  // The other replicas of a pipeline. What was learnt before is used again
  // unless `fresh`, or where it is not enough.
  absl::StatusOr<Replicas> Others(absl::string_view pipeline,
                                  grpc::ServerContext& context, bool fresh);

  // Whether a call that began then, and could not be answered yet, may be tried
  // again; after a short wait.
  bool MayTryAgain(std::chrono::steady_clock::time_point begin,
                   grpc::ServerContext& context) const;

  Coverage Own(absl::string_view pipeline) const {
    return options_.own(pipeline);
  }

  // Of the calls that replicas send each other.
  static bool IsForwarded(const grpc::ServerContext& context);
  static void MarkForwarded(const grpc::ServerContext& from,
                            grpc::ClientContext* to);
  static void AddEpoch(absl::string_view epoch, grpc::ServerContext* context);
  // Empty: it said none.
  static std::string EpochOf(const grpc::ClientContext& context);

 private:
  absl::StatusOr<Replica> Ask(const std::string& address,
                              absl::string_view pipeline,
                              grpc::ServerContext& context);

  const Options options_;
  Mutex mutex_;
  // By address, then pipeline.
  std::map<std::string, std::shared_ptr<v1::WindowHashService::Stub>> stubs_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, Coverage> known_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_REPLICA_SET_H_
