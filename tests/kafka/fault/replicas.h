// One pipeline over topics of a real Kafka broker: an anchor and replicas of
// window-hash as processes, each with an address and a data folder of its own
// that stay when it is started again.
//
// Errors of the harness itself fail the test. Single-owner, and of the thread
// that began the test: a process ends with the thread that started it.
#ifndef WINDPROOF_TESTS_KAFKA_FAULT_REPLICAS_H_
#define WINDPROOF_TESTS_KAFKA_FAULT_REPLICAS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/record_log/kafka_log.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "tests/e2e/process.h"
#include "tests/fault/fault_run.h"

namespace windproof {

class Replicas {
 public:
  struct Options {
    std::string bootstrap;  // of the test itself
    // Of replica 0; empty: the same.
    std::string replica_bootstrap;
    std::string name;  // prefix of the topics, and what names the pipeline
    int count = 1;     // replicas, none of them started
    // Without a group, and so without a changelog.
    bool alone = false;
  };

  // Starts the anchor.
  explicit Replicas(const Options& options);
  ~Replicas();
  Replicas(const Replicas&) = delete;
  Replicas& operator=(const Replicas&) = delete;

  KafkaLog& log() { return *log_; }
  const PipelineSpec& spec() const { return spec_; }
  // As --pipeline and --kafka-config take them.
  const std::string& spec_file() const { return spec_file_; }
  const std::string& properties_file() const { return replicas_[0].properties; }

  // Start() waits until it is ready, Begin() does not.
  void Start(int replica);
  void Begin(int replica);
  Process& process(int replica) { return *replicas_[Index(replica)].process; }
  const std::string& address(int replica) const {
    return replicas_[Index(replica)].address;
  }
  // Another process with the name and address of the replica, which listens
  // elsewhere and has an empty folder.
  std::unique_ptr<Process> Twin(int replica);
  // kill -9; SIGTERM, and it must end well.
  void Kill(int replica);
  void Stop(int replica);
  void DeleteData(int replica);

  // What one replica says of all, or of what it has itself.
  absl::StatusOr<v1::PipelineProgress> Progress(int replica, bool own = false);

  // Partitions that the replica has and runs.
  std::set<TopicPartition> Running(int replica);

  // SERVING, NOT_SERVING, or what the call itself failed with.
  std::string Health(int replica, const std::string& name);
  // The page of /metrics.
  std::string Metrics(int replica);

  // Waits until everything is read and anchored, as `replica` says, but for
  // partitions in `stopped`.
  absl::Status WaitSettled(int replica,
                           const std::set<TopicPartition>& stopped = {});

  // WaitSettled(), and then: the windows that `replica` lists and the ledger
  // are those of a run without any fault: the same bytes, each key's in the
  // same order, none missing, none twice, all anchored. Of keys in `stopped`
  // nothing is said.
  void ExpectUndisturbed(int replica,
                         const std::set<TopicPartition>& stopped = {});

  // Its message has all of `texts` and the name of the partition, its health
  // name says NOT_SERVING, its metric 1.
  void ExpectStopped(int replica, const TopicPartition& source,
                     const std::vector<std::string>& texts);

  // What the processes said, for a failure's message.
  std::string Logs() const;

 private:
  struct Replica {
    std::string address;
    std::string folder;
    std::string properties;  // a file
    std::unique_ptr<Process> process;
    std::string old_logs;
  };

  std::vector<std::string> Arguments(int replica, const std::string& listen,
                                     const std::string& folder) const;
  static size_t Index(int replica) { return static_cast<size_t>(replica); }

  const Options options_;
  std::string dir_;
  std::string spec_file_;
  PipelineSpec spec_;
  std::unique_ptr<KafkaLog> log_;
  std::unique_ptr<Process> anchor_;
  std::vector<Replica> replicas_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_KAFKA_FAULT_REPLICAS_H_
