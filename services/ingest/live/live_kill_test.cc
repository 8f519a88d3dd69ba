// A process that is killed between the log's acknowledgement and the position:
// what it sent comes twice, and nothing is lost.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/spec.h"
#include "common/record_log/embedded_log.h"
#include "gtest/gtest.h"
#include "services/ingest/live/live_poller.h"
#include "services/ingest/live/testing/dwd_files.h"
#include "services/ingest/record_validator.h"
#include "services/ingest/validator_pool.h"

namespace windproof {
namespace {

constexpr int64_t kRows = 12;
constexpr size_t kBatch = 4;

class OneFile final : public HttpFetcher {
 public:
  HttpReply Get(const HttpRequest& request) override {
    HttpReply reply;
    reply.etag = "\"1\"";
    reply.status = request.etag == reply.etag ? 304 : 200;
    if (reply.status == 200) {
      reply.body = TenMinuteZip("433", TestRows(0, kRows * 10));
    }
    return reply;
  }
  void Cancel() override {}
};

// Ends the process instead of the commit with that number.
class KillingStore final : public LiveStore {
 public:
  KillingStore(std::unique_ptr<LiveStore> store, int at)
      : store_(std::move(store)), at_(at) {}

  absl::StatusOr<LiveStationState> State(const std::string& station) override {
    return store_->State(station);
  }
  absl::StatusOr<std::vector<LiveKnownRow>> Rows(const std::string& station,
                                                 int64_t first_s,
                                                 int64_t last_s,
                                                 size_t rows_max) override {
    return store_->Rows(station, first_s, last_s, rows_max);
  }
  absl::StatusOr<LiveValidators> Validators(const std::string& url) override {
    return store_->Validators(url);
  }
  absl::Status Commit(const LiveCommit& commit) override {
    if (commits_++ == at_) raise(SIGKILL);
    return store_->Commit(commit);
  }

 private:
  const std::unique_ptr<LiveStore> store_;
  const int at_;
  int commits_ = 0;
};

// One life of the process on the stores in `folder`. The number of a problem,
// or 0.
int Live(const std::string& folder, int kill_at) {
  auto log = EmbeddedLog::Open({.path = folder + "/log"});
  auto store = OpenLiveStore(folder + "/live");
  auto validators =
      ValidatorPool::Create({*BuiltInSpec("weather")}, IngestLimits());
  if (!log.ok() || !store.ok() || !validators.ok()) return 2;
  LiveLogSink sink(**validators, **log);
  KillingStore killing(*std::move(store), kill_at);
  OneFile fetcher;
  LivePoller::Options options;
  options.station = "00433";
  options.files = {{LiveFileKind::kNow, "now"}};
  options.batch_rows = kBatch;
  LivePoller poller(options,
                    {.fetcher = fetcher,
                     .sink = sink,
                     .store = killing,
                     .now_ms = [] { return (kTestDay + 86'400) * 1'000; },
                     .steady_ms = [] { return 0; },
                     .random = [] { return 0.5; }});
  if (!poller.Open().ok()) return 3;
  poller.Step();
  return poller.status().files[0].failures == 0 ? 0 : 4;
}

// Writes the values of the log's records into a file, one a line.
int PrintLog(const std::string& folder) {
  auto log = EmbeddedLog::Open({.path = folder + "/log"});
  if (!log.ok()) return 5;
  std::ofstream file(folder + "/values");
  const std::unique_ptr<LogReader> reader = (*log)->NewReader();
  reader->Assign({"weather.00433", 0}, 0);
  while (true) {
    const auto batch = reader->Poll(1'000, std::chrono::milliseconds(0));
    if (!batch.ok()) return 6;
    if (!batch->has_value()) return 0;
    for (const LogRecord& record : (*batch)->records) {
      file << *record.value << "\n";
    }
  }
}

// How often each row is in the log, in order of the first.
std::vector<std::pair<std::string, int>> Rows(const std::string& folder) {
  std::vector<std::pair<std::string, int>> rows;
  std::ifstream file(folder + "/values");
  for (std::string value; std::getline(file, value);) {
    const auto known =
        std::find_if(rows.begin(), rows.end(),
                     [&value](const auto& row) { return row.first == value; });
    if (known != rows.end()) {
      ++known->second;
    } else {
      rows.emplace_back(value, 1);
    }
  }
  return rows;
}

// Runs `run` in a process of its own: stores leave threads behind, which no
// later fork would have. What waitpid() says.
int Apart(const std::function<int()>& run) {
  const pid_t child = fork();
  if (child == 0) _exit(run());
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

class LiveKillTest : public ::testing::TestWithParam<int> {};

TEST_P(LiveKillTest, ComesTwiceOrOnceButNeverNot) {
  const int kill_at = GetParam();
  const std::string folder =
      absl::StrCat(::testing::TempDir(), "/live_kill_", kill_at);
  const int killed = Apart([&] { return Live(folder, kill_at); });
  ASSERT_TRUE(WIFSIGNALED(killed)) << WEXITSTATUS(killed);
  EXPECT_EQ(WTERMSIG(killed), SIGKILL);
  ASSERT_EQ(Apart([&] { return Live(folder, -1); }), 0);
  ASSERT_EQ(Apart([&] { return PrintLog(folder); }), 0);

  const auto rows = Rows(folder);
  ASSERT_EQ(rows.size(), static_cast<size_t>(kRows));
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(i == 0 || rows[i - 1].first < rows[i].first) << rows[i].first;
    // The batch that was acknowledged and not noted.
    const bool twice = i / kBatch == static_cast<size_t>(kill_at);
    EXPECT_EQ(rows[i].second, twice ? 2 : 1) << rows[i].first;
  }
}

// Three batches, and the file's validators after them.
INSTANTIATE_TEST_SUITE_P(EveryCommit, LiveKillTest, ::testing::Range(0, 4),
                         [](const auto& info) {
                           return absl::StrCat("Commit", info.param);
                         });

}  // namespace
}  // namespace windproof
