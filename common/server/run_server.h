// The life of a server process: start the modules, serve, wait for a signal,
// shut down.
//
// SIGTERM and SIGINT: health says NOT_SERVING, intake stops, calls that are on
// end, modules finish, flush and close; exit code 0. A second signal ends the
// process at once.
#ifndef WINDPROOF_COMMON_SERVER_RUN_SERVER_H_
#define WINDPROOF_COMMON_SERVER_RUN_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/server/command_line.h"
#include "common/server/logging.h"
#include "common/server/rpc_server.h"
#include "common/server/service_module.h"

namespace windproof {

// What every server has as flags.
struct ServerFlags {
  std::string listen;
  std::string http_listen;  // empty: no HTTP
  std::string log_format = "json";
  std::string log_level = "info";
  int64_t drain_ms = 10'000;

  // Adds --listen, --http-listen, --log-format, --log-level, --drain-ms and
  // --config to a command. `listen` is the default.
  void AddTo(Command& command);

  // InvalidArgument names an address that is none: before a server opens or
  // makes anything.
  absl::Status Check() const;
};

// What --version prints: "0.1.0+1a2b3c4d5e6f (commit 1a2b…)".
std::string VersionText();

// First thing in main(), before any thread: ignores SIGPIPE, turns off
// absl::Mutex's search for deadlocks and limits malloc's arenas.
void PrepareProcess();

// Before a server starts its first thread: keeps SIGTERM and SIGINT, also those
// that come while modules are opened, for RunServer().
void KeepShutdownSignals();

// Starts logging as the flags say.
void StartServerLogging(const ServerFlags& flags, const std::string& service);

// KeepShutdownSignals() first. Starts `modules` in order, serves until a
// signal, shuts them down in reverse order. Prints `READY grpc=HOST:PORT
// [http=HOST:PORT]` on stdout when calls are answered. Returns the exit code: 0
// after a signal; 2 when an address is none or in use; 1 when a module cannot
// start, or cannot go on (ServiceModule::Fatal).
//
// `on_shutdown` is told first of a shutdown, and by when it is to be done: for
// what the modules share.
int RunServer(
    const ServerFlags& flags, const std::vector<ServiceModule*>& modules,
    const std::function<void(std::chrono::steady_clock::time_point deadline)>&
        on_shutdown = nullptr);

// Explains wrong use on stderr as the command line does; returns the exit code.
int ReportWrongUse(const std::string& program, const absl::Status& status);

// Logs why a server cannot start; returns the exit code: 2 where the
// use is wrong (InvalidArgument, NotFound, FailedPrecondition …), 3 where
// somebody else is not reachable, 1 where stored state is damaged.
int ReportStartFailure(const absl::Status& status);

// Start() of all, in order; when one fails, those before it are stopped. The
// error names the service.
absl::Status StartModules(const std::vector<ServiceModule*>& modules);

// StopIntake() and Shutdown() of all, in reverse order.
void StopModules(const std::vector<ServiceModule*>& modules,
                 std::chrono::steady_clock::time_point deadline);

// The same with the server that shows them: NOT_SERVING, StopIntake(), the
// calls end, then Shutdown().
void StopServer(RpcServer& server, const std::vector<ServiceModule*>& modules,
                std::chrono::steady_clock::time_point deadline);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_RUN_SERVER_H_
