#include "services/windproof/show_command.h"

#include <grpcpp/client_context.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/proto/convert.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/windproof/json_text.h"
#include "services/windproof/plot.h"
#include "services/windproof/servers.h"
#include "services/windproof/window_table.h"

namespace windproof {
namespace {

constexpr size_t kPlotWidth = 72;

struct Flags {
  Servers servers;
  std::string window;
  int64_t records = 60;
  std::string output = "table";
};

std::string Time(int64_t millis) {
  return FormatTimestamp(TimestampFromMillis(millis));
}

std::string Number(double value) {
  std::string text;
  AppendCanonicalNumber(value, &text);
  return text;
}

const char* Text(const std::string& text) { return text.c_str(); }

long long Int(int64_t value) { return value; }

void PrintCheckpoint(const v1::Window& window, const Checkpoint& checkpoint,
                     const std::map<std::string, std::string>& units) {
  std::printf("window      %s/%s/%s\n", Text(checkpoint.pipeline),
              Text(checkpoint.key), Text(Time(checkpoint.window_start_ms)));
  std::printf("bounds      %s to %s, revision %lld\n",
              Text(Time(checkpoint.window_start_ms)),
              Text(Time(checkpoint.window_end_ms)), Int(checkpoint.revision));
  std::printf("records     %lld\n", Int(checkpoint.records));
  for (const Checkpoint::Aggregate& aggregate : checkpoint.aggregates) {
    const auto unit = units.find(aggregate.field);
    const std::string shown =
        unit == units.end() ? "" : absl::StrCat(" ", unit->second);
    std::printf("aggregate   %s: min %s, avg %s, max %s%s over %lld\n",
                Text(aggregate.field), Text(Number(aggregate.min)),
                Text(Number(aggregate.avg)), Text(Number(aggregate.max)),
                Text(shown), Int(aggregate.count));
  }
  std::printf("source      %s/%d, records at offsets %lld to %lld\n",
              Text(checkpoint.topic), checkpoint.partition,
              Int(checkpoint.offsets_begin), Int(checkpoint.offsets_end - 1));
  const ScanCounts& scan = checkpoint.scan;
  std::printf(
      "scan        [%lld, %lld): %lld accepted, %lld duplicate, %lld conflict, "
      "%lld late, %lld invalid, %lld control, %lld other, %lld gap\n",
      Int(checkpoint.scan_begin), Int(checkpoint.scan_end), Int(scan.accepted),
      Int(scan.duplicate), Int(scan.conflict), Int(scan.late),
      Int(scan.invalid), Int(scan.control), Int(scan.other), Int(scan.gap));
  std::printf("watermark   %s\n", Text(FormatTimestamp(checkpoint.watermark)));
  std::printf("root        %s\n", Text(HexOf(checkpoint.root)));
  std::printf("checkpoint  %s\n",
              Text(HexOf(Sha256Of(window.checkpoint().checkpoint()))));
  std::printf("chain       seq %lld, after %s\n", Int(checkpoint.seq),
              Text(HexOf(checkpoint.prev)));
  if (checkpoint.supersedes.has_value()) {
    std::printf("supersedes  %s\n", Text(HexOf(*checkpoint.supersedes)));
  }
  std::printf("signed by   %s\n", Text(window.checkpoint().signer()));
  const v1::Receipt& receipt = window.receipt();
  if (!window.has_receipt() || receipt.state() == v1::Receipt::PENDING) {
    std::printf("receipt     PENDING\n");
    return;
  }
  std::printf(
      "receipt     %s, %s #%lld, %lld confirmations, %s\n",
      v1::Receipt::State_Name(receipt.state()).c_str(), Text(receipt.ledger()),
      Int(receipt.position()), Int(receipt.confirmations()),
      Text(
          FormatTimestamp({receipt.time().seconds(), receipt.time().nanos()})));
}

void PrintDropped(const v1::DroppedRecord& dropped) {
  std::printf("dropped     offset %lld %s: %s\n",
              Int(dropped.record().offset()),
              v1::DroppedRecord::Reason_Name(dropped.reason()).c_str(),
              Text(dropped.record().value().substr(0, 160)));
}

// Hands the dropped records of the checkpoint's scan to `take`.
grpc::Status ReadDropped(
    v1::WindowHashService::StubInterface& window_hash,
    const Checkpoint& checkpoint,
    const std::function<void(const v1::DroppedRecord&)>& take) {
  v1::ListDroppedRecordsRequest request;
  request.set_pipeline(checkpoint.pipeline);
  request.set_key(checkpoint.key);
  request.mutable_source()->set_topic(checkpoint.topic);
  request.mutable_source()->set_partition(checkpoint.partition);
  request.set_offset_begin(checkpoint.scan_begin);
  request.set_offset_end(checkpoint.scan_end);
  do {
    // Of an empty range there are none; asked for, it might mean all.
    if (checkpoint.scan_begin == checkpoint.scan_end) break;
    grpc::ClientContext context;
    v1::ListDroppedRecordsResponse response;
    const grpc::Status status =
        window_hash.ListDroppedRecords(&context, request, &response);
    if (!status.ok()) return status;
    for (const v1::DroppedRecord& dropped : response.records()) {
      take(dropped);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

grpc::Status PrintRecords(v1::WindowHashService::StubInterface& window_hash,
                          const v1::Window& window,
                          const Checkpoint& checkpoint, int64_t shown) {
  v1::GetWindowPayloadRequest request;
  *request.mutable_window() = window.id();
  request.set_revision(window.revision());
  grpc::ClientContext context;
  const auto stream = window_hash.GetWindowPayload(&context, request);
  std::vector<std::vector<std::optional<double>>> series(
      checkpoint.aggregates.size());
  int64_t count = 0;
  v1::GetWindowPayloadResponse chunk;
  while (stream->Read(&chunk)) {
    for (const v1::PayloadRecord& record : chunk.records()) {
      if (count++ < shown) {
        std::printf("%11lld %s\n", Int(record.offset()),
                    Text(record.canonical()));
      }
      const absl::StatusOr<JsonValue> json = ParseJson(record.canonical());
      for (size_t i = 0; i < series.size(); ++i) {
        const JsonValue* value =
            json.ok() ? json->Find(checkpoint.aggregates[i].field) : nullptr;
        series[i].push_back(value != nullptr &&
                                    value->kind == JsonValue::Kind::kNumber
                                ? std::optional<double>(value->number)
                                : std::nullopt);
      }
    }
  }
  if (count > shown) {
    std::printf("%11s and %lld more (--records)\n", "", Int(count - shown));
  }
  for (size_t i = 0; i < series.size(); ++i) {
    std::printf("\n%s\n%s\n", Text(checkpoint.aggregates[i].field),
                Text(Plot(series[i], kPlotWidth)));
  }
  return stream->Finish();
}

// One object: as `windows` prints it, and the records and dropped records.
grpc::Status PrintJson(v1::WindowHashService::StubInterface& window_hash,
                       const v1::Window& window, const Checkpoint& checkpoint) {
  v1::GetWindowPayloadRequest request;
  *request.mutable_window() = window.id();
  request.set_revision(window.revision());
  grpc::ClientContext context;
  const auto stream = window_hash.GetWindowPayload(&context, request);
  std::string records;
  v1::GetWindowPayloadResponse chunk;
  while (stream->Read(&chunk)) {
    for (const v1::PayloadRecord& record : chunk.records()) {
      absl::StrAppend(&records, records.empty() ? "" : ",",
                      "{\"offset\":", record.offset(),
                      ",\"record\":", record.canonical(), "}");
    }
  }
  grpc::Status status = stream->Finish();
  if (!status.ok()) return status;
  std::string all_dropped;
  status = ReadDropped(
      window_hash, checkpoint, [&](const v1::DroppedRecord& dropped) {
        absl::StrAppend(
            &all_dropped, all_dropped.empty() ? "" : ",",
            "{\"offset\":", dropped.record().offset(), ",\"reason\":\"",
            v1::DroppedRecord::Reason_Name(dropped.reason()), "\",\"value\":",
            dropped.record().has_value() ? JsonText(dropped.record().value())
                                         : "null",
            "}");
      });
  if (!status.ok()) return status;
  // Checkpoint and records are JSON: they go out as they are.
  std::printf(
      "{\"checkpoint\":%s,\"state\":\"%s\",\"receipt\":%s,"
      "\"records\":[%s],\"dropped\":[%s]}\n",
      Text(window.checkpoint().checkpoint()), Text(StateName(window)),
      window.has_receipt() ? Text(JsonOf(window.receipt())) : "null",
      Text(records), Text(all_dropped));
  return status;
}

// Units are for people: none where the pipeline is no built-in one.
std::map<std::string, std::string> UnitsOf(const std::string& pipeline) {
  const PipelineSpec* spec = BuiltInSpec(pipeline);
  return spec == nullptr ? std::map<std::string, std::string>() : spec->units;
}

int Run(Flags& flags) {
  const absl::StatusOr<WindowName> name = ParseWindowText(flags.window);
  if (!name.ok()) {
    std::fprintf(stderr, "windproof show: %s\n",
                 std::string(name.status().message()).c_str());
    return kExitUsage;
  }
  const auto window_hash = flags.servers.WindowHash();
  v1::GetWindowRequest request;
  *request.mutable_window() = ToProto(*name);
  grpc::ClientContext context;
  v1::Window window;
  grpc::Status status = window_hash->GetWindow(&context, request, &window);
  if (!status.ok()) return flags.servers.Explain(status, "window-hash");
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(window.checkpoint().checkpoint());
  if (!checkpoint.ok()) {
    std::fprintf(stderr, "windproof show: the stored checkpoint: %s\n",
                 std::string(checkpoint.status().message()).c_str());
    return kExitFound;
  }
  if (flags.output == "json") {
    status = PrintJson(*window_hash, window, *checkpoint);
    return status.ok() ? kExitGood
                       : flags.servers.Explain(status, "window-hash");
  }
  PrintCheckpoint(window, *checkpoint, UnitsOf(checkpoint->pipeline));
  status = ReadDropped(*window_hash, *checkpoint, PrintDropped);
  if (!status.ok()) return flags.servers.Explain(status, "window-hash");
  std::printf("\n%11s record\n", "offset");
  status = PrintRecords(*window_hash, window, *checkpoint, flags.records);
  if (!status.ok()) return flags.servers.Explain(status, "window-hash");
  return kExitGood;
}

}  // namespace

void RegisterShow(Command& root) {
  Command& command = root.AddCommand(
      "show", "Show one window: what is in it and what was not");
  const auto flags = std::make_shared<Flags>();
  command.Argument("PIPELINE/KEY/START", &flags->window, "The window.");
  command.Flag("records", &flags->records, 0, 1'000'000'000, "N",
               "How many records to print.");
  flags->servers.AddFlags(command);
  command.Choice("output", &flags->output, {"table", "json"},
                 "Text with a plot, or one JSON object with all records.");
  command.Example("windproof show weather/00433/2026-01-25T12:00:00Z");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
