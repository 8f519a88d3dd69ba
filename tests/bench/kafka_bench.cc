// What Windproof costs on a real Kafka broker, beside librdkafka alone, all in
// one run:
//   (a) raw librdkafka consume of the topics;
//   (b) window-hash from Kafka to durable, signed checkpoints which an anchor
//       has acknowledged, without and with a changelog;
//   (c) ingest through gRPC to acknowledged, beside raw librdkafka produce.
//
//   kafka_bench [--records N] [--long]
//
// The broker, its clients and the services share this machine: wall times are
// of all of them together, CPU-seconds of each alone. Needs WINDPROOF_KAFKA,
// the folder of Kafka's jars; `./dev bench kafka` sets it.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/record_log/kafka_log.h"
#include "tests/bench/kafka_load.h"
#include "tests/bench/kafka_services.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

constexpr int64_t kLongRecords = 10'000'000;

struct Arguments {
  int64_t records = 2'000'000;
  bool long_run = false;
};

Arguments ArgumentsOf(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--long") {
      arguments.long_run = true;
    } else if (argument == "--records" && i + 1 < argc &&
               absl::SimpleAtoi(argv[i + 1], &arguments.records) &&
               arguments.records >= Load::kStations) {
      ++i;
    } else {
      Give(absl::StrCat("argument ", argument,
                        ": --records N, 8 or more, and --long are accepted"));
    }
  }
  arguments.records -= arguments.records % Load::kStations;
  return arguments;
}

// A folder that goes with the program, for all that is made.
class Folder {
 public:
  Folder() {
    std::string path =
        (std::filesystem::temp_directory_path() / "kafka_bench.XXXXXX")
            .string();
    if (mkdtemp(path.data()) == nullptr) Give("no temporary folder");
    path_ = path;
    setenv("TEST_TMPDIR", path_.c_str(), 1);
    // Where the programs and the broker's script are.
    setenv(
        "TEST_SRCDIR",
        absl::StrCat(std::filesystem::read_symlink("/proc/self/exe").string(),
                     ".runfiles")
            .c_str(),
        1);
    setenv("TEST_WORKSPACE", "windproof", 1);
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string Sub(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }

 private:
  std::string path_;
};

void MakeTopics(const std::string& bootstrap, const Load& load) {
  KafkaLog::Options options;
  options.properties.entries = {{"bootstrap.servers", bootstrap}};
  const auto log = KafkaLog::Open(options);
  if (!log.ok()) Give(log.status().ToString());
  for (int s = 0; s < Load::kStations; ++s) {
    const absl::Status made = (*log)->EnsureTopic({.topic = load.Topic(s)});
    if (!made.ok()) Give(made.ToString());
  }
}

void Print(absl::string_view what, const Load& load, const Cost& cost,
           const std::string& more) {
  const double millions = static_cast<double>(load.records) * 1e-6;
  absl::PrintF("%-44s %9.0f records/s  %6.2f CPU-s/M%s\n", what,
               millions * 1e6 / cost.wall_s, cost.cpu_s / millions, more);
  std::fflush(stdout);
}

std::string Ratio(const Cost& cost, const Cost& raw) {
  return absl::StrFormat("  of raw: %.2f of the speed, %.1f times the CPU",
                         raw.wall_s / cost.wall_s, cost.cpu_s / raw.cpu_s);
}

void PrintLoadOfMachine() {
  double load[1] = {0};
  getloadavg(load, 1);
  absl::PrintF("load of the machine: %.1f\n", load[0]);
}

class Bench {
 public:
  explicit Bench(int64_t records) : records_(records) {
    absl::StatusOr<std::unique_ptr<KafkaBroker>> broker = KafkaBroker::Start();
    if (!broker.ok()) Give(broker.status().ToString());
    broker_ = *std::move(broker);
  }

  void Run() {
    const Load load{.prefix = "w60", .records = records_, .per_window = 60};
    PrintLoadOfMachine();
    MakeTopics(broker_->bootstrap(), load);
    const Cost produce = ProduceRaw(broker_->bootstrap(), load);
    Print("raw produce", load, produce, "");
    const Cost consume = ConsumeRaw(broker_->bootstrap(), load);
    Print("(a) raw consume", load, consume, "");
    WindowHash(load, consume, false);
    WindowHash(load, consume, true);
    Ingest(produce);
    for (const int64_t per_window : {6, 1000}) {
      const Load other{.prefix = absl::StrCat("w", per_window),
                       .records = records_,
                       .per_window = per_window};
      MakeTopics(broker_->bootstrap(), other);
      ProduceRaw(broker_->bootstrap(), other);
      WindowHash(other, consume, false);
      WindowHash(other, consume, true);
    }
    PrintLoadOfMachine();
  }

  // Memory over many records, and a restart with nothing behind.
  void RunLong() {
    const Load load{
        .prefix = "long", .records = kLongRecords, .per_window = 60};
    MakeTopics(broker_->bootstrap(), load);
    ProduceRaw(broker_->bootstrap(), load);
    for (const bool changelog : {false, true}) {
      const WindowHashRun run =
          RunWindowHash({.bootstrap = broker_->bootstrap(),
                         .dir = NewDir(),
                         .changelog = changelog,
                         .restart = true,
                         .rss_steps = 10},
                        load, anchor_);
      std::string rss;
      for (const double mib : run.rss_mib)
        absl::StrAppendFormat(&rss, " %.0f", mib);
      Print(absl::StrCat("(b) 10,000,000 records",
                         changelog ? ", changelog" : ""),
            load, run.cost,
            absl::StrFormat("\n    RSS in MiB after each tenth:%s; peak %.0f"
                            "\n    restarted and caught up in %.2f s",
                            rss, run.peak_rss_mib, run.restart_s));
    }
  }

 private:
  void WindowHash(const Load& load, const Cost& raw, bool changelog) {
    const WindowHashRun run = RunWindowHash({.bootstrap = broker_->bootstrap(),
                                             .dir = NewDir(),
                                             .changelog = changelog},
                                            load, anchor_);
    Print(
        absl::StrCat("(b) window-hash, ", load.per_window, " a window",
                     changelog ? ", changelog" : ""),
        load, run.cost,
        absl::StrFormat("  peak RSS %.0f MiB  %d windows%s\n"
                        "    meanwhile the anchor %.2f, the broker %.2f "
                        "CPU-s",
                        run.peak_rss_mib, load.Windows(), Ratio(run.cost, raw),
                        run.anchor_cpu_s, run.broker_cpu_s));
  }

  void Ingest(const Cost& raw) {
    const Load load{.prefix = "ingest", .records = records_};
    MakeTopics(broker_->bootstrap(), load);
    const IngestRun run = RunIngest(broker_->bootstrap(), NewDir(), load);
    Print("(c) ingest, batches of 500, 4 clients", load, run.cost,
          absl::StrFormat("  peak RSS %.0f MiB%s\n    meanwhile the clients "
                          "%.2f CPU-s",
                          run.peak_rss_mib, Ratio(run.cost, raw),
                          run.client_cpu_s));
  }

  std::string NewDir() { return folder_.Sub(absl::StrCat("run-", ++runs_)); }

  const int64_t records_;
  const Folder folder_;
  std::unique_ptr<KafkaBroker> broker_;
  YesAnchor anchor_;
  int runs_ = 0;
};

int Main(int argc, char** argv) {
  const Arguments arguments = ArgumentsOf(argc, argv);
  absl::PrintF("%d records, %d stations, a topic of one partition each\n",
               arguments.records, Load::kStations);
  Bench bench(arguments.records);
  bench.Run();
  if (arguments.long_run) bench.RunLong();
  return 0;
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
