// Runs `windproof` commands as users do, against a server of their own.
//
// Single-owner.
#ifndef WINDPROOF_TESTS_CLI_COMMAND_RUN_H_
#define WINDPROOF_TESTS_CLI_COMMAND_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/canonical/json_value.h"
#include "tests/e2e/process.h"

namespace windproof {

// windproof with these arguments.
Outcome Windproof(const std::vector<std::string>& arguments);

// A running `windproof serve` on a new data folder.
class TestServer {
 public:
  // Pipelines are built-in ones or spec files.
  explicit TestServer(const std::string& pipeline)
      : TestServer(std::vector<std::string>{pipeline}) {}
  explicit TestServer(const std::vector<std::string>& pipelines);

  // windproof with these arguments and --server.
  Outcome Run(std::vector<std::string> arguments) const;

  // `windproof windows` until `count` windows are anchored, within a time that
  // only a hung server needs. Returns the JSON lines.
  std::vector<JsonValue> WaitForWindows(size_t count) const;

  // The exit code. The store is then a stopped one.
  int Stop() { return process_->Stop(); }

  // kill -9; and the same server again, on the same port.
  void Kill();
  void Restart();

  const std::string& address() const { return address_; }

  const std::string& data_dir() const { return data_dir_; }

 private:
  void Start(const std::string& listen);

  const std::string data_dir_;
  const std::vector<std::string> pipelines_;
  std::unique_ptr<Process> process_;
  std::string address_;
};

// The JSON values of an output, one a line. A line that is none fails the test.
std::vector<JsonValue> JsonLines(absl::string_view text);

// The string at a path of members: Text(line, {"window", "key"}). Empty where
// there is none.
std::string Text(const JsonValue& value,
                 const std::vector<std::string>& members);
// The number; -1 where there is none.
double Number(const JsonValue& value, const std::vector<std::string>& members);

// The shared folder of recorded data; empty where there is none.
std::string SharedData();

}  // namespace windproof

#endif  // WINDPROOF_TESTS_CLI_COMMAND_RUN_H_
