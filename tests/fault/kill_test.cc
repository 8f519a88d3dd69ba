// Promise 4, on the real process: nothing acknowledged is lost, and every
// checkpoint is as in a run without interruption, at a kill -9 at any point.
//
// The moments come from a seed, which is printed and can be given as
// WINDPROOF_FAULT_SEED. Where the server is at such a moment is up to the
// machine, so a seed repeats a run only nearly. 10 kills; 200 with
// WINDPROOF_LONG.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/spec.h"
#include "common/spec_file/spec_file.h"
#include "gtest/gtest.h"
#include "tests/e2e/process.h"
#include "tests/fault/expect_checkpoints.h"
#include "tests/fault/log_truth.h"
#include "tests/fault/publisher.h"
#include "tests/fault/server_view.h"

namespace windproof {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr int kPublishers = 2;

// What the server is about when it is killed.
enum class Moment {
  kStarting,    // anywhere between its first instruction and a bit after READY
  kReady,       // just after READY: it catches up with the log
  kPublishing,  // batches are coming in
  kDraining,    // just after the last reply: windows close, the outbox drains
};

const char* Name(Moment moment) {
  switch (moment) {
    case Moment::kStarting:
      return "starting";
    case Moment::kReady:
      return "ready";
    case Moment::kPublishing:
      return "publishing";
    case Moment::kDraining:
      return "draining";
  }
  return "";
}

// Two pipelines over the same topics, one for each late policy.
const char* const kSpecs[] = {
    R"({"name":"amend","topics":["^fault\\.[0-9]$"],"key_field":"id",
        "timestamp_field":"at","fields":{"a":"NUMBER","b":"NUMBER"},
        "aggregated":["a"],"window_ms":60000,"grace_ms":30000,
        "late_policy":"AMEND","amend_ms":600000,"future_skew_ms":0})",
    R"({"name":"reject","topics":["^fault\\.[0-9]$"],"key_field":"id",
        "timestamp_field":"at","fields":{"a":"NUMBER"},
        "aggregated":["a"],"window_ms":300000,"grace_ms":0,
        "late_policy":"REJECT","future_skew_ms":0})"};

bool Long() { return std::getenv("WINDPROOF_LONG") != nullptr; }

uint64_t Seed() {
  uint64_t seed = 0;
  const char* given = std::getenv("WINDPROOF_FAULT_SEED");
  if (given != nullptr && absl::SimpleAtoi(given, &seed)) return seed;
  return std::random_device()();
}

class KillTest : public testing::Test {
 protected:
  KillTest()
      : data_dir_(FreshPath("data")),
        anchor_dir_(FreshPath("anchor")),
        seed_(Seed()),
        random_(seed_) {
    for (const char* json : kSpecs) {
      spec_files_.push_back(FreshPath("spec.json"));
      WriteContent(spec_files_.back(), json);
      absl::StatusOr<PipelineSpec> spec = LoadSpec(spec_files_.back());
      EXPECT_TRUE(spec.ok()) << spec.status();
      if (spec.ok()) specs_.push_back(*spec);
    }
    for (int i = 0; i < kPublishers; ++i) publishers_.emplace_back(seed_, i);
    std::cout << "WINDPROOF_FAULT_SEED=" << seed_ << std::endl;
  }

  ~KillTest() override {
    anchor_.reset();
    std::filesystem::remove_all(data_dir_);
    std::filesystem::remove_all(anchor_dir_);
  }

  std::unique_ptr<Process> Serve() {
    std::vector<std::string> arguments = {"serve", "--data-dir", data_dir_,
                                          "--listen", "127.0.0.1:0"};
    for (const std::string& file : spec_files_) {
      arguments.insert(arguments.end(), {"--pipeline", file});
    }
    if (anchor_ != nullptr) {
      arguments.insert(arguments.end(), {"--anchor", anchor_->grpc()});
    }
    return std::make_unique<Process>(Binary("services/windproof/windproof"),
                                     arguments);
  }

  // An anchor of its own for the servers that follow.
  void StartAnchor(const std::string& listen) {
    anchor_ = std::make_unique<Process>(
        Binary("services/anchor/anchor"),
        std::vector<std::string>{"--data-dir", anchor_dir_, "--listen",
                                 listen});
    ASSERT_TRUE(anchor_->WaitReady()) << anchor_->err();
  }

  std::string AnchorOf(const Process& server) const {
    return anchor_ == nullptr ? server.grpc() : anchor_->grpc();
  }

  // Lets a random part of `most` pass: this is what makes the moment of a kill
  // random, nothing waits for it.
  void Linger(microseconds most) {
    std::this_thread::sleep_for(
        microseconds(random_() % (static_cast<uint64_t>(most.count()) + 1)));
  }

  void PublishAll(const std::string& address, int calls) {
    std::vector<std::thread> threads;
    for (Publisher& publisher : publishers_) {
      threads.emplace_back(
          [&publisher, &address, calls] { publisher.Publish(address, calls); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // Starts the server and kills it at `moment`.
  void Kill(Moment moment) {
    const auto start = steady_clock::now();
    const std::unique_ptr<Process> server = Serve();
    if (moment == Moment::kStarting) {
      Linger(start_time_ + start_time_ / 8);
      End(*server);
      if (server->out().find("READY") == std::string::npos) {
        ++killed_before_ready_;
      }
      return;
    }
    ASSERT_TRUE(server->WaitReady()) << server->err();
    start_time_ =
        std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
    if (moment == Moment::kReady) {
      Linger(microseconds(20'000));
    } else if (moment == Moment::kDraining) {
      PublishAll(server->grpc(), 1 + static_cast<int>(random_() % 15));
      Linger(microseconds(50'000));
    } else {
      std::thread publishing([this, &server] {
        PublishAll(server->grpc(), std::numeric_limits<int>::max());
      });
      Linger(microseconds(400'000));
      server->Signal(SIGKILL);
      publishing.join();
    }
    End(*server);
  }

  // Kills a server that must still be running.
  static void End(Process& server) {
    server.Signal(SIGKILL);
    EXPECT_EQ(server.Wait(), 128 + SIGKILL) << server.err();
  }

  // After every publisher has finished: where each topic's log ends.
  std::map<std::string, int64_t> LogEnds() const {
    std::map<std::string, int64_t> ends;
    for (const Publisher& publisher : publishers_) {
      for (const v1::PublishedRecord& record :
           publisher.attempts().back().acknowledged) {
        int64_t& end = ends[record.topic()];
        end = std::max(end, record.offset() + 1);
      }
    }
    return ends;
  }

  std::vector<std::string> PipelineNames() const {
    std::vector<std::string> names;
    for (const PipelineSpec& spec : specs_) names.push_back(spec.name);
    return names;
  }

  void ExpectAcknowledgedIsThere(const LogContent& log);
  void ExpectAllOrNothing(const LogContent& log);
  void ExpectCheckpoints(ServerView& view, const LogContent& log);
  void RunToTheEnd();

  const std::string data_dir_;
  const std::string anchor_dir_;
  std::unique_ptr<Process> anchor_;  // null: the server's own
  const uint64_t seed_;
  std::mt19937_64 random_;
  std::vector<std::string> spec_files_;
  std::vector<PipelineSpec> specs_;
  std::vector<Publisher> publishers_;
  // From exec to READY, as it was last.
  microseconds start_time_{200'000};
  int killed_before_ready_ = 0;
};

const OwnedRecord* Find(const LogContent& log,
                        const v1::PublishedRecord& where) {
  const auto topic = log.find(where.topic());
  if (topic == log.end()) return nullptr;
  const auto record = std::lower_bound(
      topic->second.begin(), topic->second.end(), where.offset(),
      [](const OwnedRecord& a, int64_t offset) { return a.offset < offset; });
  if (record == topic->second.end() || record->offset != where.offset()) {
    return nullptr;
  }
  return &*record;
}

bool Same(const v1::Record& sent, const OwnedRecord& stored) {
  OwnedRecord expected;
  if (sent.has_key()) expected.key = sent.key();
  expected.value = sent.value();
  for (const v1::Header& header : sent.headers()) {
    expected.headers.emplace_back(header.name(), header.value());
  }
  return stored.key == expected.key && stored.value == expected.value &&
         stored.headers == expected.headers;
}

std::string TagOf(const OwnedRecord& record) {
  for (const auto& [name, value] : record.headers) {
    if (name == kAttemptHeader) return value.value_or("");
  }
  return "";  // a watermark's control record
}

void KillTest::ExpectAcknowledgedIsThere(const LogContent& log) {
  for (const Publisher& publisher : publishers_) {
    for (size_t i = 0; i < publisher.attempts().size(); ++i) {
      const Attempt& attempt = publisher.attempts()[i];
      const std::vector<v1::PublishedRecord>& where = attempt.acknowledged;
      if (where.empty()) continue;
      SCOPED_TRACE(absl::StrCat("attempt ", publisher.AttemptTag(i)));
      const std::vector<v1::Record>& sent = attempt.batch.records;
      ASSERT_EQ(where.size(), std::max<size_t>(sent.size(), 1));
      for (size_t j = 0; j < where.size(); ++j) {
        const OwnedRecord* const stored = Find(log, where[j]);
        ASSERT_NE(stored, nullptr) << where[j].DebugString();
        if (!sent.empty()) {
          ASSERT_TRUE(Same(sent[j], *stored)) << where[j].DebugString();
          continue;
        }
        const v1::AdvanceWatermarkRequest& sent_watermark =
            attempt.batch.watermark;
        ASSERT_EQ(stored->key, sent_watermark.key());
        ASSERT_EQ(stored->value,
                  FormatTimestamp(TimestampFromMillis(
                      sent_watermark.watermark().seconds() * 1'000 +
                      sent_watermark.watermark().nanos() / 1'000'000)));
      }
    }
  }
}

// Every call was carried out as a whole, once, or not at all.
void KillTest::ExpectAllOrNothing(const LogContent& log) {
  std::map<std::string, size_t> found;
  for (const auto& [topic, records] : log) {
    for (const OwnedRecord& record : records) ++found[TagOf(record)];
  }
  size_t watermarks = 0;
  size_t watermarks_acknowledged = 0;
  for (const Publisher& publisher : publishers_) {
    for (size_t i = 0; i < publisher.attempts().size(); ++i) {
      const Attempt& attempt = publisher.attempts()[i];
      if (attempt.batch.records.empty()) {
        ++watermarks;
        watermarks_acknowledged += attempt.acknowledged.size();
        continue;
      }
      const auto tag = found.find(publisher.AttemptTag(i));
      if (tag == found.end()) {
        EXPECT_TRUE(attempt.acknowledged.empty());
        continue;
      }
      EXPECT_EQ(tag->second, attempt.batch.records.size()) << tag->first;
      found.erase(tag);
    }
  }
  EXPECT_LE(found[""], watermarks);
  EXPECT_GE(found[""], watermarks_acknowledged);
  EXPECT_EQ(found.size(), 1u) << "the log has records of nobody";
}

// Windows and ledger of `view` are those of a run without interruption: the
// same bytes, each key's in the same order, none missing, none twice.
void KillTest::ExpectCheckpoints(ServerView& view, const LogContent& log) {
  for (const PipelineSpec& spec : specs_) {
    SCOPED_TRACE(absl::StrCat("pipeline ", spec.name));
    const absl::StatusOr<CheckpointsByKey> expected = Recompute(spec, log);
    ASSERT_TRUE(expected.ok()) << expected.status();
    const absl::StatusOr<CheckpointsByKey> ledger = view.Ledger(spec.name);
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    const absl::StatusOr<std::vector<CheckpointRow>> windows =
        view.Windows(spec.name);
    ASSERT_TRUE(windows.ok()) << windows.status();

    ASSERT_EQ(expected->size(),
              static_cast<size_t>(kPublishers * RecordStream::kKeys));
    ASSERT_NO_FATAL_FAILURE(
        windproof::ExpectCheckpoints(*expected, *ledger, *windows));
    RecordProperty(spec.name, static_cast<int>(windows->size()));
  }
}

void KillTest::RunToTheEnd() {
  std::map<std::string, int64_t> log_ends;
  {
    const std::unique_ptr<Process> server = Serve();
    ASSERT_TRUE(server->WaitReady()) << server->err();
    PublishAll(server->grpc(), 4);
    for (Publisher& publisher : publishers_) {
      EXPECT_TRUE(publisher.Finish(server->grpc())) << server->err();
      EXPECT_EQ(publisher.complaint(), "");
    }
    log_ends = LogEnds();
    ASSERT_EQ(log_ends.size(), static_cast<size_t>(RecordStream::kTopics));
    ServerView view(server->grpc(), AnchorOf(*server));
    const absl::Status settled = view.WaitSettled(PipelineNames(), log_ends);
    ASSERT_TRUE(settled.ok()) << settled << server->err();
    EXPECT_EQ(server->Stop(), 0) << server->err();
  }
  const absl::StatusOr<LogContent> log = ReadLog(data_dir_ + "/log");
  ASSERT_TRUE(log.ok()) << log.status();
  ExpectAcknowledgedIsThere(*log);
  ExpectAllOrNothing(*log);

  const std::unique_ptr<Process> server = Serve();
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ServerView view(server->grpc(), AnchorOf(*server));
  const absl::Status settled = view.WaitSettled(PipelineNames(), log_ends);
  ASSERT_TRUE(settled.ok()) << settled << server->err();
  ExpectCheckpoints(view, *log);
  for (const PipelineSpec& spec : specs_) {
    const absl::StatusOr<std::vector<CheckpointRow>> rows =
        view.Windows(spec.name);
    ASSERT_TRUE(rows.ok()) << rows.status();
    std::set<std::pair<std::string, int64_t>> written;
    for (const CheckpointRow& row : *rows) {
      written.emplace(row.key, row.window_start_ms);
    }
    const absl::StatusOr<v1::VerifyTotals> totals = view.VerifyAll(spec.name);
    ASSERT_TRUE(totals.ok()) << totals.status();
    EXPECT_EQ(totals->verified(), totals->windows());
    EXPECT_EQ(totals->windows(), static_cast<int64_t>(written.size()));
    std::cout << spec.name << ": " << rows->size() << " checkpoints, "
              << totals->windows() << " windows and " << totals->records()
              << " records verified" << std::endl;
  }
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

// The moments of ten kills; a fresh folder meets three kills in a row before
// READY first of all.
std::vector<Moment> TenMoments(std::mt19937_64& random, bool fresh) {
  std::vector<Moment> moments = {Moment::kPublishing, Moment::kPublishing,
                                 Moment::kPublishing, Moment::kDraining,
                                 Moment::kDraining,   Moment::kReady,
                                 Moment::kStarting};
  std::shuffle(moments.begin(), moments.end(), random);
  const auto in_a_row =
      static_cast<std::ptrdiff_t>(fresh ? 0 : random() % (moments.size() + 1));
  moments.insert(std::next(moments.begin(), in_a_row), 3, Moment::kStarting);
  return moments;
}

TEST_F(KillTest, CheckpointsAreThoseOfARunWithoutInterruption) {
  const int tens = Long() ? 20 : 1;
  for (int i = 0; i < tens; ++i) {
    for (const Moment moment : TenMoments(random_, i == 0)) {
      SCOPED_TRACE(absl::StrCat("ten ", i, ", while ", Name(moment)));
      ASSERT_NO_FATAL_FAILURE(Kill(moment));
      if (HasFailure()) return;
    }
  }
  std::cout << killed_before_ready_ << " kills before READY" << std::endl;
  RunToTheEnd();
}

std::string KeyIn(const std::string& folder, const char* role) {
  const std::string text =
      FileContent(absl::StrCat(folder, "/keys/", role, ".vkey"));
  return std::string(absl::StripAsciiWhitespace(text));
}

TEST_F(KillTest, AnAnchorThatIsKilledHasEachCheckpointOnce) {
  ASSERT_NO_FATAL_FAILURE(StartAnchor("127.0.0.1:0"));
  EXPECT_EQ(Serve()->Wait(), 2);  // makes the producer's key
  WriteContent(
      data_dir_ + "/trust.json",
      absl::StrCat(R"({"version":1,"ledger":{"kind":"embedded","vkey":")",
                   KeyIn(anchor_dir_, "ledger"), R"("},"producers":[")",
                   KeyIn(data_dir_, "producer"), R"("]})"));
  {
    const std::unique_ptr<Process> server = Serve();
    ASSERT_TRUE(server->WaitReady()) << server->err();
    // Ends with the server.
    std::thread publishing([this, &server] {
      PublishAll(server->grpc(), std::numeric_limits<int>::max());
    });
    const int kills = Long() ? 50 : 4;
    for (int i = 0; i < kills && !HasFailure(); ++i) {
      Linger(microseconds(400'000));
      const std::string address = anchor_->grpc();
      End(*anchor_);
      StartAnchor(address);
    }
    server->Signal(SIGKILL);
    publishing.join();
  }
  if (!HasFailure()) RunToTheEnd();
}

}  // namespace
}  // namespace windproof
