#include "services/windproof/ingest_command.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/ingest/dwd/dwd_collector.h"
#include "services/ingest/json_lines.h"
#include "services/windproof/catch_up.h"
#include "services/windproof/count_text.h"
#include "services/windproof/dwd_publisher.h"
#include "services/windproof/progress_line.h"
#include "services/windproof/record_sender.h"
#include "services/windproof/servers.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{2};

struct Flags {
  Servers servers;
  std::vector<std::string> paths;
  std::string output = "table";
  std::string pipeline;   // dwd
  bool complete = false;  // dwd
  bool no_wait = false;
  int64_t retry_ms = 20'000;
  std::string topic;  // json
};

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

void Tell(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

std::string RateText(int64_t records, double seconds) {
  return absl::StrFormat(
      "%.2f s, %.0f records/s", seconds,
      static_cast<double>(records) / (seconds > 1e-3 ? seconds : 1e-3));
}

int MissingPath(const std::vector<std::string>& paths) {
  const std::string missing = FirstMissingPath(paths);
  if (missing.empty()) return kExitGood;
  Tell(absl::StrCat("windproof ingest: there is no ", missing));
  return kExitUsage;
}

// What was written before a call failed is in the log, and stays there. `total`
// 0: nobody knows. `next`: where what is missing begins.
int CallFailed(const Servers& servers, const CallOutcome& outcome,
               int64_t written, int64_t total, const std::string& next) {
  const int exit_code = servers.Explain(outcome.status, outcome.service);
  std::string of = total > 0 ? absl::StrCat(" of ", total) : "";
  Tell(absl::StrCat(
      "windproof ingest: ", written, of,
      written == 1 ? " record is" : " records are", " acknowledged and durable",
      next.empty() ? "" : "; next comes ", next,
      ". Send all again: what is there already counts as duplicates"));
  return exit_code;
}

// So that `windows` and `verify` right afterwards see all of it. The records
// are durable in any case: not to have caught up is no failure.
void WaitForWindows(Flags& flags, const LogEnds& ends) {
  if (flags.no_wait) return;
  const absl::Status status =
      WaitUntilAnchored(*flags.servers.WindowHash(), ends, kPatience);
  if (!status.ok()) {
    Tell(absl::StrCat("windproof ingest: the records are durable, but: ",
                      status.message()));
  }
}

int IngestDwd(Flags& flags) {
  if (const int code = MissingPath(flags.paths); code != kExitGood) return code;
  const steady_clock::time_point start = steady_clock::now();
  DwdCollector collector;
  for (const std::string& path : flags.paths) collector.AddPath(path);
  const DwdCollection collection = collector.Finish();
  for (const DwdRejection& rejection : collection.rejections) {
    Tell(DwdRejectionText(rejection));
  }
  if (collection.files == 0 && collection.refused_files == 0) {
    Tell(
        "windproof ingest dwd: there are no product files (produkt_*.txt, csv, "
        "zip) in what was given");
    return kExitUsage;
  }

  DwdPublisher publisher(flags.servers, Tell,
                         std::chrono::milliseconds(flags.retry_ms));
  CallOutcome outcome = publisher.Publish(collection.stations);
  if (outcome.ok() && flags.complete) {
    outcome = publisher.Complete(flags.pipeline);
  }
  if (!outcome.ok()) {
    return CallFailed(flags.servers, outcome, publisher.written(),
                      collection.rows, publisher.next());
  }

  const int64_t rejected = collection.rejected_rows + publisher.refused();
  const double seconds = SecondsSince(start);
  WaitForWindows(flags, publisher.log_ends());
  if (flags.output == "json") {
    std::printf(
        "{\"files\":%lld,\"refused_files\":%lld,\"stations\":%zu,\"rows\":%lld,"
        "\"records\":%lld,\"rejected\":%lld,\"completed\":%lld,"
        "\"seconds\":%.3f}\n",
        static_cast<long long>(collection.files),
        static_cast<long long>(collection.refused_files),
        collection.stations.size(),
        static_cast<long long>(collection.rows + collection.rejected_rows),
        static_cast<long long>(publisher.written()),
        static_cast<long long>(rejected),
        static_cast<long long>(publisher.completed()), seconds);
  } else {
    std::printf(
        "%s of %s from %s, %s and %s rejected, %s completed; %s\n",
        CountText(publisher.written(), "record").c_str(),
        CountText(static_cast<int64_t>(collection.stations.size()), "station")
            .c_str(),
        CountText(collection.files, "file").c_str(),
        CountText(rejected, "row").c_str(),
        CountText(collection.refused_files, "file").c_str(),
        CountText(publisher.completed(), "station").c_str(),
        RateText(publisher.written(), seconds).c_str());
  }
  return rejected + collection.refused_files > 0 ? kExitFound : kExitGood;
}

// Sends the lines of one file after the other.
class JsonIngest {
 public:
  explicit JsonIngest(Flags& flags)
      : flags_(flags),
        // Standard input may be a live stream: what has come goes at once.
        live_(flags.paths.size() == 1 && flags.paths.front() == "-"),
        sender_(
            flags.servers.Ingest(),
            {.queue_max = live_ ? 1000U : 4U,
             .merge = live_,
             .patience = std::chrono::milliseconds(flags.retry_ms),
             .trying_again =
                 [](const grpc::Status& why) { Tell(TryingAgainText(why)); },
             .refused =
                 [this](const RecordOrigin& origin, const std::string& reason) {
                   ++refused_;
                   Tell(absl::StrCat(
                       flags_.paths[static_cast<size_t>(origin.source)], ":",
                       origin.number, ": ", reason));
                 }}) {}

  int Run() {
    const steady_clock::time_point start = steady_clock::now();
    absl::Status read;
    {
      ProgressLine progress("records", 0);
      for (size_t i = 0; i < flags_.paths.size() && read.ok() && going_; ++i) {
        read = SendFile(static_cast<int32_t>(i), &progress);
      }
      if (going_ && batch_.size() > 0) sender_.Send(0, std::move(batch_));
    }
    const grpc::Status status = sender_.Finish();
    if (!status.ok()) {
      return Failed(status);
    }
    if (!read.ok()) {
      Tell(absl::StrCat("windproof ingest json: ", read.message()));
      return kExitUsage;
    }
    const double seconds = SecondsSince(start);
    WaitForWindows(flags_, sender_.log_ends());
    Summarise(seconds);
    return refused_ + too_long_ > 0 ? kExitFound : kExitGood;
  }

 private:
  // InvalidArgument is for one line; the reader goes on behind it.
  absl::Status SendFile(int32_t source, ProgressLine* progress) {
    auto reader =
        JsonLinesReader::Open(flags_.paths[static_cast<size_t>(source)]);
    if (!reader.ok()) return reader.status();
    while (going_) {
      absl::StatusOr<std::optional<JsonLine>> line = (*reader)->Next();
      if (absl::IsInvalidArgument(line.status())) {
        ++too_long_;
        Tell(std::string(line.status().message()));
        continue;
      }
      if (!line.ok()) return line.status();
      if (!line->has_value()) return absl::OkStatus();
      batch_.Add(flags_.topic, "", std::move((*line)->text),
                 {source, (*line)->number});
      if (live_ || batch_.full()) {
        going_ = sender_.Send(0, std::exchange(batch_, PublishBatch()));
        progress->Show(sender_.written());
      }
    }
    return absl::OkStatus();
  }

  // Says where to go on. Of files all lines are counted; a stream may never
  // end.
  int Failed(const grpc::Status& status) {
    const std::map<int32_t, int64_t> settled = sender_.settled();
    const int32_t file = settled.empty() ? 0 : settled.rbegin()->first;
    const int64_t line = settled.empty() ? 0 : settled.rbegin()->second;
    int64_t lines = 0;
    std::string next;
    std::error_code ignored;
    bool all_counted = true;
    for (size_t i = 0; i < flags_.paths.size(); ++i) {
      if (!std::filesystem::is_regular_file(flags_.paths[i], ignored)) {
        all_counted = false;
        continue;
      }
      auto reader = JsonLinesReader::Open(flags_.paths[i]);
      while (reader.ok()) {
        const absl::StatusOr<std::optional<JsonLine>> read = (*reader)->Next();
        if (absl::IsInvalidArgument(read.status())) continue;
        if (!read.ok() || !read->has_value()) break;
        ++lines;
        const bool later =
            static_cast<int32_t>(i) > file ||
            (static_cast<int32_t>(i) == file && (*read)->number > line);
        if (next.empty() && later) {
          next = absl::StrCat(flags_.paths[i], ":", (*read)->number);
        }
      }
    }
    if (!all_counted) {
      const std::string& path = flags_.paths[static_cast<size_t>(file)];
      next = absl::StrCat(path == "-" ? "standard input" : path, ":", line + 1);
    }
    return CallFailed(flags_.servers, {status, "ingest"}, sender_.written(),
                      all_counted ? lines : 0, next);
  }

  void Summarise(double seconds) const {
    const int64_t rejected = refused_ + too_long_;
    if (flags_.output == "json") {
      std::printf(
          "{\"files\":%zu,\"records\":%lld,\"rejected\":%lld,"
          "\"seconds\":%.3f}\n",
          flags_.paths.size(), static_cast<long long>(sender_.written()),
          static_cast<long long>(rejected), seconds);
      return;
    }
    std::printf("%s to topic %s, %lld rejected; %s\n",
                CountText(sender_.written(), "record").c_str(),
                flags_.topic.c_str(), static_cast<long long>(rejected),
                RateText(sender_.written(), seconds).c_str());
  }

  Flags& flags_;
  const bool live_;
  bool going_ = true;
  int64_t refused_ = 0;   // by ingest; settled after Finish()
  int64_t too_long_ = 0;  // before it got there
  PublishBatch batch_;
  RecordSender sender_;
};

int IngestJson(Flags& flags) {
  if (const int code = MissingPath(flags.paths); code != kExitGood) return code;
  return JsonIngest(flags).Run();
}

void AddOutput(Command& command, Flags* flags) {
  command.Flag("retry-ms", &flags->retry_ms, 0, 86'400'000, "MS",
               "How long to try again where the server does not take records.");
  command.Flag("no-wait", &flags->no_wait,
               "Return once the records are durable; else only when they are "
               "read and every window that they closed is anchored.");
  flags->servers.AddFlags(command);
  command.Choice("output", &flags->output, {"table", "json"},
                 "The summary: a line for people, or a JSON object.");
}

void RegisterDwd(Command& ingest) {
  Command& dwd = ingest.AddCommand(
      "dwd", "Send files of the German weather service: air temperature");
  const auto flags = std::make_shared<Flags>();
  dwd.Arguments("PATH", &flags->paths,
                "Product files (txt, csv), zips and folders of them; all rows "
                "of a station are sent in order of time.");
  dwd.Flag("complete", &flags->complete,
           "Close each station's last window, as if its time had passed.");
  dwd.Flag("pipeline", &flags->pipeline, "NAME",
           "With --complete: the pipeline whose windows count; all that read "
           "the station by default.");
  AddOutput(dwd, flags.get());
  dwd.Example(
      "windproof ingest dwd stundenwerte_TU_00433_akt.zip --complete\n"
      "windproof ingest dwd downloads/ --output json");
  dwd.Action([flags] { return IngestDwd(*flags); });
}

void RegisterJson(Command& ingest) {
  Command& json = ingest.AddCommand("json", "Send JSON Lines of any pipeline");
  const auto flags = std::make_shared<Flags>();
  json.Arguments("FILE", &flags->paths,
                 "Files with one JSON object a line; - is standard input.");
  json.Flag("topic", &flags->topic, "TOPIC", "A topic that a pipeline reads.");
  json.Require("topic");
  AddOutput(json, flags.get());
  json.Example(
      "windproof ingest json --topic sensors records.jsonl\n"
      "tail -f log.jsonl | windproof ingest json --topic sensors -");
  json.Action([flags] { return IngestJson(*flags); });
}

}  // namespace

std::string FirstMissingPath(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (path != "-" && !std::filesystem::exists(path, error)) return path;
  }
  return "";
}

void RegisterIngest(Command& root) {
  Command& ingest = root.AddCommand("ingest", "Send files into the record log");
  RegisterDwd(ingest);
  RegisterJson(ingest);
}

}  // namespace windproof
