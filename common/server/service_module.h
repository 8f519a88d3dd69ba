// What every service shows to the server that runs it: its gRPC service, its
// readiness, its numbers and how it ends.
//
// A module is built by its own Open() from options; the mains and the
// all-in-one server only compose modules. Thread-safe.
#ifndef WINDPROOF_COMMON_SERVER_SERVICE_MODULE_H_
#define WINDPROOF_COMMON_SERVER_SERVICE_MODULE_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace windproof {

// One number for /metrics, in the Prometheus data model.
struct Metric {
  enum class Type { kCounter, kGauge };

  std::string name;  // windproof_…, base units, counters end in _total
  std::string help;
  Type type = Type::kGauge;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

class ServiceModule {
 public:
  virtual ~ServiceModule() = default;

  // The service that the server registers; lives as long as the module.
  virtual grpc::Service* service() = 0;

  // Full name of the gRPC service, also its name in the health service:
  // "windproof.v1.AnchorService".
  virtual absl::string_view full_name() const = 0;

  // Starts its threads, if any; the server calls it once, before it listens.
  virtual absl::Status Start() = 0;

  // OK while what the service needs answers. Asked about once a second and at
  // start; cheap.
  virtual absl::Status Ready() = 0;

  // Not OK: it cannot do its work any more before the process is started again.
  // The server shuts down then, so that whoever runs it starts it again. Asked
  // about all the time; cheap.
  virtual absl::Status Fatal() { return absl::OkStatus(); }

  // Health names of what can stop by itself while the rest goes on. Asked
  // about as Ready() is. One that is no longer told is NOT_SERVING.
  virtual std::vector<std::pair<std::string, absl::Status>> Parts() {
    return {};
  }

  // The numbers as they are now.
  virtual std::vector<Metric> Metrics() = 0;

  // Ends streams that would not end by themselves and takes no new work; what
  // was accepted goes on. First step of a shutdown; called once.
  virtual void StopIntake() = 0;

  // Finishes what was accepted, at most until `deadline`, flushes and closes.
  // Called once, after StopIntake() and after the gRPC server has ended.
  virtual void Shutdown(std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_SERVICE_MODULE_H_
