#include "tests/e2e/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

extern char** environ;

namespace windproof {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

std::vector<std::string> EnvironmentFor(const Process::Environment& own) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!absl::StartsWith(*entry, "WINDPROOF_")) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : own) {
    result.push_back(absl::StrCat(name, "=", value));
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& one : strings) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Process::Process(const std::string& program,
                 const std::vector<std::string>& arguments,
                 const Environment& environment)
    : err_path_(FreshPath("stderr")) {
  std::vector<std::string> argv = {program};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> env = EnvironmentFor(environment);
  const std::vector<char*> argv_pointers = Pointers(argv);
  const std::vector<char*> env_pointers = Pointers(env);
  const int err =
      open(err_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int out[2];
  if (err < 0 || pipe2(out, O_CLOEXEC) != 0) Die("Process");
  const pid_t parent = getpid();

  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) {
    // Only what is safe after fork() in a program with threads.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    dup2(out[1], STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execve(program.c_str(), argv_pointers.data(), env_pointers.data());
    _exit(127);
  }
  close(out[1]);
  close(err);
  stdout_ = out[0];
}

Process::~Process() {
  if (!waited_) {
    kill(pid_, SIGKILL);
    Wait();
  }
  close(stdout_);
}

bool Process::ReadMore() {
  char buffer[4096];
  while (true) {
    const ssize_t n = read(stdout_, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Die("read");
    out_.append(buffer, static_cast<size_t>(n));
    return n > 0;
  }
}

std::string Process::ReadLine() {
  while (true) {
    const size_t end = out_.find('\n', line_start_);
    if (end != std::string::npos) {
      std::string line = out_.substr(line_start_, end - line_start_);
      line_start_ = end + 1;
      return line;
    }
    if (!ReadMore()) return "";
  }
}

bool Process::WaitReady() {
  while (true) {
    const std::string line = ReadLine();
    if (line.empty()) return false;
    if (!absl::StartsWith(line, "READY ")) continue;
    for (absl::string_view word : absl::StrSplit(line, ' ')) {
      if (absl::ConsumePrefix(&word, "grpc=")) grpc_ = std::string(word);
      if (absl::ConsumePrefix(&word, "http=")) http_ = std::string(word);
    }
    return true;
  }
}

void Process::Signal(int signal) {
  if (!waited_ && kill(pid_, signal) != 0) Die("kill");
}

int Process::Wait() {
  if (waited_) return exit_code_;
  while (ReadMore()) {
  }
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) Die("waitpid");
  }
  waited_ = true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

int Process::Stop() {
  Signal(SIGTERM);
  return Wait();
}

std::string Process::err() const { return FileContent(err_path_); }

Outcome RunProcess(const std::string& program,
                   const std::vector<std::string>& arguments,
                   const Process::Environment& environment) {
  Process process(program, arguments, environment);
  const int code = process.Wait();
  return {code, process.out(), process.err()};
}

std::string Binary(absl::string_view path) {
  const char* sources = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (sources == nullptr || workspace == nullptr) return std::string(path);
  return absl::StrCat(sources, "/", workspace, "/", path);
}

std::string FreshPath(absl::string_view name) {
  static std::atomic<int> count{0};
  const char* folder = std::getenv("TEST_TMPDIR");
  return absl::StrCat(folder == nullptr ? "/tmp" : folder, "/", getpid(), "-",
                      count.fetch_add(1), "-", name);
}

std::string FileContent(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void WriteContent(const std::string& path, absl::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.flush()) Die(path.c_str());
}

}  // namespace windproof
