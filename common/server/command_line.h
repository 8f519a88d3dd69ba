// Command lines of programs: commands, flags, arguments, help; and flags that
// come from the environment or from a file instead.
//
// A flag `--data-dir` is given by, in this order: the command line, the
// environment variable WINDPROOF_DATA_DIR (an empty one counts as unset; a list
// is separated by commas), the line `data-dir = …` of the file named by
// `--config` where a command has it (config_file.h), its default. A key of the
// file that is no flag of the command is an error, as is anything unknown on
// the command line; errors name the nearest known word.
//
// Single-owner. CLI11 is behind this and nowhere else: it is slow to compile,
// lets a file win over the environment and skips unknown keys.
#ifndef WINDPROOF_COMMON_SERVER_COMMAND_LINE_H_
#define WINDPROOF_COMMON_SERVER_COMMAND_LINE_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace windproof {

inline constexpr int kExitGood = 0;
inline constexpr int kExitFound = 1;        // FAILED, rejected rows
inline constexpr int kExitUsage = 2;        // wrong use
inline constexpr int kExitUnavailable = 3;  // not reachable, INCOMPLETE …

// One command. What the pointers point to must live until Run() returns, and
// holds the default until then; help shows it.
class Command {
 public:
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // A command below this one, as `ingest` has `dwd`.
  Command& AddCommand(absl::string_view name, absl::string_view summary);

  // Shown at the end of the help, under "Example:".
  void Example(absl::string_view text);

  // Flags; `name` is without the dashes: "data-dir".
  void Flag(absl::string_view name, std::string* value,
            absl::string_view placeholder, absl::string_view help);
  // May be given more than once. What is given takes the default's place.
  void Flag(absl::string_view name, std::vector<std::string>* values,
            absl::string_view placeholder, absl::string_view help);
  void Flag(absl::string_view name, int64_t* value, int64_t min, int64_t max,
            absl::string_view placeholder, absl::string_view help);
  // On or off: `--complete`; in environment and file true or false.
  void Flag(absl::string_view name, bool* value, absl::string_view help);
  // One of `accepted`.
  void Choice(absl::string_view name, std::string* value,
              std::vector<std::string> accepted, absl::string_view help);

  // The flag must be given, from wherever.
  void Require(absl::string_view name);

  // What stands on the command line without a flag, in the order of these
  // calls; the many come last.
  void Argument(absl::string_view placeholder, std::string* value,
                absl::string_view help, bool required = true);
  void Arguments(absl::string_view placeholder,
                 std::vector<std::string>* values, absl::string_view help,
                 bool required = true);

  // Adds `--config FILE`.
  void ConfigFile();

  // What the command does; returns the exit code. A command without an action
  // is a group: it needs one of its commands.
  void Action(std::function<int()> run);

 private:
  friend class CommandLine;
  struct Impl;
  explicit Command(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

class CommandLine {
 public:
  // `version` is what --version prints after the program's name.
  CommandLine(absl::string_view program, absl::string_view summary,
              absl::string_view version);
  ~CommandLine();

  Command& root() { return *root_; }

  // Reads the command line and runs the command that it names. Returns the exit
  // code; wrong use is explained on stderr and gives kExitUsage.
  int Run(int argc, const char* const* argv);

  using GetEnv = std::function<std::optional<std::string>(const std::string&)>;

  // The same in other surroundings, for tests. `args` without the program.
  int RunWith(const std::vector<std::string>& args, const GetEnv& get_env,
              std::ostream& out, std::ostream& err);

 private:
  std::string program_;
  std::string version_;
  std::unique_ptr<Command> root_;
};

// "WINDPROOF_DATA_DIR" for "data-dir".
std::string EnvironmentName(absl::string_view flag);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_COMMAND_LINE_H_
