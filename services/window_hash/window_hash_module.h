// The window-hash service as a part of a server: follows the record log, closes
// windows, hands checkpoints to the anchor, answers questions.
//
// Open() -> Start() -> StopIntake() -> Shutdown(). Read-only (a stopped store)
// it only answers: no log, no anchor, no threads.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_WINDOW_HASH_MODULE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_WINDOW_HASH_MODULE_H_

#include <grpcpp/impl/codegen/channel_interface.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/ed25519.h"
#include "common/pipeline/spec.h"
#include "common/record_log/partition_group.h"
#include "common/record_log/record_log.h"
#include "common/server/service_module.h"
#include "services/window_hash/anchor_client.h"
#include "services/window_hash/log_follower.h"
#include "services/window_hash/outbox.h"
#include "services/window_hash/partitions_view.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/replica_service.h"
#include "services/window_hash/replica_set.h"
#include "services/window_hash/window_hash_service.h"

namespace windproof {

// Thread-safe.
class WindowHashModule final : public ServiceModule {
 public:
  struct Options {
    // Folder of the RocksDB store; made when missing, unless read_only.
    std::string store_path;
    // Valid specs. Read-only: those that are stored are added, and none needs
    // to be given.
    std::vector<PipelineSpec> pipelines;
    // Must outlive the module. Null when read_only.
    RecordLog* log = nullptr;
    // To the AnchorService. Null when read_only.
    std::shared_ptr<grpc::ChannelInterface> anchor;
    // Who signs: a C2SP key name, and its key. Not needed when read_only.
    std::string signer_name;
    std::optional<Ed25519PrivateKey> signer_key;
    // Shards that partitions are spread over.
    int threads = 2;
    // Batches that wait for a shard, and records in one.
    size_t queue_batches = 4;
    size_t batch_records = 2048;
    // PartitionWorker::Options::spill_max_lag.
    int64_t spill_max_lag = 1'000'000;
    // Shares the partitions with other processes, each under the address at
    // which the others reach its service. Null: all are ours. Must outlive the
    // module.
    PartitionGroup* group = nullptr;
    std::string advertise;
    // How long a call waits for partitions that move between replicas.
    std::chrono::milliseconds replica_patience{5'000};
    std::chrono::milliseconds anchor_call_timeout{30'000};
    // Told what an operator must know: a partition or a key that stopped, an
    // anchor that is away. One line, no newline. Must be thread-safe.
    std::function<void(absl::string_view)> warn;
    bool read_only = false;
  };

  // InvalidArgument: an option; FailedPrecondition: a pipeline's name stands
  // for other rules in the store; NotFound: read-only, and there is no store.
  static absl::StatusOr<std::unique_ptr<WindowHashModule>> Open(
      Options options);

  ~WindowHashModule() override;

  grpc::Service* service() override {
    if (replica_service_ != nullptr) return replica_service_.get();
    return &service_;
  }
  absl::string_view full_name() const override {
    return "windproof.v1.WindowHashService";
  }
  absl::Status Start() override;
  absl::Status Ready() override;
  absl::Status Fatal() override;
  // TOPIC/PARTITION: OK while it is read.
  std::vector<std::pair<std::string, absl::Status>> Parts() override;
  std::vector<Metric> Metrics() override;
  void StopIntake() override;
  void Shutdown(std::chrono::steady_clock::time_point deadline) override;

  // The pipelines in use.
  const std::vector<PipelineSpec>& pipelines() const {
    return options_.pipelines;
  }

 private:
  // Of what runs: the follower's partitions and the outbox.
  class LiveView;

  WindowHashModule(Options options, std::unique_ptr<PayloadStore> store);

  absl::Status Build();
  void BuildReplicas();
  void Warn(absl::string_view what, const absl::Status& why) const;

  Options options_;
  const std::unique_ptr<PayloadStore> store_;
  std::optional<CheckpointSigner> signer_;
  std::unique_ptr<AnchorClient> anchor_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<LogFollower> follower_;
  const std::unique_ptr<PartitionsView> view_;
  WindowHashServiceImpl service_;
  // With a group alone.
  std::unique_ptr<ReplicaSet> replicas_;
  std::unique_ptr<ReplicaService> replica_service_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_WINDOW_HASH_MODULE_H_
