#include "tests/kafka/testing/kafka_broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace windproof {
namespace {

using Clock = std::chrono::steady_clock;

const char* JarsVariable(bool old_version) {
  return old_version ? "WINDPROOF_KAFKA_OLD" : "WINDPROOF_KAFKA";
}

// Beside the test's other files, or beside a program that runs without Bazel.
std::string ScriptPath() {
  constexpr char kName[] = "tests/kafka/broker/broker.sh";
  const char* const sources = getenv("TEST_SRCDIR");
  const char* const workspace = getenv("TEST_WORKSPACE");
  if (sources != nullptr && workspace != nullptr) {
    return absl::StrCat(sources, "/", workspace, "/", kName);
  }
  std::error_code error;
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  return absl::StrCat(self.string(), ".runfiles/windproof/", kName);
}

std::string NewFolder() {
  static std::atomic<int> made = 0;
  const char* const temporary = getenv("TEST_TMPDIR");
  return absl::StrCat(temporary != nullptr ? temporary : "/tmp", "/kafka-",
                      getpid(), "-", ++made);
}

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Binds it to a free port; 0 when that fails.
int BindAnywhere(const Socket& socket) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size) !=
          0) {
    return 0;
  }
  return ntohs(address.sin_port);
}

std::string TailOf(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  if (lines.size() > 15) lines.erase(lines.begin(), lines.end() - 15);
  return absl::StrJoin(lines, "\n");
}

// An authority (ca.pem) and, signed by it, the broker's key and certificate
// (server.pem).
absl::Status MakeCertificates(const std::string& dir) {
  constexpr char kMake[] = R"(
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority \
      -keyout ca.key -out ca.pem &&
    openssl req -newkey rsa:2048 -nodes -subj /CN=broker \
      -keyout server.key -out server.csr &&
    echo subjectAltName=IP:127.0.0.1 > server.ext &&
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
      -days 2 -extfile server.ext -out server.crt &&
    cat server.key server.crt ca.pem > server.pem)";
  const std::string command =
      absl::StrCat("cd '", dir, "' && (", kMake, ") > openssl.log 2>&1");
  if (system(command.c_str()) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("openssl made no certificates:\n",
                                             TailOf(dir + "/openssl.log")));
}

}  // namespace

bool KafkaBroker::OldByDefault() {
  const char* const broker = getenv("WINDPROOF_BROKER");
  return broker != nullptr && absl::string_view(broker) == "old";
}

std::optional<std::string> KafkaBroker::Unavailable(bool old_version) {
  const char* const variable = JarsVariable(old_version);
  const char* const jars = getenv(variable);
  if (jars == nullptr || *jars == '\0') {
    return absl::StrCat(variable, " is not set: the folder of Kafka's jars",
                        old_version ? ", which ./dev test --long fetches" : "");
  }
  if (!std::filesystem::exists(absl::StrCat(jars, "/complete"))) {
    return absl::StrCat(variable, ": ", jars, " has no jars of Kafka");
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<KafkaBroker>> KafkaBroker::Start() {
  return Start(Options());
}

absl::StatusOr<std::unique_ptr<KafkaBroker>> KafkaBroker::Start(
    const Options& options) {
  const std::optional<std::string> reason = Unavailable(options.old_version);
  if (reason.has_value()) return absl::FailedPreconditionError(*reason);
  std::unique_ptr<KafkaBroker> broker(new KafkaBroker(options));
  std::string& dir = broker->options_.dir;
  if (dir.empty()) dir = NewFolder();
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make ", dir, ": ", error.message()));
  }
  if (options.secure) {
    const absl::Status made = MakeCertificates(dir);
    if (!made.ok()) return made;
  }

  // Another process may take a free port before the broker does.
  absl::Status started;
  for (int i = 0; i < 3; ++i) {
    started = broker->ChoosePorts();
    if (!started.ok()) continue;
    broker->WriteProperties();
    started = broker->Restart();
    if (started.ok()) return broker;
    broker->Kill9();
  }
  return started;
}

KafkaBroker::~KafkaBroker() {
  Kill9();
  if (minder_.joinable()) minder_.join();
}

absl::Status KafkaBroker::ChoosePorts() {
  const Socket sockets[3];
  port_ = BindAnywhere(sockets[0]);
  controller_port_ = BindAnywhere(sockets[1]);
  secure_port_ = BindAnywhere(sockets[2]);
  if (port_ == 0 || controller_port_ == 0 || secure_port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("no free port: ", strerror(errno)));
  }
  bootstrap_ = absl::StrCat("127.0.0.1:", port_);
  secure_bootstrap_ = absl::StrCat("127.0.0.1:", secure_port_);
  return absl::OkStatus();
}

void KafkaBroker::WriteProperties() const {
  std::ofstream out(options_.dir + "/extra.properties");
  out << absl::StrJoin(options_.properties, "\n") << "\n";
  if (!options_.secure) return;
  const std::string plain = absl::StrCat("PLAINTEXT://", bootstrap_);
  const std::string secure = absl::StrCat("SASL_SSL://", secure_bootstrap_);
  const std::string controller =
      absl::StrCat("CONTROLLER://127.0.0.1:", controller_port_);
  out << "listeners=" << plain << "," << controller << "," << secure
      << "\nadvertised.listeners=" << plain << "," << secure
      << "\nlistener.security.protocol.map=CONTROLLER:PLAINTEXT,"
         "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL"
         "\nsasl.enabled.mechanisms=PLAIN"
         "\nlistener.name.sasl_ssl.plain.sasl.jaas.config="
         "org.apache.kafka.common.security.plain.PlainLoginModule required "
         "user_windproof=\"wind-secret\";"
         "\nssl.keystore.type=PEM\nssl.keystore.location="
      << options_.dir << "/server.pem\n";
}

absl::StatusOr<KafkaBroker*> KafkaBroker::Shared() { return Shared(Options()); }

absl::StatusOr<KafkaBroker*> KafkaBroker::Shared(const Options& options) {
  static Mutex* const mutex = new Mutex();
  static auto* const brokers =
      new std::map<std::string, absl::StatusOr<KafkaBroker*>>();
  const std::string kind = absl::StrCat(options.old_version, options.secure,
                                        absl::StrJoin(options.properties, ","));
  MutexLock lock(*mutex);
  const auto found = brokers->find(kind);
  if (found != brokers->end()) return found->second;
  auto started = Start(options);
  return brokers
      ->emplace(kind, started.ok()
                          ? absl::StatusOr<KafkaBroker*>(started->release())
                          : absl::StatusOr<KafkaBroker*>(started.status()))
      .first->second;
}

absl::Status KafkaBroker::Restart() {
  absl::Status begun = BeginRestart();
  if (!begun.ok()) return begun;
  return WaitUntilItAnswers();
}

absl::Status KafkaBroker::BeginRestart() {
  if (running()) {
    return absl::FailedPreconditionError("the broker runs already");
  }
  if (minder_.joinable()) minder_.join();
  MutexLock lock(mutex_);
  starting_ = true;
  minder_ = std::thread([this] { Mind(); });
  while (starting_) changed_.Wait(mutex_);
  if (pid_ <= 0) return absl::UnavailableError("the broker was not forked");
  return absl::OkStatus();
}

absl::Status KafkaBroker::WaitUntilItAnswers() {
  const Clock::time_point deadline = Clock::now() + options_.start_timeout;
  while (running()) {
    if (Answers()) return absl::OkStatus();
    if (Clock::now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the broker at ", bootstrap_, " does not answer; ", options_.dir,
          "/broker.log:\n", TailOf(options_.dir + "/broker.log")));
    }
    // Its answer is asked for again; nothing else depends on this time.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return absl::UnavailableError(
      absl::StrCat("the broker ended; ", options_.dir, "/start.log:\n",
                   TailOf(options_.dir + "/start.log"), "\n", options_.dir,
                   "/broker.log:\n", TailOf(options_.dir + "/broker.log")));
}

void KafkaBroker::Mind() {
  // Whatever the child needs is made before the fork: it may only make system
  // calls.
  const std::string script = ScriptPath();
  const std::string port = std::to_string(port_);
  const std::string controller_port = std::to_string(controller_port_);
  const std::string start_log = options_.dir + "/start.log";
  const std::string jars = absl::StrCat(
      "WINDPROOF_KAFKA=", getenv(JarsVariable(options_.old_version)));
  const char* const path = getenv("PATH");
  const std::string path_entry =
      absl::StrCat("PATH=", path != nullptr ? path : "/usr/bin:/bin");
  const char* const arguments[] = {
      "bash",       script.c_str(),          "run",  options_.dir.c_str(),
      port.c_str(), controller_port.c_str(), nullptr};
  const char* const environment[] = {jars.c_str(), path_entry.c_str(), nullptr};
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    // No Ctrl-C for the broker: the test ends it.
    setsid();
    const int out = open(start_log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (out >= 0) {
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
    }
    // Sockets and files of the test are not the broker's.
    close_range(3, UINT_MAX, 0);
    execve("/bin/bash", const_cast<char* const*>(arguments),
           const_cast<char* const*>(environment));
    _exit(127);
  }
  {
    MutexLock lock(mutex_);
    pid_ = pid;
    starting_ = false;
    changed_.NotifyAll();
  }
  if (pid < 0) return;
  // The process is left as it is until pid_ is no more, so that nobody signals
  // another process of the same number.
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  MutexLock lock(mutex_);
  pid_ = 0;
  int status = 0;
  waitpid(pid, &status, 0);
  changed_.NotifyAll();
}

void KafkaBroker::Signal(int signal) {
  MutexLock lock(mutex_);
  if (pid_ > 0) kill(pid_, signal);
}

void KafkaBroker::WaitForEnd() {
  MutexLock lock(mutex_);
  while (pid_ > 0) changed_.Wait(mutex_);
}

void KafkaBroker::Kill9() {
  Signal(SIGKILL);
  WaitForEnd();
}

void KafkaBroker::Stop() {
  Signal(SIGTERM);
  Signal(SIGCONT);
  WaitForEnd();
}

void KafkaBroker::Pause() {
  pid_t pid = 0;
  {
    MutexLock lock(mutex_);
    pid = pid_;
  }
  if (pid <= 0) return;
  Signal(SIGSTOP);
  // Until its last thread has stopped: any could answer a moment longer.
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED) != 0 &&
         errno == EINTR) {
  }
}
void KafkaBroker::Continue() { Signal(SIGCONT); }

bool KafkaBroker::running() {
  MutexLock lock(mutex_);
  return pid_ > 0;
}

// A Metadata request (version 1, no topics): the broker takes requests when the
// answer lists one broker, itself.
bool KafkaBroker::Answers() const {
  const Socket socket;
  const timeval timeout = {.tv_sec = 2, .tv_usec = 0};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  const sockaddr_in address = Loopback(port_);
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    return false;
  }
  constexpr char kRequest[] = {0, 0, 0, 14, 0,  3, 0, 1, 0,
                               0, 0, 1, -1, -1, 0, 0, 0, 0};
  if (send(socket.fd(), kRequest, sizeof(kRequest), MSG_NOSIGNAL) !=
      sizeof(kRequest)) {
    return false;
  }
  char reply[12];  // size, correlation id, number of brokers
  if (recv(socket.fd(), reply, sizeof(reply), MSG_WAITALL) != sizeof(reply)) {
    return false;
  }
  constexpr char kOne[] = {0, 0, 0, 1};
  return memcmp(reply + 8, kOne, sizeof(kOne)) == 0;
}

}  // namespace windproof
