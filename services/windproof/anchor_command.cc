#include "services/windproof/anchor_command.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/windproof/count_text.h"
#include "services/windproof/json_text.h"
#include "services/windproof/servers.h"

namespace windproof {
namespace {

// The anchor answers at once, whatever its ledger does.
constexpr std::chrono::seconds kAnswerMax{10};

struct Flags {
  Servers servers;
  std::string output = "table";
};

struct Wrong {
  std::vector<std::string> lines;
  int exit_code = kExitGood;
};

// What an operator must see to, the worst first.
Wrong WhatIsWrong(const v1::LedgerStatus& status) {
  Wrong wrong;
  if (!status.problem().empty()) {
    wrong.lines.push_back(status.problem());
    wrong.exit_code = kExitUnavailable;
  }
  const auto found = [&wrong](std::string line) {
    wrong.lines.push_back(std::move(line));
    wrong.exit_code = kExitFound;
  };
  if (!status.broken().empty()) {
    found(absl::StrCat("the ledger is broken: ", status.broken()));
  }
  if (status.equivocations() > 0) {
    found(absl::StrCat(
        CountText(status.equivocations(), "equivocation"),
        ": another checkpoint of an anchored window; the log names it"));
  }
  const v1::ChainStatus& chain = status.chain();
  if (!chain.split_view().empty()) {
    found(absl::StrCat("SPLIT_VIEW: ", chain.split_view()));
  }
  if (chain.unconfirmed() > 0 && chain.alarm_after_ms() > 0 &&
      chain.oldest_unconfirmed_ms() >= chain.alarm_after_ms()) {
    found(absl::StrFormat(
        "an item has had no block for %d s; does the node mine, or reach one "
        "that does?",
        chain.oldest_unconfirmed_ms() / 1000));
  }
  return wrong;
}

void Row(absl::string_view name, absl::string_view value) {
  std::printf("%-14s %s\n", std::string(name).c_str(),
              std::string(value).c_str());
}

void PrintChain(const v1::LedgerStatus& status) {
  const v1::ChainStatus& chain = status.chain();
  Row("chain", absl::StrCat(chain.chain(), ", height ", chain.height(),
                            ", genesis ", chain.genesis()));
  Row("stream", chain.stream());
  Row("mode",
      absl::StrCat(chain.mode(), ", ANCHORED with ",
                   CountText(status.confirmations_required(), "confirmation")));
  if (chain.mode() == "batched") {
    Row("log", absl::StrFormat(
                   "%d entries; no head on the chain covers %d, for %.1f s",
                   status.size(), chain.unpublished(),
                   static_cast<double>(chain.oldest_unpublished_ms()) / 1000));
  }
  Row("pending", absl::StrCat(status.pending()));
  Row("unconfirmed", absl::StrCat(chain.unconfirmed()));
  Row("confirmed", absl::StrCat(chain.confirmed()));
  Row("lag",
      absl::StrFormat(
          "%.1f s", static_cast<double>(chain.oldest_unconfirmed_ms()) / 1000));
  Row("equivocations", absl::StrCat(status.equivocations()));
  Row("foreign", absl::StrCat(chain.foreign(), " of other publishers, ",
                              status.foreign_items(),
                              " that are no checkpoint or do not follow"));
  Row("doubles", absl::StrCat(chain.doubles()));
  Row("lost", absl::StrCat(chain.lost()));
  if (chain.agreed_height() >= 0) {
    Row("compared",
        absl::StrCat("other nodes agree up to height ", chain.agreed_height()));
  }
}

void PrintText(const v1::LedgerStatus& status, const Wrong& wrong) {
  Row("ledger", absl::StrCat(status.ledger(), " (", status.kind(), ")"));
  if (status.has_chain()) {
    PrintChain(status);
  } else {
    Row("pending", absl::StrCat(status.pending()));
    Row("confirmed", absl::StrCat(status.size()));
    Row("equivocations", absl::StrCat(status.equivocations()));
    Row("foreign", absl::StrCat(status.foreign_items(),
                                " that are no checkpoint or do not follow"));
  }
  if (wrong.lines.empty()) Row("wrong", "nothing");
  for (const std::string& line : wrong.lines) Row("wrong", line);
}

void PrintJson(const v1::LedgerStatus& status, const Wrong& wrong) {
  std::string out = absl::StrCat(
      "{\"kind\":", JsonText(status.kind()),
      ",\"ledger\":", JsonText(status.ledger()), ",\"items\":", status.size(),
      ",\"pending\":", status.pending(), ",\"confirmed\":",
      status.has_chain() ? status.chain().confirmed() : status.size(),
      ",\"confirmations_required\":", status.confirmations_required(),
      ",\"equivocations\":", status.equivocations(),
      ",\"foreign_items\":", status.foreign_items());
  if (status.has_chain()) {
    const v1::ChainStatus& chain = status.chain();
    absl::StrAppend(&out, ",\"chain\":{\"name\":", JsonText(chain.chain()),
                    ",\"genesis\":", JsonText(chain.genesis()),
                    ",\"height\":", chain.height(),
                    ",\"stream\":", JsonText(chain.stream()),
                    ",\"mode\":", JsonText(chain.mode()),
                    ",\"unconfirmed\":", chain.unconfirmed(),
                    ",\"lag_ms\":", chain.oldest_unconfirmed_ms(),
                    ",\"unpublished\":", chain.unpublished(),
                    ",\"unpublished_ms\":", chain.oldest_unpublished_ms(),
                    ",\"foreign\":", chain.foreign(),
                    ",\"doubles\":", chain.doubles(),
                    ",\"lost\":", chain.lost(),
                    ",\"split_view\":", JsonText(chain.split_view()),
                    ",\"agreed_height\":", chain.agreed_height(), "}");
  }
  absl::StrAppend(
      &out, ",\"wrong\":[",
      absl::StrJoin(wrong.lines, ",",
                    [](std::string* joined, const std::string& line) {
                      absl::StrAppend(joined, JsonText(line));
                    }),
      "]}");
  std::printf("%s\n", out.c_str());
}

int Run(Flags& flags) {
  const auto anchor = flags.servers.Anchor();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAnswerMax);
  v1::LedgerStatus status;
  const grpc::Status got = anchor->GetLedgerStatus(&context, {}, &status);
  if (!got.ok()) return flags.servers.Explain(got, "anchor");
  const Wrong wrong = WhatIsWrong(status);
  flags.output == "json" ? PrintJson(status, wrong) : PrintText(status, wrong);
  return wrong.exit_code;
}

}  // namespace

void RegisterAnchor(Command& root) {
  Command& group = root.AddCommand("anchor", "Look at the ledger");
  Command& command = group.AddCommand(
      "status",
      "Show the ledger as the anchor knows it, and what is wrong: exit code 1 "
      "where something was found, 3 while the ledger cannot be used");
  const auto flags = std::make_shared<Flags>();
  flags->servers.AddFlags(command);
  command.Choice("output", &flags->output, {"table", "json"},
                 "Text, or one JSON object.");
  command.Example("windproof anchor status --server 127.0.0.1:7403");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
