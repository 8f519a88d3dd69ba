#include "services/windproof/demo_command.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/server/logging.h"
#include "services/ingest/dwd/dwd_collector.h"
#include "services/windproof/count_text.h"
#include "services/windproof/demo_drill.h"
#include "services/windproof/demo_run.h"
#include "services/windproof/demo_store.h"
#include "services/windproof/ingest_command.h"
#include "services/windproof/json_text.h"
#include "services/windproof/sample_data.h"
#include "services/windproof/tamper.h"
#include "services/windproof/verdict_text.h"
#include "services/windproof/window_table.h"

namespace windproof {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// Rows of the table that are shown for a key; the others are only counted.
constexpr int kRowsShown = 6;

struct Flags {
  std::vector<std::string> files;
  std::string sample;
  std::string data_dir;
  std::string output = "table";
};

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// Writes the sample that is part of the program below `folder`.
absl::Status UnpackSample(const std::string& folder) {
  for (const SampleFile& file : SampleFiles()) {
    const fs::path path =
        fs::path(folder) / std::string(file.folder) / std::string(file.name);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out.write(file.content.data(),
              static_cast<std::streamsize>(file.content.size()));
    if (!out.flush()) {
      return absl::UnavailableError(
          absl::StrCat("cannot write the sample to ", path.string()));
    }
  }
  return absl::OkStatus();
}

class Demo {
 public:
  explicit Demo(const Flags& flags)
      : flags_(flags),
        json_(flags.output == "json"),
        run_([](const auto& text) {
          std::fprintf(stderr, "%s\n", text.c_str());
        }) {}

  absl::StatusOr<int> Run();

 private:
  absl::StatusOr<std::vector<std::vector<std::string>>> Deliveries() const;
  absl::StatusOr<std::string> NewDataDir() const;
  absl::StatusOr<std::vector<DwdCollection>> Collect();
  absl::Status ListWindows();
  absl::Status DrillAll(const std::string& data_dir);
  std::string ReportJson(double seconds) const;
  bool Good() const;

  // For people only.
  void Say(absl::string_view text) const {
    if (!json_) std::printf("%s\n", std::string(text).c_str());
  }

  const Flags& flags_;
  const bool json_;
  std::unique_ptr<TempFolder> temp_;
  DemoRun run_;
  std::vector<DrillResult> drills_;
};

absl::StatusOr<std::vector<std::vector<std::string>>> Demo::Deliveries() const {
  if (!flags_.files.empty()) {
    const std::string missing = FirstMissingPath(flags_.files);
    if (missing.empty()) return {{flags_.files}};
    return absl::InvalidArgumentError(absl::StrCat("there is no ", missing));
  }
  std::string sample = flags_.sample;
  if (sample.empty()) {
    sample = temp_->Sub("sample");
    if (absl::Status unpacked = UnpackSample(sample); !unpacked.ok()) {
      return unpacked;
    }
  }
  std::vector<std::vector<std::string>> deliveries;
  for (const char* folder : {"1-first", "2-update"}) {
    const std::string path = absl::StrCat(sample, "/", folder);
    if (!FirstMissingPath({path}).empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no ", path, "; --sample DIR names a folder ",
                       "with the folders 1-first and 2-update"));
    }
    deliveries.push_back({path});
  }
  return deliveries;
}

absl::StatusOr<std::string> Demo::NewDataDir() const {
  if (flags_.data_dir.empty()) return temp_->Sub("data");
  std::error_code error;
  if (fs::exists(flags_.data_dir, error) &&
      !fs::is_empty(flags_.data_dir, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--data-dir ", flags_.data_dir,
                     " is not empty; a new or empty folder is accepted"));
  }
  return flags_.data_dir;
}

absl::StatusOr<std::vector<DwdCollection>> Demo::Collect() {
  const auto deliveries = Deliveries();
  if (!deliveries.ok()) return deliveries.status();
  std::vector<DwdCollection> collections;
  bool rows = false;
  for (const std::vector<std::string>& paths : *deliveries) {
    Say(absl::StrCat("Reading ", paths.front(),
                     paths.size() > 1
                         ? absl::StrCat(" and ", paths.size() - 1, " more")
                         : ""));
    DwdCollector collector;
    for (const std::string& path : paths) collector.AddPath(path);
    collections.push_back(collector.Finish());
    for (const DwdRejection& rejection : collections.back().rejections) {
      std::fprintf(stderr, "%s\n", DwdRejectionText(rejection).c_str());
    }
    rows |= !collections.back().stations.empty();
  }
  if (!rows) {
    return absl::InvalidArgumentError(
        "there are no rows in the files; product files of the German weather "
        "service (produkt_*) are accepted");
  }
  return collections;
}

absl::Status Demo::ListWindows() {
  Say("");
  if (!json_) std::fputs(WindowTableHead().c_str(), stdout);
  std::string name;
  int64_t rows = 0;
  const auto end_of_key = [&] {
    if (rows > kRowsShown) {
      Say(absl::StrCat("  and ", rows - kRowsShown, " more of ", name));
    }
  };
  const absl::Status status = run_.List([&](const v1::Window& window) {
    const std::string this_name =
        absl::StrCat(window.id().pipeline(), "/", window.id().key());
    if (this_name != name) {
      end_of_key();
      name = this_name;
      rows = 0;
    }
    if (++rows <= kRowsShown && !json_) {
      std::fputs(WindowTableRow(window).c_str(), stdout);
    }
  });
  end_of_key();
  return status;
}

absl::Status Demo::DrillAll(const std::string& data_dir) {
  const std::optional<WindowName> window = run_.DrillWindow();
  if (!window.has_value()) {
    return absl::InvalidArgumentError(
        "no window has the three records and the aggregate that the drill "
        "needs");
  }
  Say(absl::StrCat("\nTampering with ", WindowText(*window),
                   ", each time in another copy of the stopped store:"));
  for (const std::string& what : TamperWays()) {
    const std::string copy = temp_->Sub(absl::StrCat("drill-", what));
    absl::StatusOr<DrillResult> result = Drill(
        data_dir, copy, absl::StrCat(data_dir, "/trust.json"), *window, what);
    if (!result.ok()) {
      return absl::Status(
          result.status().code(),
          absl::StrCat("drill ", what, ": ", result.status().message()));
    }
    std::error_code ignored;
    fs::remove_all(copy, ignored);
    Say(absl::StrFormat("%-10s %s", what, result->altered));
    Say(absl::StrFormat(
        "%-10s %s", result->caught ? "  caught" : "  NOT CAUGHT",
        result->finding.has_value() ? FindingText(*result->finding) : ""));
    drills_.push_back(*std::move(result));
  }
  return absl::OkStatus();
}

bool Demo::Good() const {
  const DemoRun::Counts& counts = run_.counts();
  bool good = counts.rejected == 0 && counts.failed == 0 &&
              counts.anchored == counts.windows &&
              counts.verified == counts.windows;
  for (const DrillResult& drill : drills_) good = good && drill.caught;
  return good;
}

std::string Demo::ReportJson(double seconds) const {
  const DemoRun::Counts& counts = run_.counts();
  std::string json = absl::StrCat(
      "{\"records\":", counts.records, ",\"windows\":", counts.windows,
      ",\"anchored\":", counts.anchored, ",\"verified\":", counts.verified,
      ",\"failed\":", counts.failed,
      ",\"dropped\":{\"duplicate\":", counts.dropped.duplicate,
      ",\"conflict\":", counts.dropped.conflict,
      ",\"late\":", counts.dropped.late,
      ",\"invalid\":", counts.dropped.invalid, "},\"drills\":[");
  for (size_t i = 0; i < drills_.size(); ++i) {
    const DrillResult& drill = drills_[i];
    absl::StrAppend(
        &json, i > 0 ? "," : "", "{\"what\":", JsonText(drill.what),
        ",\"caught\":", drill.caught ? "true" : "false", ",\"finding\":",
        drill.finding.has_value() ? JsonOf(*drill.finding) : "null", "}");
  }
  absl::StrAppendFormat(&json, "],\"seconds\":%.3f}", seconds);
  return json;
}

absl::StatusOr<int> Demo::Run() {
  absl::StatusOr<std::unique_ptr<TempFolder>> temp = TempFolder::Make();
  if (!temp.ok()) return temp.status();
  temp_ = *std::move(temp);
  const absl::StatusOr<std::string> data_dir = NewDataDir();
  if (!data_dir.ok()) return data_dir.status();

  const steady_clock::time_point start = steady_clock::now();
  const absl::StatusOr<std::vector<DwdCollection>> deliveries = Collect();
  if (!deliveries.ok()) return deliveries.status();
  absl::Status status = run_.Open(*data_dir, temp_->Sub("specs"), *deliveries);
  if (status.ok()) status = run_.Ingest(*deliveries);
  if (!status.ok()) return status;
  Say(absl::StrFormat("%s ingested after %.2f s",
                      CountText(run_.counts().records, "record"),
                      SecondsSince(start)));
  status = run_.WaitUntilAnchored();
  if (!status.ok()) return status;
  Say(absl::StrFormat("all windows anchored after %.2f s",
                      SecondsSince(start)));
  status = run_.Verify([this](const v1::VerifyWindowResponse& bad) {
    std::fputs(VerdictText(bad, /*colours=*/false).c_str(),
               json_ ? stderr : stdout);
  });
  if (!status.ok()) return status;
  const double seconds = SecondsSince(start);
  Say(absl::StrFormat("all windows verified after %.2f s", seconds));

  status = ListWindows();
  if (!status.ok()) return status;
  const DemoRun::Counts& counts = run_.counts();
  Say(absl::StrFormat(
      "\nDropped: %d duplicate, %d conflict, %d late, %d invalid",
      counts.dropped.duplicate, counts.dropped.conflict, counts.dropped.late,
      counts.dropped.invalid));
  if (!json_) {
    std::printf("Verified: %s", TotalsText(run_.totals()).c_str());
  }
  run_.Close();
  status = DrillAll(*data_dir);
  if (!status.ok()) return status;
  if (json_) {
    std::printf("%s\n", ReportJson(seconds).c_str());
  } else {
    Say(absl::StrFormat(
        "\n%s, %s, %d anchored, %d verified, %d failed in %.2f s; %d ways of "
        "tampering\n%s",
        CountText(counts.records, "record"),
        CountText(counts.windows, "window"), counts.anchored, counts.verified,
        counts.failed, seconds, drills_.size(),
        Good() ? "All good: everything verified, every tampering caught"
               : "NOT GOOD: see above"));
  }
  return Good() ? kExitGood : kExitFound;
}

int Run(const Flags& flags) {
  // What a server would warn of, as a broken ledger, is what the drill does.
  StartLogging({.service = "demo",
                .format = LogFormat::kText,
                .level = LogLevel::kError});
  const absl::StatusOr<int> exit_code = Demo(flags).Run();
  if (exit_code.ok()) return *exit_code;
  std::fprintf(stderr, "windproof demo: %s\n",
               std::string(exit_code.status().message()).c_str());
  return absl::IsInvalidArgument(exit_code.status()) ||
                 absl::IsFailedPrecondition(exit_code.status())
             ? kExitUsage
             : kExitUnavailable;
}

}  // namespace

void RegisterDemo(Command& root) {
  Command& command = root.AddCommand(
      "demo",
      "Files in, all windows anchored, verified, tampered with, caught");
  const auto flags = std::make_shared<Flags>();
  command.Arguments("FILE", &flags->files,
                    "DWD product files, zips or folders; a synthetic sample "
                    "without.",
                    /*required=*/false);
  command.Flag("sample", &flags->sample, "DIR",
               "Another sample: a folder with 1-first and 2-update.");
  command.Flag("data-dir", &flags->data_dir, "DIR",
               "Keep the store in this new folder; a temporary one without.");
  command.Choice("output", &flags->output, {"table", "json"},
                 "Text, or one JSON object; seconds are from the first file "
                 "until all is verified.");
  command.Example(
      "windproof demo\n"
      "windproof demo stundenwerte_TU_00433_akt.zip --output json");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
