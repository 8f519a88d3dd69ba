#include "services/windproof/drill_command.h"

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/proto/convert.h"
#include "services/windproof/tamper.h"

namespace windproof {
namespace {

struct Flags {
  std::string data_dir;
  std::string window;
  std::string what;
};

int Run(const Flags& flags) {
  absl::StatusOr<std::string> altered;
  const absl::StatusOr<WindowName> window = ParseWindowText(flags.window);
  if (window.ok()) {
    altered = Tamper(flags.data_dir, *window, flags.what);
  } else {
    altered = window.status();
  }
  if (!altered.ok()) {
    std::fprintf(stderr, "windproof drill tamper: %s\n",
                 std::string(altered.status().message()).c_str());
    return absl::IsFailedPrecondition(altered.status()) ? kExitUnavailable
                                                        : kExitUsage;
  }
  std::printf("%s\nNow: windproof verify %s --data-dir %s\n", altered->c_str(),
              flags.window.c_str(), flags.data_dir.c_str());
  return kExitGood;
}

}  // namespace

void RegisterDrill(Command& root) {
  Command& drill = root.AddCommand("drill", "Rehearse what must not happen");
  Command& tamper = drill.AddCommand(
      "tamper", "Alter a stopped store as an insider would (cannot be undone)");
  const auto flags = std::make_shared<Flags>();
  tamper.Flag("data-dir", &flags->data_dir, "DIR",
              "The store; no server may be running on it.");
  tamper.Require("data-dir");
  tamper.Flag("window", &flags->window, "PIPELINE/KEY/START",
              "The window to alter, in its newest revision.");
  tamper.Require("window");
  tamper.Choice("what", &flags->what, TamperWays(), "What to alter.");
  tamper.Require("what");
  tamper.Example(
      "cp -r data copy\n"
      "windproof drill tamper --data-dir copy "
      "--window weather/00433/2026-01-25T12:00:00Z --what value");
  tamper.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
