#include "services/windproof/watch_command.h"

#include <grpcpp/client_context.h>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/windproof/count_text.h"
#include "services/windproof/json_text.h"
#include "services/windproof/servers.h"

namespace windproof {
namespace {

struct Flags {
  Servers servers;
  std::string pipeline;
  std::string key;
  std::string output = "table";
  bool from_start = false;
  int64_t count = 0;  // 0: until it is ended
};

void PrintJson(const v1::LedgerItem& item) {
  std::printf(
      "{\"position\":%lld,\"time\":\"%s\",\"txid\":%s,\"state\":\"%s\","
      "\"checkpoint\":%s}\n",
      static_cast<long long>(item.position()),
      FormatTimestamp({item.time().seconds(), item.time().nanos()}).c_str(),
      JsonText(item.txid()).c_str(),
      v1::Receipt::State_Name(item.state()).c_str(), item.checkpoint().c_str());
}

void PrintRow(const v1::LedgerItem& item) {
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(item.checkpoint());
  const std::string time =
      FormatTimestamp({item.time().seconds(), item.time().nanos()});
  if (!checkpoint.ok()) {
    std::printf("%-24s #%-6lld not a checkpoint of this version: %s\n",
                time.c_str(), static_cast<long long>(item.position()),
                std::string(checkpoint.status().message()).c_str());
    return;
  }
  std::string averages;
  for (const Checkpoint::Aggregate& aggregate : checkpoint->aggregates) {
    averages += "  " + aggregate.field + " ";
    AppendCanonicalNumber(aggregate.avg, &averages);
  }
  std::printf(
      "%-24s #%-6lld %s/%s/%s rev %lld  %s  %.12s%s%s\n", time.c_str(),
      static_cast<long long>(item.position()), checkpoint->pipeline.c_str(),
      checkpoint->key.c_str(),
      FormatTimestamp(TimestampFromMillis(checkpoint->window_start_ms)).c_str(),
      static_cast<long long>(checkpoint->revision),
      CountText(checkpoint->records, "record").c_str(),
      HexOf(checkpoint->root).c_str(), averages.c_str(),
      item.state() == v1::Receipt::ANCHORED
          ? ""
          : ("  " + v1::Receipt::State_Name(item.state())).c_str());
}

int Run(Flags& flags) {
  v1::WatchCheckpointsRequest request;
  request.set_pipeline(flags.pipeline);
  request.set_key(flags.key);
  request.set_position(flags.from_start ? 0 : -1);
  grpc::ClientContext context;
  const auto anchor = flags.servers.Anchor();
  const auto stream = anchor->WatchCheckpoints(&context, request);
  v1::LedgerItem item;
  int64_t seen = 0;
  while (stream->Read(&item)) {
    flags.output == "json" ? PrintJson(item) : PrintRow(item);
    std::fflush(stdout);
    if (item.state() == v1::Receipt::ANCHORED && ++seen == flags.count) {
      context.TryCancel();
      return kExitGood;
    }
  }
  return flags.servers.Explain(stream->Finish(), "anchor");
}

}  // namespace

void RegisterWatch(Command& root) {
  Command& command = root.AddCommand(
      "watch", "Show windows as they close and are anchored, until ended");
  const auto flags = std::make_shared<Flags>();
  command.Flag("pipeline", &flags->pipeline, "NAME", "Only this pipeline.");
  command.Flag("key", &flags->key, "KEY", "Only this key.");
  command.Flag("from-start", &flags->from_start,
               "Begin with the first window on the ledger.");
  command.Flag("count", &flags->count, 0, std::numeric_limits<int64_t>::max(),
               "N", "End after N anchored windows; 0: go on.");
  flags->servers.AddFlags(command);
  command.Choice("output", &flags->output, {"table", "json"},
                 "Text, or a JSON object a line.");
  command.Example("windproof watch --key 00433");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
