#include "common/server/run_server.h"

#include <absl/synchronization/mutex.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bazel/version.h"
#include "common/server/address.h"
#include "common/server/http_server.h"
#include "common/server/metrics_page.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// glibc gives threads arenas of their own, eight a core, and returns little of
// them: most of a server's memory would be holes. With too few of them threads
// wait for each other: a Kafka record is freed by another thread than made it.
constexpr int kMaxArenas = 4;
constexpr int64_t kMaxDrainMs = 600'000;
// How often the modules are asked whether they can go on.
constexpr int64_t kFatalIntervalNs = 500'000'000;

sigset_t ShutdownSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Waits for a signal that asks the process to end: OK. Else what a module
// cannot go on for.
absl::Status WaitForTheEnd(const std::vector<ServiceModule*>& modules) {
  const sigset_t signals = ShutdownSignals();
  while (true) {
    const timespec interval = {.tv_sec = 0, .tv_nsec = kFatalIntervalNs};
    const int signal = sigtimedwait(&signals, nullptr, &interval);
    if (signal > 0) {
      LogInfo("shutting down",
              {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
      return absl::OkStatus();
    }
    for (ServiceModule* module : modules) {
      const absl::Status fatal = module->Fatal();
      if (fatal.ok()) continue;
      LogError("cannot go on, shutting down",
               {{"service", std::string(module->full_name())},
                {"reason", std::string(fatal.message())}});
      return fatal;
    }
  }
}

std::vector<Metric> AllMetrics(const std::vector<ServiceModule*>& modules) {
  std::vector<Metric> all = ProcessMetrics();
  for (ServiceModule* module : modules) {
    std::vector<Metric> metrics = module->Metrics();
    std::move(metrics.begin(), metrics.end(), std::back_inserter(all));
  }
  return all;
}

absl::StatusOr<std::unique_ptr<HttpServer>> StartHttp(
    const std::string& listen, const std::vector<ServiceModule*>& modules,
    const RpcServer& rpc) {
  if (listen.empty()) return std::unique_ptr<HttpServer>();
  return HttpServer::Start({
      .listen = listen,
      .metrics =
          [&modules, &rpc] {
            return MetricsPage(AllMetrics(modules), rpc.stats().Get());
          },
      .ready = [&rpc] { return rpc.Ready(); },
  });
}

}  // namespace

void ServerFlags::AddTo(Command& command) {
  command.Flag("listen", &listen, "HOST:PORT",
               "Where gRPC listens; port 0 takes a free one, which the READY "
               "line names.");
  command.Flag("http-listen", &http_listen, "HOST:PORT",
               "Where /metrics, /healthz and /readyz are; none by default.");
  command.Choice("log-format", &log_format, {"json", "text"},
                 "Log lines on stderr for machines or for people.");
  command.Choice("log-level", &log_level, {"debug", "info", "warning", "error"},
                 "The least that is logged.");
  command.Flag("drain-ms", &drain_ms, 0, kMaxDrainMs, "MS",
               "How long a shutdown waits for what was begun.");
  command.ConfigFile();
}

std::string VersionText() {
  // Only --stamp compiles the commit in: nothing would be cached otherwise.
  const absl::string_view commit = VersionCommit();
  return absl::StrCat(VersionString(), " (commit ",
                      commit == "unknown"
                          ? "not compiled in; bazel build --stamp does"
                          : commit,
                      ")");
}

absl::Status ServerFlags::Check() const {
  const auto check = [](absl::string_view flag, const std::string& value) {
    const absl::StatusOr<Address> address = ParseAddress(value);
    if (address.ok()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(flag, ": ", address.status().message()));
  };
  const absl::Status checked = check("--listen", listen);
  if (!checked.ok() || http_listen.empty()) return checked;
  return check("--http-listen", http_listen);
}

int ReportWrongUse(const std::string& program, const absl::Status& status) {
  std::cerr << program << ": " << status.message() << "\n`" << program
            << " --help` shows what is accepted\n";
  return kExitUsage;
}

void PrepareProcess() {
  // Debian's absl looks for deadlocks at each lock, as in a debug build.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  mallopt(M_ARENA_MAX, kMaxArenas);
  signal(SIGPIPE, SIG_IGN);
  // What is stored is for its owner alone, also where RocksDB makes the files.
  umask(S_IRWXG | S_IRWXO);
}

void KeepShutdownSignals() {
  const sigset_t signals = ShutdownSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void StartServerLogging(const ServerFlags& flags, const std::string& service) {
  LogLevel level = LogLevel::kInfo;
  if (flags.log_level == "debug") level = LogLevel::kDebug;
  if (flags.log_level == "warning") level = LogLevel::kWarning;
  if (flags.log_level == "error") level = LogLevel::kError;
  StartLogging({
      .service = service,
      .format =
          flags.log_format == "text" ? LogFormat::kText : LogFormat::kJson,
      .level = level,
  });
}

int ReportStartFailure(const absl::Status& status) {
  LogError("cannot start", {{"reason", std::string(status.message())}});
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
      return kExitUnavailable;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
      return kExitFound;
    default:
      return kExitUsage;
  }
}

absl::Status StartModules(const std::vector<ServiceModule*>& modules) {
  for (auto module = modules.begin(); module != modules.end(); ++module) {
    const absl::Status started = (*module)->Start();
    if (started.ok()) continue;
    StopModules({modules.begin(), module}, steady_clock::now());
    return absl::Status(started.code(), absl::StrCat((*module)->full_name(),
                                                     ": ", started.message()));
  }
  return absl::OkStatus();
}

void StopModules(const std::vector<ServiceModule*>& modules,
                 steady_clock::time_point deadline) {
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    (*module)->StopIntake();
  }
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    (*module)->Shutdown(deadline);
  }
}

void StopServer(RpcServer& server, const std::vector<ServiceModule*>& modules,
                steady_clock::time_point deadline) {
  server.StopServing();
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    (*module)->StopIntake();
  }
  server.Shutdown(deadline);
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    (*module)->Shutdown(deadline);
  }
}

int RunServer(
    const ServerFlags& flags, const std::vector<ServiceModule*>& modules,
    const std::function<void(steady_clock::time_point)>& on_shutdown) {
  const milliseconds drain(flags.drain_ms);
  const absl::Status started = StartModules(modules);
  if (!started.ok()) return ReportStartFailure(started);

  absl::StatusOr<std::unique_ptr<RpcServer>> rpc =
      RpcServer::Start({.listen = flags.listen, .modules = modules});
  absl::StatusOr<std::unique_ptr<HttpServer>> http =
      std::unique_ptr<HttpServer>();
  if (rpc.ok()) http = StartHttp(flags.http_listen, modules, **rpc);
  if (!rpc.ok() || !http.ok()) {
    const absl::Status& why = rpc.ok() ? http.status() : rpc.status();
    LogError("cannot start", {{"reason", std::string(why.message())}});
    if (rpc.ok()) rpc->reset();
    StopModules(modules, steady_clock::now() + drain);
    return kExitUsage;
  }

  const std::string http_address = *http == nullptr ? "" : (*http)->address();
  LogInfo("serving", {{"grpc", (*rpc)->address()},
                      {"http", http_address},
                      {"version", VersionString()}});
  // The line that scripts wait for; `flush`, as stdout may be a pipe.
  std::cout << "READY grpc=" << (*rpc)->address()
            << (http_address.empty() ? "" : " http=") << http_address
            << std::endl;

  const absl::Status ended = WaitForTheEnd(modules);
  const sigset_t signals = ShutdownSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends it all
  const steady_clock::time_point deadline = steady_clock::now() + drain;
  if (on_shutdown != nullptr) on_shutdown(deadline);
  StopServer(**rpc, modules, deadline);
  http->reset();
  LogInfo("ended");
  return ended.ok() ? kExitGood : kExitFound;
}

}  // namespace windproof
