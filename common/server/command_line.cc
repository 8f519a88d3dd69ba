#include "common/server/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/server/config_file.h"
#include "common/server/files.h"
#include "common/server/nearest.h"

namespace windproof {
namespace {

constexpr char kConfig[] = "config";
constexpr size_t kMaxConfigBytes = 1 << 20;

// A flag or an argument.
struct Entry {
  std::string name;   // flags: without dashes; arguments: the placeholder
  std::string shown;  // "--data-dir", "PATH"
  CLI::Option* option = nullptr;
  bool is_flag = true;
  bool is_list = false;
  bool required = false;
  // Returns what is wrong with the values, or nothing.
  std::function<std::string(const std::vector<std::string>&)> set;
  bool is_set = false;
};

absl::Status UsageError(absl::string_view message) {
  return absl::InvalidArgumentError(message);
}

// Gives `entry` its values; `where` says who gave them.
absl::Status Set(Entry* entry, const std::vector<std::string>& values,
                 absl::string_view where) {
  if (!entry->is_list && values.size() != 1) {
    return UsageError(absl::StrCat(where, " is given ", values.size(),
                                   " values; one is "
                                   "accepted"));
  }
  const std::string error = entry->set(values);
  if (!error.empty()) return UsageError(absl::StrCat(where, " ", error));
  entry->is_set = true;
  return absl::OkStatus();
}

std::string Quoted(absl::string_view value) {
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(value), "\"");
}

}  // namespace

struct Command::Impl {
  CLI::App* app = nullptr;
  std::unique_ptr<CLI::App> owned_app;  // of the root
  std::string path;                     // "windproof ingest dwd"
  std::vector<std::unique_ptr<Entry>> entries;
  std::vector<std::unique_ptr<Command>> commands;
  std::function<int()> run;
  std::string config_path;

  Entry* Find(absl::string_view name) {
    for (const auto& entry : entries) {
      if (entry->is_flag && entry->name == name) return entry.get();
    }
    return nullptr;
  }

  Entry& AddFlag(absl::string_view name, absl::string_view placeholder,
                 absl::string_view help, absl::string_view default_text) {
    Entry& entry = *entries.emplace_back(std::make_unique<Entry>());
    entry.name = std::string(name);
    entry.shown = absl::StrCat("--", name);
    // An option without a variable keeps its values as text. Under kTakeLast it
    // takes one value a time but keeps all.
    const std::string text =
        default_text.empty()
            ? std::string(help)
            : absl::StrCat(help, " [default: ", default_text, "]");
    entry.option = app->add_option(entry.shown, CLI::callback_t(), text, false)
                       ->type_name(std::string(placeholder))
                       ->expected(1)
                       ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return entry;
  }

  std::vector<std::string> FlagNames(absl::string_view prefix) const {
    std::vector<std::string> names;
    for (const auto& entry : entries) {
      if (entry->is_flag) names.push_back(absl::StrCat(prefix, entry->name));
    }
    return names;
  }

  std::vector<std::string> CommandNames() const {
    std::vector<std::string> names;
    names.reserve(commands.size());
    for (const auto& command : commands) {
      names.push_back(command->impl_->app->get_name());
    }
    return names;
  }

  absl::Status CheckExtras() const;
  absl::Status ReadCommandLine();
  absl::Status ReadEnvironment(const CommandLine::GetEnv& get_env);
  absl::Status ReadConfig();
  absl::Status CheckRequired() const;
};

// What CLI11 could not place.
absl::Status Command::Impl::CheckExtras() const {
  const std::vector<std::string> extras = app->remaining();
  if (extras.empty()) return absl::OkStatus();
  const std::string& first = extras.front();
  if (first.size() > 1 && first[0] == '-') {
    std::vector<std::string> known = FlagNames("--");
    known.emplace_back("--help");
    const std::string name = first.substr(0, first.find('='));
    return UsageError(
        absl::StrCat("unknown flag ", name, DidYouMean(name, known)));
  }
  if (!commands.empty()) {
    const std::vector<std::string> known = CommandNames();
    const std::string nearest = DidYouMean(first, known);
    return UsageError(absl::StrCat(
        "unknown command ", Quoted(first),
        nearest.empty()
            ? absl::StrCat("; there are ", absl::StrJoin(known, ", "))
            : nearest));
  }
  return UsageError(absl::StrCat("unexpected argument ", Quoted(first)));
}

absl::Status Command::Impl::ReadCommandLine() {
  for (const auto& entry : entries) {
    entry->is_set = false;
    if (entry->option->count() == 0) continue;
    const absl::Status set =
        Set(entry.get(), entry->option->results(), entry->shown);
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status Command::Impl::ReadEnvironment(
    const CommandLine::GetEnv& get_env) {
  for (const auto& entry : entries) {
    if (!entry->is_flag || entry->is_set) continue;
    const std::string name = EnvironmentName(entry->name);
    const std::optional<std::string> value = get_env(name);
    if (!value.has_value() || value->empty()) continue;
    std::vector<std::string> values = {*value};
    if (entry->is_list) {
      values = absl::StrSplit(*value, ',', absl::SkipWhitespace());
      for (std::string& one : values) {
        one = std::string(absl::StripAsciiWhitespace(one));
      }
    }
    const absl::Status set =
        Set(entry.get(), values, absl::StrCat("environment variable ", name));
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status Command::Impl::ReadConfig() {
  if (config_path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> text =
      ReadFile(config_path, kMaxConfigBytes);
  if (!text.ok()) return UsageError(text.status().message());
  const absl::StatusOr<std::vector<ConfigEntry>> config = ParseConfig(*text);
  if (!config.ok()) {
    return UsageError(
        absl::StrCat(config_path, ": ", config.status().message()));
  }

  struct Given {
    int line = 0;
    std::vector<std::string> values;
  };
  std::map<std::string, Given> given;
  for (const ConfigEntry& line : *config) {
    const std::string where = absl::StrCat(config_path, ":", line.line, ": ");
    const Entry* entry = Find(line.name);
    if (entry == nullptr || line.name == kConfig) {
      std::vector<std::string> known = FlagNames("");
      known.erase(std::remove(known.begin(), known.end(), kConfig),
                  known.end());
      return UsageError(absl::StrCat(where, "unknown key ", line.name,
                                     DidYouMean(line.name, known)));
    }
    const auto [found, is_new] =
        given.try_emplace(line.name, Given{line.line, {}});
    if (!is_new && !entry->is_list) {
      return UsageError(absl::StrCat(where, line.name,
                                     " is there a second time; the first is "
                                     "in line ",
                                     found->second.line));
    }
    found->second.values.insert(found->second.values.end(), line.values.begin(),
                                line.values.end());
  }
  for (const auto& [name, value] : given) {
    Entry* entry = Find(name);
    if (entry->is_set) continue;
    const absl::Status set =
        Set(entry, value.values,
            absl::StrCat(config_path, ":", value.line, ": ", name));
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status Command::Impl::CheckRequired() const {
  for (const auto& entry : entries) {
    if (!entry->required || entry->is_set) continue;
    if (!entry->is_flag) {
      return UsageError(absl::StrCat(entry->shown, " is missing"));
    }
    return UsageError(absl::StrCat(entry->shown, " is missing (or ",
                                   EnvironmentName(entry->name),
                                   " in the environment)"));
  }
  return absl::OkStatus();
}

Command::Command(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Command::~Command() = default;

Command& Command::AddCommand(absl::string_view name,
                             absl::string_view summary) {
  auto impl = std::make_unique<Impl>();
  impl->app =
      impl_->app->add_subcommand(std::string(name), std::string(summary));
  impl->path = absl::StrCat(impl_->path, " ", name);
  // One command at each level: what follows is arguments, even if a word is
  // also the name of a command.
  impl_->app->require_subcommand(0, 1);
  return *impl_->commands.emplace_back(new Command(std::move(impl)));
}

void Command::Example(absl::string_view text) {
  impl_->app->footer(absl::StrCat(
      "Example:\n  ", absl::StrReplaceAll(text, {{"\n", "\n  "}}), "\n"));
}

void Command::Flag(absl::string_view name, std::string* value,
                   absl::string_view placeholder, absl::string_view help) {
  Entry& entry = impl_->AddFlag(name, placeholder, help, *value);
  entry.set = [value](const std::vector<std::string>& given) {
    *value = given[0];
    return "";
  };
}

void Command::Flag(absl::string_view name, std::vector<std::string>* values,
                   absl::string_view placeholder, absl::string_view help) {
  Entry& entry = impl_->AddFlag(name, absl::StrCat(placeholder, " ..."), help,
                                absl::StrJoin(*values, ","));
  entry.is_list = true;
  entry.set = [values](const std::vector<std::string>& given) {
    *values = given;
    return "";
  };
}

void Command::Flag(absl::string_view name, int64_t* value, int64_t min,
                   int64_t max, absl::string_view placeholder,
                   absl::string_view help) {
  Entry& entry = impl_->AddFlag(name, placeholder, help, absl::StrCat(*value));
  entry.set = [value, min, max](const std::vector<std::string>& given) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(given[0], &number) || number < min || number > max) {
      return absl::StrCat("is ", Quoted(given[0]), "; a whole number from ",
                          min, " to ", max, " is accepted");
    }
    *value = number;
    return std::string();
  };
}

void Command::Flag(absl::string_view name, bool* value,
                   absl::string_view help) {
  Entry& entry = *impl_->entries.emplace_back(std::make_unique<Entry>());
  entry.name = std::string(name);
  entry.shown = absl::StrCat("--", name);
  const std::string text(help);
  entry.option = impl_->app->add_flag(entry.shown, text);
  entry.set = [value](const std::vector<std::string>& given) {
    const std::string word = absl::AsciiStrToLower(given[0]);
    if (word != "true" && word != "false") {
      return absl::StrCat("is ", Quoted(given[0]),
                          "; true and false are accepted");
    }
    *value = word == "true";
    return std::string();
  };
}

void Command::Choice(absl::string_view name, std::string* value,
                     std::vector<std::string> accepted,
                     absl::string_view help) {
  Entry& entry =
      impl_->AddFlag(name, absl::StrJoin(accepted, "|"), help, *value);
  entry.set = [value, accepted = std::move(accepted)](
                  const std::vector<std::string>& given) {
    if (std::find(accepted.begin(), accepted.end(), given[0]) ==
        accepted.end()) {
      return absl::StrCat("is ", Quoted(given[0]), "; ",
                          absl::StrJoin(accepted, ", "), " are accepted",
                          DidYouMean(given[0], accepted));
    }
    *value = given[0];
    return std::string();
  };
}

void Command::Require(absl::string_view name) {
  Entry* entry = impl_->Find(name);
  if (entry == nullptr) std::abort();  // a flag that was never added
  entry->required = true;
}

void Command::Argument(absl::string_view placeholder, std::string* value,
                       absl::string_view help, bool required) {
  Entry& entry = *impl_->entries.emplace_back(std::make_unique<Entry>());
  entry.name = std::string(placeholder);
  entry.shown = entry.name;
  entry.is_flag = false;
  entry.required = required;
  entry.option =
      impl_->app
          ->add_option(entry.name, CLI::callback_t(), std::string(help), false)
          ->type_name("")
          ->expected(1);
  entry.set = [value](const std::vector<std::string>& given) {
    *value = given[0];
    return "";
  };
}

void Command::Arguments(absl::string_view placeholder,
                        std::vector<std::string>* values,
                        absl::string_view help, bool required) {
  Entry& entry = *impl_->entries.emplace_back(std::make_unique<Entry>());
  entry.name = std::string(placeholder);
  entry.shown = entry.name;
  entry.is_flag = false;
  entry.is_list = true;
  entry.required = required;
  entry.option =
      impl_->app
          ->add_option(entry.name, CLI::callback_t(), std::string(help), false)
          ->type_name("")
          ->expected(1, CLI::detail::expected_max_vector_size)
          ->allow_extra_args();
  entry.set = [values](const std::vector<std::string>& given) {
    *values = given;
    return "";
  };
}

void Command::ConfigFile() {
  Flag(kConfig, &impl_->config_path, "FILE",
       "Read flags from a file of `name = value` lines; the command line and "
       "then the environment (WINDPROOF_...) win over it");
}

void Command::Action(std::function<int()> run) { impl_->run = std::move(run); }

CommandLine::CommandLine(absl::string_view program, absl::string_view summary,
                         absl::string_view version)
    : program_(program), version_(version) {
  auto impl = std::make_unique<Command::Impl>();
  impl->owned_app = std::make_unique<CLI::App>(std::string(summary), program_);
  impl->app = impl->owned_app.get();
  impl->app->allow_extras();  // commands below inherit it
  impl->app->set_help_flag("-h,--help", "Print this help and exit");
  impl->app->set_version_flag("--version", absl::StrCat(program_, " ", version),
                              "Print version and commit and exit");
  impl->path = program_;
  root_.reset(new Command(std::move(impl)));
}

CommandLine::~CommandLine() = default;

int CommandLine::RunWith(const std::vector<std::string>& args,
                         const GetEnv& get_env, std::ostream& out,
                         std::ostream& err) {
  Command* command = root_.get();
  const auto explain = [&](absl::string_view message) {
    err << command->impl_->path << ": " << message << "\n"
        << "`" << command->impl_->path << " --help` shows what is accepted\n";
    return kExitUsage;
  };

  std::vector<std::string> reversed(args.rbegin(), args.rend());
  std::string parse_error;
  try {
    root_->impl_->app->parse(std::move(reversed));
  } catch (const CLI::Success& help_or_version) {
    root_->impl_->app->exit(help_or_version, out, err);
    return kExitGood;
  } catch (const CLI::Error& error) {
    parse_error = error.what();
  }

  // From the program to the command that was named, each with its flags.
  for (Command* next = command; next != nullptr;) {
    command = next;
    next = nullptr;
    const absl::Status extras = command->impl_->CheckExtras();
    if (!extras.ok()) return explain(extras.message());
    for (const auto& below : command->impl_->commands) {
      if (below->impl_->app->parsed()) next = below.get();
    }
  }
  if (!parse_error.empty()) return explain(parse_error);
  Command::Impl& impl = *command->impl_;
  if (!impl.run) {
    return explain(absl::StrCat("a command is missing; there are ",
                                absl::StrJoin(impl.CommandNames(), ", ")));
  }
  absl::Status read = impl.ReadCommandLine();
  if (read.ok()) read = impl.ReadEnvironment(get_env);
  if (read.ok()) read = impl.ReadConfig();
  if (read.ok()) read = impl.CheckRequired();
  if (!read.ok()) return explain(read.message());
  return impl.run();
}

int CommandLine::Run(int argc, const char* const* argv) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  const GetEnv get_env =
      [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return RunWith(args, get_env, std::cout, std::cerr);
}

std::string EnvironmentName(absl::string_view flag) {
  return absl::StrCat("WINDPROOF_", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                        flag, {{"-", "_"}})));
}

}  // namespace windproof
