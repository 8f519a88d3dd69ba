#include "tests/kafka/fault/replicas.h"

#include <grpcpp/grpcpp.h>
#include <httplib.h>
#include <signal.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/server/grpc_status.h"
#include "common/server/rpc_server.h"
#include "common/spec_file/spec_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "tests/fault/expect_checkpoints.h"
#include "tests/fault/server_view.h"
#include "tests/kafka/fault/topic_truth.h"

namespace windproof {
namespace {

// Of one call; a replica may be stopped while it is asked.
constexpr std::chrono::seconds kCallTimeout{5};
// What replicas mark the calls with that they send each other.
constexpr char kForwarded[] = "windproof-forwarded";

// Short enough to wait for, long enough for a busy machine.
constexpr char kGroupSettings[] =
    "session.timeout.ms=4000\nheartbeat.interval.ms=500\n";

std::string SpecJson(const std::string& name) {
  return absl::StrCat(R"({"name":")", name, R"(","topics":["^)", name,
                      R"(\\.[0-9]$"],"key_field":"id","timestamp_field":"at",
      "fields":{"a":"NUMBER","b":"NUMBER"},"aggregated":["a"],
      "window_ms":60000,"grace_ms":30000,"late_policy":"AMEND",
      "amend_ms":600000,"future_skew_ms":0})");
}

// A port that was free a moment ago.
std::string FreeAddress() {
  const auto server = RpcServer::Start({.listen = "127.0.0.1:0"});
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? (*server)->address() : "";
}

}  // namespace

Replicas::Replicas(const Options& options)
    : options_(options), dir_(FreshPath(options.name)) {
  std::filesystem::create_directories(dir_);
  spec_file_ = dir_ + "/spec.json";
  WriteContent(spec_file_, SpecJson(options.name));
  const absl::StatusOr<PipelineSpec> spec = LoadSpec(spec_file_);
  EXPECT_TRUE(spec.ok()) << spec.status();
  if (spec.ok()) spec_ = *spec;
  KafkaLog::Options log;
  log.properties.entries = {{"bootstrap.servers", options.bootstrap}};
  log.retention_ms = -1;
  auto opened = KafkaLog::Open(log);
  EXPECT_TRUE(opened.ok()) << opened.status();
  log_ = *std::move(opened);

  anchor_ = std::make_unique<Process>(
      Binary("services/anchor/anchor"),
      std::vector<std::string>{"--data-dir", dir_ + "/anchor", "--listen",
                               "127.0.0.1:0"});
  EXPECT_TRUE(anchor_->WaitReady()) << anchor_->err();
  for (int i = 0; i < options.count; ++i) {
    Replica& replica = replicas_.emplace_back();
    replica.address = FreeAddress();
    replica.folder = absl::StrCat(dir_, "/replica-", i);
    replica.properties = absl::StrCat(dir_, "/kafka-", i, ".properties");
    const bool other = i == 0 && !options.replica_bootstrap.empty();
    WriteContent(
        replica.properties,
        absl::StrCat("bootstrap.servers=",
                     other ? options.replica_bootstrap : options.bootstrap,
                     "\n", kGroupSettings));
  }
}

Replicas::~Replicas() {
  if (testing::Test::HasFailure()) std::cout << Logs() << std::endl;
  for (Replica& replica : replicas_) replica.process.reset();
  anchor_.reset();
  log_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

std::vector<std::string> Replicas::Arguments(int replica,
                                             const std::string& listen,
                                             const std::string& folder) const {
  const Replica& entry = replicas_[Index(replica)];
  std::vector<std::string> arguments = {
      "--listen",       listen,           "--http-listen", "127.0.0.1:0",
      "--data-dir",     folder,           "--log",         "kafka",
      "--kafka-config", entry.properties, "--pipeline",    spec_file_,
      "--anchor",       anchor_->grpc()};
  if (!options_.alone) {
    arguments.insert(arguments.end(),
                     {"--instance-id", absl::StrCat("replica-", replica),
                      "--advertise", entry.address, "--group", options_.name});
  }
  return arguments;
}

void Replicas::Begin(int replica) {
  Replica& entry = replicas_[Index(replica)];
  entry.process = std::make_unique<Process>(
      Binary("services/window_hash/window_hash"),
      Arguments(replica, entry.address, entry.folder));
}

std::unique_ptr<Process> Replicas::Twin(int replica) {
  auto twin = std::make_unique<Process>(
      Binary("services/window_hash/window_hash"),
      Arguments(replica, "127.0.0.1:0",
                replicas_[Index(replica)].folder + "-twin"));
  EXPECT_TRUE(twin->WaitReady()) << twin->err();
  return twin;
}

void Replicas::Start(int replica) {
  Begin(replica);
  EXPECT_TRUE(process(replica).WaitReady()) << process(replica).err();
}

void Replicas::Kill(int replica) {
  Replica& entry = replicas_[Index(replica)];
  entry.process->Signal(SIGKILL);
  EXPECT_EQ(entry.process->Wait(), 128 + SIGKILL) << entry.process->err();
  entry.old_logs += entry.process->err();
  entry.process.reset();
}

void Replicas::Stop(int replica) {
  Replica& entry = replicas_[Index(replica)];
  EXPECT_EQ(entry.process->Stop(), 0) << entry.process->err();
  entry.old_logs += entry.process->err();
  entry.process.reset();
}

void Replicas::DeleteData(int replica) {
  std::filesystem::remove_all(replicas_[Index(replica)].folder);
}

absl::StatusOr<v1::PipelineProgress> Replicas::Progress(int replica, bool own) {
  const auto stub = v1::WindowHashService::NewStub(grpc::CreateChannel(
      address(replica), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  if (own) context.AddMetadata(kForwarded, "1");
  v1::GetProgressRequest request;
  request.set_pipeline(spec_.name);
  v1::GetProgressResponse response;
  const grpc::Status status = stub->GetProgress(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  if (response.pipelines_size() != 1) {
    return absl::InternalError(response.DebugString());
  }
  return response.pipelines(0);
}

std::set<TopicPartition> Replicas::Running(int replica) {
  std::set<TopicPartition> running;
  const auto progress = Progress(replica, /*own=*/true);
  if (!progress.ok()) return running;
  for (const v1::PartitionProgress& entry : progress->partitions()) {
    if (entry.error().empty() && !entry.has_restoring()) {
      running.insert({entry.topic(), entry.partition()});
    }
  }
  return running;
}

std::string Replicas::Health(int replica, const std::string& name) {
  const auto stub = grpc::health::v1::Health::NewStub(grpc::CreateChannel(
      address(replica), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(name);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) return status.error_message();
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(
      response.status());
}

std::string Replicas::Metrics(int replica) {
  httplib::Client client("http://" + process(replica).http());
  const httplib::Result result = client.Get("/metrics");
  return result ? result->body : "";
}

absl::Status Replicas::WaitSettled(int replica,
                                   const std::set<TopicPartition>& stopped) {
  const absl::StatusOr<TopicMatcher> matcher =
      TopicMatcher::Create(spec_.topics);
  if (!matcher.ok()) return matcher.status();
  std::string why = "never asked";
  absl::Status failed;
  const bool settled = Eventually([&] {
    const auto listed = log_->ListPartitions();
    const auto progress = Progress(replica);
    if (!listed.ok() || !progress.ok()) {
      why = absl::StrCat(listed.status().message(), "; ",
                         progress.status().message());
      return false;
    }
    why = progress->DebugString();
    if (progress->outbox() != 0) return false;
    std::map<TopicPartition, int64_t> positions;
    for (const v1::PartitionProgress& entry : progress->partitions()) {
      const TopicPartition source{entry.topic(), entry.partition()};
      if (stopped.contains(source)) continue;
      if (!entry.error().empty()) {
        failed = absl::FailedPreconditionError(entry.error());
        return true;
      }
      if (!entry.has_restoring()) positions[source] = entry.position();
    }
    for (const TopicPartition& source : *listed) {
      if (!matcher->Matches(source.topic) || stopped.contains(source)) continue;
      const absl::StatusOr<LogBounds> bounds = log_->Bounds(source);
      const auto position = positions.find(source);
      if (!bounds.ok() || position == positions.end() ||
          position->second != bounds->end) {
        return false;
      }
    }
    return true;
  });
  if (!failed.ok()) return failed;
  if (!settled) return absl::DeadlineExceededError("not settled: " + why);
  return absl::OkStatus();
}

void Replicas::ExpectUndisturbed(int replica,
                                 const std::set<TopicPartition>& stopped) {
  const absl::Status settled = WaitSettled(replica, stopped);
  ASSERT_TRUE(settled.ok()) << settled;
  absl::StatusOr<PartitionContent> content = ReadTopics(spec_, *log_);
  ASSERT_TRUE(content.ok()) << content.status();
  for (const TopicPartition& source : stopped) content->erase(source);
  const absl::StatusOr<CheckpointsByKey> expected = Recompute(spec_, *content);
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_FALSE(expected->empty());

  ServerView view(address(replica), anchor_->grpc());
  absl::StatusOr<std::vector<CheckpointRow>> windows =
      absl::UnknownError("never asked");
  ASSERT_TRUE(Eventually([&] {
    windows = view.Windows(spec_.name);
    return !absl::IsUnavailable(windows.status());
  })) << windows.status();
  ASSERT_TRUE(windows.ok()) << windows.status();
  absl::StatusOr<CheckpointsByKey> ledger = view.Ledger(spec_.name);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  if (!stopped.empty()) {
    std::erase_if(*windows, [&](const CheckpointRow& row) {
      return !expected->contains(row.key);
    });
    std::erase_if(*ledger, [&](const auto& entry) {
      return !expected->contains(entry.first);
    });
  }

  ASSERT_NO_FATAL_FAILURE(ExpectCheckpoints(*expected, *ledger, *windows));
  size_t records = 0;
  for (const auto& [source, list] : *content) records += list.size();
  std::cout << options_.name << ": " << records << " records, "
            << windows->size() << " checkpoints, all the same" << std::endl;
}

void Replicas::ExpectStopped(int replica, const TopicPartition& source,
                             const std::vector<std::string>& texts) {
  const std::string name = absl::StrCat(source.topic, "/", source.partition);
  std::string error;
  EXPECT_TRUE(Eventually([&] {
    const auto progress = Progress(replica, /*own=*/true);
    if (!progress.ok()) return false;
    for (const v1::PartitionProgress& entry : progress->partitions()) {
      if (entry.topic() == source.topic &&
          entry.partition() == source.partition) {
        error = entry.error();
      }
    }
    return !error.empty();
  })) << name
      << " goes on";
  EXPECT_THAT(error, testing::HasSubstr(name));
  for (const std::string& text : texts) {
    EXPECT_THAT(error, testing::HasSubstr(text));
  }
  EXPECT_TRUE(Eventually([&] {
    return Health(replica, name) == "NOT_SERVING";
  })) << Health(replica, name);
  bool counted = false;
  const std::string page = Metrics(replica);
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    counted |=
        absl::StartsWith(line, "windproof_window_hash_partition_stopped{") &&
        absl::StrContains(line, absl::StrCat("topic=\"", source.topic, "\"")) &&
        absl::StrContains(
            line, absl::StrCat("partition=\"", source.partition, "\"")) &&
        absl::EndsWith(line, "} 1");
  }
  EXPECT_TRUE(counted) << page;
}

std::string Replicas::Logs() const {
  std::string logs;
  for (size_t i = 0; i < replicas_.size(); ++i) {
    absl::StrAppend(&logs, "--- replica ", i, "\n", replicas_[i].old_logs);
    if (replicas_[i].process != nullptr) {
      absl::StrAppend(&logs, replicas_[i].process->err());
    }
  }
  return logs;
}

}  // namespace windproof
