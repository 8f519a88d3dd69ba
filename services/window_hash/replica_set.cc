#include "services/window_hash/replica_set.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/server/grpc_status.h"
#include "common/server/rpc_server.h"

namespace windproof {
namespace {

constexpr char kForwarded[] = "windproof-forwarded";
constexpr char kEpoch[] = "windproof-epoch";
// A replica that does not answer must not hold a call without a deadline.
constexpr std::chrono::seconds kForwardTimeout{10};
constexpr std::chrono::milliseconds kRetryPause{100};

}  // namespace

bool ReplicaSet::IsForwarded(const grpc::ServerContext& context) {
  return context.client_metadata().count(kForwarded) > 0;
}

void ReplicaSet::MarkForwarded(const grpc::ServerContext& from,
                               grpc::ClientContext* to) {
  to->AddMetadata(kForwarded, "1");
  to->set_deadline(std::min(
      from.deadline(), std::chrono::system_clock::now() + kForwardTimeout));
}

void ReplicaSet::AddEpoch(absl::string_view epoch,
                          grpc::ServerContext* context) {
  context->AddTrailingMetadata(kEpoch, std::string(epoch));
}

std::string ReplicaSet::EpochOf(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(kEpoch);
  return found == metadata.end()
             ? std::string()
             : std::string(found->second.data(), found->second.size());
}

bool ReplicaSet::MayTryAgain(std::chrono::steady_clock::time_point begin,
                             grpc::ServerContext& context) const {
  if (std::chrono::steady_clock::now() - begin >= options_.patience ||
      context.IsCancelled()) {
    return false;
  }
  // There is nothing to wait on: the news are with other processes.
  std::this_thread::sleep_for(kRetryPause);
  return true;
}

absl::StatusOr<Replica> ReplicaSet::Ask(const std::string& address,
                                        absl::string_view pipeline,
                                        grpc::ServerContext& context) {
  Replica replica;
  replica.address = address;
  {
    const MutexLock lock(mutex_);
    std::shared_ptr<v1::WindowHashService::Stub>& stub = stubs_[address];
    if (stub == nullptr) {
      stub = v1::WindowHashService::NewStub(RpcServer::ChannelTo(address));
    }
    replica.stub = stub;
  }
  grpc::ClientContext call;
  MarkForwarded(context, &call);
  v1::GetProgressRequest request;
  request.set_pipeline(std::string(pipeline));
  v1::GetProgressResponse response;
  const grpc::Status status =
      replica.stub->GetProgress(&call, request, &response);
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat("replica ", address, ": ", status.error_message()));
  }
  replica.coverage.epoch = EpochOf(call);
  for (const v1::PipelineProgress& progress : response.pipelines()) {
    for (const v1::PartitionProgress& entry : progress.partitions()) {
      if (entry.has_restoring()) continue;
      replica.coverage.partitions.insert(
          {.topic = entry.topic(), .partition = entry.partition()});
    }
  }
  return replica;
}

absl::StatusOr<Replicas> ReplicaSet::Others(absl::string_view pipeline,
                                            grpc::ServerContext& context,
                                            bool fresh) {
  const absl::StatusOr<std::map<TopicPartition, std::string>> owners =
      options_.group->Owners();
  if (!owners.ok()) return owners.status();
  std::set<std::string> addresses;
  for (const auto& [source, address] : *owners) addresses.insert(address);
  addresses.erase(options_.advertise);

  Replicas replicas;
  std::set<TopicPartition> covered = options_.own(pipeline).partitions;
  absl::Status unreachable;
  for (const std::string& address : addresses) {
    Replica replica;
    {
      const MutexLock lock(mutex_);
      const auto known = known_.find({address, std::string(pipeline)});
      if (!fresh && known != known_.end()) {
        replica = {.address = address,
                   .stub = stubs_.at(address),
                   .coverage = known->second};
      }
    }
    if (replica.stub == nullptr) {
      absl::StatusOr<Replica> asked = Ask(address, pipeline, context);
      if (!asked.ok()) {
        unreachable = asked.status();
        continue;
      }
      replica = *std::move(asked);
      const MutexLock lock(mutex_);
      known_[{address, std::string(pipeline)}] = replica.coverage;
    }
    covered.insert(replica.coverage.partitions.begin(),
                   replica.coverage.partitions.end());
    replicas.others.push_back(std::move(replica));
  }

  const absl::StatusOr<std::set<TopicPartition>> expected =
      options_.expected(pipeline);
  if (!expected.ok()) return expected.status();
  for (const TopicPartition& source : *expected) {
    if (covered.contains(source)) continue;
    if (!fresh) return Others(pipeline, context, /*fresh=*/true);
    const auto owner = owners->find(source);
    replicas.complete = absl::UnavailableError(
        absl::StrCat("pipeline ", pipeline, ": partition ", source.topic, "/",
                     source.partition,
                     owner == owners->end()
                         ? " has no owner now; the group is giving it to one"
                     : unreachable.ok()
                         ? absl::StrCat(" belongs to ", owner->second,
                                        ", which is still rebuilding its store")
                         : absl::StrCat(" belongs to ", owner->second, ", but ",
                                        unreachable.message())));
    break;
  }
  return replicas;
}

}  // namespace windproof
