#include "services/windproof/verify_command.h"

#include <grpcpp/client_context.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "services/windproof/json_text.h"
#include "services/windproof/progress_line.h"
#include "services/windproof/servers.h"
#include "services/windproof/stack.h"
#include "services/windproof/verdict_text.h"
#include "services/windproof/window_query.h"

namespace windproof {
namespace {

struct Flags {
  Servers servers;
  WindowQuery query;
  std::string output = "table";
  std::string window;  // PIPELINE/KEY/START
  std::string data_dir;
  std::string trust;
  bool all = false;
  bool replay = false;
};

// Prints verdicts as they come and remembers the worst.
class Printer {
 public:
  explicit Printer(bool json)
      : json_(json), colours_(!json && isatty(STDOUT_FILENO) == 1) {}

  void Print(const v1::VerifyWindowResponse& response) {
    ++windows_;
    worst_ = std::max(worst_, SeverityOf(response.verdict()));
    if (json_) {
      std::printf("%s\n", JsonOf(response).c_str());
    } else {
      std::fputs(VerdictText(response, colours_).c_str(), stdout);
    }
  }

  void Print(const v1::VerifyTotals& totals) {
    if (!json_) std::fputs(TotalsText(totals).c_str(), stdout);
  }

  // 1 for what was found wins over 3 for what could not be checked. Nothing to
  // check is no pass either.
  int exit_code() const {
    if (windows_ == 0) {
      std::fprintf(stderr,
                   "windproof verify: no window was verified: there is none "
                   "that is closed and fits what was asked for\n");
      return kExitUnavailable;
    }
    return worst_ == 0   ? kExitGood
           : worst_ == 1 ? kExitUnavailable
                         : kExitFound;
  }

 private:
  static int SeverityOf(v1::VerifyWindowResponse::Verdict verdict) {
    switch (verdict) {
      case v1::VerifyWindowResponse::VERIFIED:
      case v1::VerifyWindowResponse::EMPTY:
        return 0;
      case v1::VerifyWindowResponse::FAILED:
        return 2;
      default:
        return 1;
    }
  }

  const bool json_;
  const bool colours_;
  int64_t windows_ = 0;
  int worst_ = 0;  // severity so far
};

int WrongUse(absl::string_view message) {
  std::fprintf(stderr, "windproof verify: %s\n", std::string(message).c_str());
  return kExitUsage;
}

int VerifyOne(Flags& flags, const WindowName& window) {
  v1::VerifyWindowRequest request;
  *request.mutable_window() = ToProto(window);
  request.set_replay(flags.replay);
  grpc::ClientContext context;
  v1::VerifyWindowResponse response;
  const grpc::Status status =
      flags.servers.Verifier()->VerifyWindow(&context, request, &response);
  if (!status.ok()) return flags.servers.Explain(status, "verifier");
  Printer printer(flags.output == "json");
  printer.Print(response);
  return printer.exit_code();
}

int VerifyMany(Flags& flags) {
  v1::VerifyRangeRequest request;
  if (const absl::Status status = flags.query.Fill(&request); !status.ok()) {
    return WrongUse(status.message());
  }
  request.set_replay(flags.replay);
  grpc::ClientContext context;
  const auto stream = flags.servers.Verifier()->VerifyRange(&context, request);
  Printer printer(flags.output == "json");
  // Verdicts that scroll by are progress enough.
  const bool progress = isatty(STDOUT_FILENO) == 0;
  std::optional<ProgressLine> line;
  if (progress) line.emplace("windows", 0);
  v1::VerifyRangeResponse response;
  while (stream->Read(&response)) {
    if (response.has_window()) printer.Print(response.window());
    if (response.has_totals()) printer.Print(response.totals());
    if (response.has_progress() && line.has_value()) {
      line->Show(response.progress().windows_done(),
                 response.progress().windows());
    }
  }
  line.reset();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return flags.servers.Explain(status, "verifier");
  return printer.exit_code();
}

int Verify(Flags& flags) {
  if (flags.window.empty()) return VerifyMany(flags);
  const absl::StatusOr<WindowName> window = ParseWindowText(flags.window);
  if (!window.ok()) return WrongUse(window.status().message());
  return VerifyOne(flags, *window);
}

int Run(Flags& flags) {
  const bool range = !flags.query.key.empty() || !flags.query.from.empty() ||
                     !flags.query.to.empty();
  if (static_cast<int>(flags.all) + static_cast<int>(range) +
          static_cast<int>(!flags.window.empty()) !=
      1) {
    return WrongUse(
        "one of --all, --key (with --from and --to) or PIPELINE/KEY/START is "
        "accepted");
  }
  if (flags.data_dir.empty()) {
    if (!flags.trust.empty()) {
      return WrongUse(
          "--trust goes with --data-dir; a server's verifier has its own");
    }
    return Verify(flags);
  }

  Stack::Options options;
  options.data_dir = flags.data_dir;
  options.trust_path = flags.trust;
  options.read_only = true;
  absl::StatusOr<std::unique_ptr<Stack>> stack = Stack::Open(options);
  if (stack.ok()) {
    if (const absl::Status status = (*stack)->Start(); !status.ok()) {
      stack = status;
    }
  }
  if (!stack.ok()) {
    std::fprintf(stderr, "windproof verify: %s\n",
                 std::string(stack.status().message()).c_str());
    return absl::IsInvalidArgument(stack.status()) ||
                   absl::IsNotFound(stack.status())
               ? kExitUsage
               : kExitUnavailable;
  }
  for (const std::string& part : (*stack)->missing()) {
    std::fprintf(stderr, "windproof verify: the store has %s\n", part.c_str());
  }
  flags.servers.Use((*stack)->Channel());
  const int exit_code = Verify(flags);
  (*stack)->Shutdown(std::chrono::steady_clock::now() +
                     std::chrono::seconds(10));
  return exit_code;
}

}  // namespace

void RegisterVerify(Command& root) {
  Command& command =
      root.AddCommand("verify", "Verify windows against ledger and records");
  const auto flags = std::make_shared<Flags>();
  command.Argument(
      "PIPELINE/KEY/START", &flags->window,
      "One window, for instance weather/00433/2026-01-25T12:00:00Z.",
      /*required=*/false);
  command.Flag("all", &flags->all, "Every window, of all pipelines or one.");
  flags->query.AddFlags(command);
  command.Flag("replay", &flags->replay,
               "Also recompute each window from the record log.");
  command.Flag("data-dir", &flags->data_dir, "DIR",
               "A stopped store instead of a server.");
  command.Flag("trust", &flags->trust, "FILE",
               "With --data-dir: whom to believe; DIR/trust.json by default.");
  flags->servers.AddFlags(command);
  command.Choice("output", &flags->output, {"table", "json"},
                 "A table, or a JSON object a line.");
  command.Example(
      "windproof verify --all\n"
      "windproof verify weather/00433/2026-01-25T12:00:00Z\n"
      "windproof verify --replay --key 00433 --pipeline weather\n"
      "windproof verify --all --data-dir copy --trust my-trust.json");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
