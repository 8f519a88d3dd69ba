#include "tests/bench/kafka_services.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/crypto/sha256.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};
constexpr int kClients = 4;
constexpr int kBatch = 500;

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
}

double CpuOf(pid_t pid) { return pid == 0 ? 0 : CpuSecondsOf(pid); }

// DIR/NAME with `content`; its path.
std::string Written(const std::string& dir, const char* name,
                    absl::string_view content) {
  std::filesystem::create_directories(dir);
  std::string path = absl::StrCat(dir, "/", name);
  WriteContent(path, content);
  return path;
}

std::vector<std::string> CommonFlags(const std::string& bootstrap,
                                     const std::string& dir, const Load& load) {
  return {"--log",
          "kafka",
          "--kafka-config",
          Written(dir, "kafka.properties",
                  absl::StrCat("bootstrap.servers=", bootstrap, "\n")),
          "--pipeline",
          Written(dir, "spec.json", load.Spec()),
          "--listen",
          "127.0.0.1:0",
          "--log-level",
          "warning"};
}

void MustBeReady(Process& process, const char* name) {
  if (!process.WaitReady()) {
    Give(absl::StrCat(name, " did not start: ", process.err()));
  }
}

// A port of loopback that was free a moment ago.
std::string FreeAddress() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  v1::IngestService::Service nothing;
  builder.RegisterService(&nothing);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) Give("nobody can listen on loopback");
  server->Shutdown();
  return absl::StrCat("127.0.0.1:", port);
}

// Waits until all of the load is behind a window-hash.
void WaitUntilDone(Process& process, const Load& load) {
  const auto stub = v1::WindowHashService::NewStub(ChannelTo(process.grpc()));
  const auto give_up = steady_clock::now() + kPatience;
  while (true) {
    grpc::ClientContext context;
    v1::GetProgressResponse progress;
    const grpc::Status status =
        stub->GetProgress(&context, v1::GetProgressRequest(), &progress);
    if (status.ok() && progress.pipelines_size() == 1) {
      const v1::PipelineProgress& pipeline = progress.pipelines(0);
      int64_t read = 0;
      for (const v1::PartitionProgress& partition : pipeline.partitions()) {
        if (!partition.error().empty()) Give(partition.error());
        read += partition.position();
      }
      if (read == load.LogRecords() && pipeline.outbox() == 0 &&
          pipeline.checkpoints() == load.Windows()) {
        return;
      }
    }
    if (steady_clock::now() > give_up) {
      Give(absl::StrCat("window-hash does not come to the end: ",
                        progress.ShortDebugString(), status.error_message()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

YesAnchor::YesAnchor() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) Give("the anchor cannot listen on loopback");
  address_ = absl::StrCat("127.0.0.1:", port);
}

YesAnchor::~YesAnchor() { server_->Shutdown(); }

void YesAnchor::Reset() {
  MutexLock lock(mutex_);
  taken_ = 0;
}

bool YesAnchor::WaitFor(int64_t checkpoints) {
  MutexLock lock(mutex_);
  int64_t before = taken_;
  auto give_up = steady_clock::now() + kPatience;
  while (taken_ < checkpoints) {
    changed_.WaitUntil(mutex_, give_up);
    if (taken_ > before) {
      before = taken_;
      give_up = steady_clock::now() + kPatience;
    } else if (steady_clock::now() >= give_up) {
      return false;
    }
  }
  return true;
}

grpc::Status YesAnchor::SubmitCheckpoints(
    grpc::ServerContext*, const v1::SubmitCheckpointsRequest* request,
    v1::SubmitCheckpointsResponse* response) {
  for (const v1::SignedCheckpoint& checkpoint : request->checkpoints()) {
    v1::Receipt* const receipt = response->add_receipts();
    receipt->set_checkpoint_sha256(
        std::string(BytesOf(Sha256Of(checkpoint.checkpoint()))));
    receipt->set_state(v1::Receipt::ANCHORED);
    receipt->set_ledger("none");
  }
  MutexLock lock(mutex_);
  taken_ += request->checkpoints_size();
  changed_.NotifyAll();
  return grpc::Status::OK;
}

double CpuSecondsOf(pid_t pid) {
  const std::string stat = FileContent(absl::StrCat("/proc/", pid, "/stat"));
  const size_t end = stat.rfind(')');
  if (end == std::string::npos) return 0;
  // From `state`, field 3, on.
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(end + 1), ' ', absl::SkipEmpty());
  int64_t user = 0;
  int64_t system = 0;
  if (fields.size() < 13 || !absl::SimpleAtoi(fields[11], &user) ||
      !absl::SimpleAtoi(fields[12], &system)) {
    return 0;
  }
  return static_cast<double>(user + system) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

double MemoryMibOf(pid_t pid, absl::string_view field) {
  const std::string status =
      FileContent(absl::StrCat("/proc/", pid, "/status"));
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (!absl::StartsWith(line, absl::StrCat(field, ":"))) continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    double kib = 0;
    if (words.size() > 1 && absl::SimpleAtod(words[1], &kib)) return kib / 1024;
  }
  return 0;
}

pid_t BrokerPid() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    std::ifstream in(entry.path() / "stat");
    std::string stat;
    std::getline(in, stat);
    if (absl::StrContains(stat, absl::StrCat("(java) S ", getpid(), " "))) {
      return pid;
    }
  }
  return 0;
}

WindowHashRun RunWindowHash(const WindowHashJob& job, const Load& load,
                            YesAnchor& anchor) {
  std::vector<std::string> flags = CommonFlags(job.bootstrap, job.dir, load);
  flags.insert(flags.end(), {"--anchor", anchor.address(), "--data-dir",
                             absl::StrCat(job.dir, "/data")});
  if (job.changelog) {
    const std::string address = FreeAddress();
    flags.insert(flags.end(),
                 {"--instance-id", "bench", "--advertise", address});
    for (std::string& flag : flags) {
      if (flag == "127.0.0.1:0") flag = address;
    }
  }
  const std::string program = Binary("services/window_hash/window_hash");
  const pid_t broker = BrokerPid();
  anchor.Reset();
  WindowHashRun run;
  {
    const SelfCost since;
    const double broker_before = CpuOf(broker);
    Process process(program, flags);
    MustBeReady(process, "window-hash");
    for (int step = 1; step <= job.rss_steps; ++step) {
      if (!anchor.WaitFor(load.Windows() * step / job.rss_steps)) {
        Give(absl::StrCat("window-hash stands still: ", process.err()));
      }
      run.rss_mib.push_back(MemoryMibOf(process.pid(), "VmRSS"));
    }
    WaitUntilDone(process, load);
    const Cost self = since.Now();
    run.cost = {.wall_s = self.wall_s, .cpu_s = CpuSecondsOf(process.pid())};
    run.anchor_cpu_s = self.cpu_s;
    run.broker_cpu_s = CpuOf(broker) - broker_before;
    run.peak_rss_mib = MemoryMibOf(process.pid(), "VmHWM");
    if (process.Stop() != 0) {
      Give(absl::StrCat("window-hash did not end well: ", process.err()));
    }
  }
  if (job.restart) {
    const SelfCost since;
    Process process(program, flags);
    MustBeReady(process, "window-hash");
    WaitUntilDone(process, load);
    run.restart_s = since.Now().wall_s;
    process.Stop();
  }
  return run;
}

IngestRun RunIngest(const std::string& bootstrap, const std::string& dir,
                    const Load& load) {
  Process process(Binary("services/ingest/ingest"),
                  CommonFlags(bootstrap, dir, load));
  MustBeReady(process, "ingest");
  // A request of each client's is sent again and again: to ingest it is new.
  std::vector<v1::PublishRecordsRequest> requests(kClients);
  for (int c = 0; c < kClients; ++c) {
    for (int i = 0; i < kBatch; ++i) {
      const int station = i % Load::kStations;
      v1::Record* const record = requests[c].add_records();
      record->set_topic(load.Topic(station));
      record->set_key(Load::Station(station));
      record->set_value(load.Value(station, c * kBatch + i));
    }
  }
  std::atomic<int64_t> left = load.records / kBatch;
  const double cpu_before = CpuSecondsOf(process.pid());
  const SelfCost since;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      const auto stub = v1::IngestService::NewStub(ChannelTo(process.grpc()));
      while (left.fetch_sub(1) > 0) {
        grpc::ClientContext context;
        v1::PublishRecordsResponse response;
        const grpc::Status status =
            stub->PublishRecords(&context, requests[c], &response);
        if (!status.ok()) Give(status.error_message());
      }
    });
  }
  for (std::thread& client : clients) client.join();
  const Cost self = since.Now();
  IngestRun run;
  run.cost = {.wall_s = self.wall_s,
              .cpu_s = CpuSecondsOf(process.pid()) - cpu_before};
  run.client_cpu_s = self.cpu_s;
  run.peak_rss_mib = MemoryMibOf(process.pid(), "VmHWM");
  process.Stop();
  return run;
}

}  // namespace windproof
