// A real Kafka broker of one node on loopback, for one test.
//
// KafkaBroker::Unavailable() says why there can be none, for GTEST_SKIP: the
// environment has no WINDPROOF_KAFKA, the folder of Kafka's jars, which
// `./dev test` fetches. With WINDPROOF_BROKER=old a test has the older Kafka of
// WINDPROOF_KAFKA_OLD (`./dev test --long`). A broker ends with the process
// that started it, however that one ends.
#ifndef WINDPROOF_TESTS_KAFKA_TESTING_KAFKA_BROKER_H_
#define WINDPROOF_TESTS_KAFKA_TESTING_KAFKA_BROKER_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe.
class KafkaBroker {
 public:
  struct Options {
    // Folder of its data, settings and log (broker.log); made when missing.
    // Empty: a new one under TEST_TMPDIR.
    std::string dir;
    // Lines of server.properties that come after ours, such as
    // "log.retention.check.interval.ms=1000".
    std::vector<std::string> properties;
    // The older Kafka of WINDPROOF_KAFKA_OLD.
    bool old_version = OldByDefault();
    // One more listener, secure_bootstrap(): TLS, and a password over it
    // (SASL/PLAIN, user `windproof`, password `wind-secret`). Its certificate
    // is for 127.0.0.1, by the authority of DIR/ca.pem.
    bool secure = false;
    std::chrono::milliseconds start_timeout = std::chrono::minutes(2);
  };

  // Whether WINDPROOF_BROKER asks for the older Kafka.
  static bool OldByDefault();

  // Nothing when Start() can work; else the reason why not.
  static std::optional<std::string> Unavailable(
      bool old_version = OldByDefault());

  // Starts one on free ports, and waits until it answers.
  static absl::StatusOr<std::unique_ptr<KafkaBroker>> Start(
      const Options& options);
  static absl::StatusOr<std::unique_ptr<KafkaBroker>> Start();

  // One, of each kind, that all tests of this process share; it is started
  // once, and ends with the process. Options::dir must be empty.
  static absl::StatusOr<KafkaBroker*> Shared(const Options& options);
  static absl::StatusOr<KafkaBroker*> Shared();

  // Kills it if it runs.
  ~KafkaBroker();
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;

  // HOST:PORT; the same after a restart.
  const std::string& bootstrap() const { return bootstrap_; }
  const std::string& secure_bootstrap() const { return secure_bootstrap_; }
  const std::string& dir() const { return options_.dir; }

  // SIGKILL; returns when the process is gone. Nothing when it is not running.
  void Kill9();
  // SIGTERM and a clean end.
  void Stop();
  // SIGSTOP, and nothing is answered any more; SIGCONT.
  void Pause();
  void Continue();

  // Starts it again, on the same ports and folder, after Kill9() or Stop().
  // BeginRestart() does not wait until it answers; WaitUntilItAnswers() does.
  absl::Status Restart();
  absl::Status BeginRestart();
  absl::Status WaitUntilItAnswers();

  bool running();

 private:
  explicit KafkaBroker(const Options& options) : options_(options) {}

  absl::Status ChoosePorts();
  // DIR/extra.properties.
  void WriteProperties() const;
  // The broker is the child of this thread, so that it is killed with us
  // (PR_SET_PDEATHSIG), and not before: the thread waits for its end.
  void Mind();
  void Signal(int signal);
  void WaitForEnd();
  bool Answers() const;

  Options options_;
  int port_ = 0;
  int controller_port_ = 0;
  int secure_port_ = 0;
  std::string bootstrap_;
  std::string secure_bootstrap_;

  Mutex mutex_;
  CondVar changed_;
  pid_t pid_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: not running
  bool starting_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread minder_;  // of the running broker, or of the one that ended
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_KAFKA_TESTING_KAFKA_BROKER_H_
