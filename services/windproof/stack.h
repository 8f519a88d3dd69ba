// All of Windproof on one data folder, in one process: embedded log and ledger,
// ingest, window-hash, anchor and verifier. The parts talk through their gRPC
// services all the same.
//
//   DIR/log          record log        DIR/keys/…     producer and ledger key
//   DIR/window_hash  window payloads   DIR/trust.json what its verifier
//   believes DIR/ledger       ledger            DIR/LOCK       who has it
//
// `windproof serve` runs a Stack behind a server; `verify --data-dir`, `demo`
// and tests talk to one through Channel(). Thread-safe after Open().
#ifndef WINDPROOF_SERVICES_WINDPROOF_STACK_H_
#define WINDPROOF_SERVICES_WINDPROOF_STACK_H_

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/record_log/kafka_log.h"
#include "common/server/service_module.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/ingest/live/dwd_live_options.h"

namespace windproof {

class Stack {
 public:
  struct Options {
    std::string data_dir;
    // Names of built-in pipelines and spec files. With read_only those that the
    // store knows are there anyway.
    std::vector<std::string> pipelines = {"weather"};
    // What the verifier believes. Empty: DIR/trust.json, made when missing.
    std::string trust_path;
    // HOST:PORT of an anchor of its own, in the place of the built-in one. Its
    // ledger's key is not ours to know: there must be a trust file.
    std::string anchor_address;
    // A MultiChain stream in the place of the embedded ledger; what it needs
    // goes into DIR/multichain. Not read-only.
    std::optional<MultiChainConfig> multichain;
    // The record log in the place of the embedded one. Not read-only.
    std::optional<KafkaLog::Options> kafka;
    // The live source; its position goes into DIR/dwd_live. Not read-only.
    std::optional<DwdLiveOptions> live;
    // A stopped store, which nothing is written to: no ingest, no threads. What
    // is missing or damaged in it is told by missing(), and whoever asks for
    // it.
    bool read_only = false;
  };

  // Opens the stores and checks them. FailedPrecondition: the folder is in use,
  // or what is in it does not belong together; NotFound: no such pipeline, no
  // trust file, or read_only and no folder; Unavailable: read_only, and neither
  // ledger nor windows are there; as the modules' Open() else.
  static absl::StatusOr<std::unique_ptr<Stack>> Open(const Options& options);

  // Shuts down at once what Shutdown() has not.
  ~Stack();

  // What a server shows, in the order in which they need each other. They live
  // as long as the stack. Not started: that is for Start() or the server.
  std::vector<ServiceModule*> modules() const;

  // For use within the process: starts the modules. Once, and not together with
  // a server of modules().
  absl::Status Start();

  // After Start(): answers every service of modules(), until Shutdown().
  std::shared_ptr<grpc::Channel> Channel();

  // First of a shutdown: RecordLog::EndBy().
  void EndBy(std::chrono::steady_clock::time_point deadline);

  // After Start(): ends calls, then the modules finish what they accepted. A
  // channel must have no calls on that never end. Once.
  void Shutdown(std::chrono::steady_clock::time_point deadline);

  // What a read-only stack does without: a part, and what was found in its
  // place, each.
  const std::vector<std::string>& missing() const;

  // Valid specs of the pipelines.
  const std::vector<PipelineSpec>& pipelines() const;

 private:
  struct Parts;
  explicit Stack(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_STACK_H_
