// Real processes for tests: started, read, signalled and waited for.
//
// A process ends with its Process, and with the test program in any case. There
// is no sleeping: waiting is for a line, an end of file or an exit. Errors of
// the harness itself abort the test program. Single-owner.
#ifndef WINDPROOF_TESTS_E2E_PROCESS_H_
#define WINDPROOF_TESTS_E2E_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace windproof {

class Process {
 public:
  using Environment = std::map<std::string, std::string>;

  // Runs `program` with `arguments`. The environment is the test's without any
  // WINDPROOF_… but those in `environment`.
  Process(const std::string& program, const std::vector<std::string>& arguments,
          const Environment& environment = {});

  // Kills what still runs, and waits for it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line of stdout without its end; empty at the end of the output.
  std::string ReadLine();

  // Reads stdout up to the READY line. False where the process ends first.
  bool WaitReady();

  // From the READY line: HOST:PORT.
  const std::string& grpc() const { return grpc_; }
  const std::string& http() const { return http_; }

  void Signal(int signal);

  // Reads the rest of stdout and waits for the end. The exit code, or 128 + the
  // signal that ended it.
  int Wait();

  // SIGTERM, then Wait().
  int Stop();

  // All of stdout that was read, and all of stderr until now.
  const std::string& out() const { return out_; }
  std::string err() const;

  pid_t pid() const { return pid_; }

 private:
  bool ReadMore();

  pid_t pid_ = -1;
  int stdout_ = -1;
  int exit_code_ = -1;
  bool waited_ = false;
  std::string err_path_;
  std::string out_;
  size_t line_start_ = 0;
  std::string grpc_;
  std::string http_;
};

// What a program that ends by itself did.
struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome RunProcess(const std::string& program,
                   const std::vector<std::string>& arguments,
                   const Process::Environment& environment = {});

// A program that Bazel built for this test: "services/windproof/windproof".
std::string Binary(absl::string_view path);

// A folder under TEST_TMPDIR that no other test has; not made yet.
std::string FreshPath(absl::string_view name);

// Whole files.
std::string FileContent(const std::string& path);
void WriteContent(const std::string& path, absl::string_view content);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_E2E_PROCESS_H_
