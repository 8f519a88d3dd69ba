#include "services/ingest/live/live_poller.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ingest/live/testing/dwd_files.h"

namespace windproof {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRecentUrl[] = "recent";
constexpr char kNowUrl[] = "now";
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;

// Answers what a test put there; remembers what it was asked.
class FakeFetcher final : public HttpFetcher {
 public:
  HttpReply Get(const HttpRequest& request) override {
    requests.push_back(request);
    if (during) during(request);
    if (cancelled) return Error(LiveError::kCancelled);
    const auto found = replies.find(request.url);
    if (found == replies.end()) return Error(LiveError::kNotFound, 404);
    HttpReply reply = found->second;
    if (reply.error == LiveError::kNone && !reply.etag.empty() &&
        reply.etag == request.etag) {
      reply.status = 304;
      reply.body.clear();
    }
    return reply;
  }
  void Cancel() override { cancelled = true; }

  static HttpReply Error(LiveError error, int status = 0) {
    HttpReply reply;
    reply.error = error;
    reply.message = "made by the test";
    reply.status = status;
    return reply;
  }

  // A file whose ETag is that of its content.
  void Serve(const std::string& url, const std::string& body) {
    HttpReply reply;
    reply.status = 200;
    reply.body = body;
    reply.etag = absl::StrCat("\"", std::hash<std::string>()(body), "\"");
    replies[url] = reply;
  }

  // Requests of a URL since the last call of this.
  int Asked(const std::string& url) {
    const auto count =
        std::count_if(requests.begin(), requests.end(),
                      [&url](const auto& one) { return one.url == url; });
    std::erase_if(requests, [&url](const auto& one) { return one.url == url; });
    return static_cast<int>(count);
  }

  std::map<std::string, HttpReply> replies;
  std::vector<HttpRequest> requests;
  std::function<void(const HttpRequest&)> during;
  bool cancelled = false;
};

class FakeSink final : public LiveSink {
 public:
  absl::StatusOr<std::vector<LiveRefusal>> Append(
      std::vector<NewRecord> records) override {
    if (before) before();
    if (!status.ok() && !loses_reply) return status;
    std::vector<LiveRefusal> refused;
    for (size_t i = 0; i < records.size(); ++i) {
      if (!refuse.empty() && absl::StrContains(*records[i].value, refuse)) {
        refused.push_back({i, "refused by the test"});
        continue;
      }
      log.push_back(records[i]);
    }
    ++batches;
    if (!status.ok()) return status;
    return refused;
  }

  // "00:10=0.1", "W 03:00" for a watermark: what came since the last call.
  std::vector<std::string> Take() {
    std::vector<std::string> texts;
    for (; taken < log.size(); ++taken) {
      const std::string& value = *log[taken].value;
      if (!log[taken].headers.empty()) {
        texts.push_back("W " + value.substr(11, 5));
        continue;
      }
      const size_t at = value.find("2026-01-");
      const size_t number = value.find("\"temperature\":");
      std::string text = value.substr(at + 11, 5);
      if (number != std::string::npos) {
        absl::StrAppend(
            &text, "=",
            value.substr(number + 14,
                         value.find_first_of(",}", number) - number - 14));
      }
      texts.push_back(text);
    }
    return texts;
  }

  std::vector<NewRecord> log;
  size_t taken = 0;
  int batches = 0;
  absl::Status status;
  bool loses_reply = false;  // with `status`: writes all the same
  std::string refuse;        // records with this in their value
  std::function<void()> before;
};

// In memory; it outlives the poller, as a store outlives a process.
class FakeStore final : public LiveStore {
 public:
  absl::StatusOr<LiveStationState> State(const std::string&) override {
    if (!status.ok()) return status;
    return state;
  }
  absl::StatusOr<std::vector<LiveKnownRow>> Rows(const std::string&,
                                                 int64_t first_s,
                                                 int64_t last_s,
                                                 size_t rows_max) override {
    if (!status.ok()) return status;
    std::vector<LiveKnownRow> found;
    for (const auto& [time_s, row] : rows) {
      if (time_s < first_s || time_s > last_s) continue;
      if (found.size() < rows_max) found.push_back(row);
    }
    return found;
  }
  absl::StatusOr<LiveValidators> Validators(const std::string& url) override {
    return urls[url];
  }
  absl::Status Commit(const LiveCommit& commit) override {
    if (!status.ok()) return status;
    state = commit.state;
    for (const int64_t time_s : commit.forgotten) rows.erase(time_s);
    for (const LiveKnownRow& row : commit.rows) rows[row.time_s] = row;
    if (commit.url.has_value()) urls[commit.url->first] = commit.url->second;
    EXPECT_EQ(state.rows_known, static_cast<int64_t>(rows.size()));
    return absl::OkStatus();
  }

  absl::Status status;
  LiveStationState state;
  std::map<int64_t, LiveKnownRow> rows;
  std::map<std::string, LiveValidators> urls;
};

class LivePollerTest : public ::testing::Test {
 protected:
  LivePollerTest() {
    options_.station = "00433";
    options_.files = {{LiveFileKind::kRecent, kRecentUrl},
                      {LiveFileKind::kNow, kNowUrl}};
    options_.rules = {{.window_ms = kHourMs, .grace_ms = 20 * kMinuteMs}};
    options_.poll_ms = 5 * kMinuteMs;
    options_.silent_after_ms = 3 * kHourMs;
    options_.backoff = {.first_ms = 10'000, .max_ms = 80'000};
    fetcher_.Serve(kRecentUrl, TenMinuteZip("433", {}));
    fetcher_.Serve(kNowUrl, TenMinuteZip("433", {}));
  }

  // As a process that begins.
  void Start() {
    poller_ = std::make_unique<LivePoller>(
        options_, LivePoller::Parts{.fetcher = fetcher_,
                                    .sink = sink_,
                                    .store = store_,
                                    .now_ms = [this] { return NowMs(); },
                                    .steady_ms = [this] { return steady_ms_; },
                                    .random = [this] { return random_; }});
    const absl::Status opened = poller_->Open();
    ASSERT_TRUE(opened.ok()) << opened;
  }

  int64_t NowMs() const {
    return kTestDay * 1'000 + wall_ahead_ms_ + steady_ms_;
  }

  // Lets the time pass until the poller is due, and steps.
  std::vector<std::string> Next() {
    if (poller_ == nullptr) Start();
    steady_ms_ = std::max(steady_ms_, due_ms_);
    due_ms_ = poller_->Step();
    return sink_.Take();
  }

  // Steps `minutes` after the start of the day, with every file due.
  std::vector<std::string> At(int64_t minutes) {
    steady_ms_ += 2 * kHourMs;
    wall_ahead_ms_ = minutes * kMinuteMs - steady_ms_;
    return Next();
  }

  const LiveFileStatus& StatusOf(size_t index) {
    status_ = poller_->status();
    return status_.files[index];
  }
  int64_t Errors(size_t index, LiveError error) {
    return StatusOf(index).errors[static_cast<size_t>(error)];
  }

  LivePoller::Options options_;
  FakeFetcher fetcher_;
  FakeSink sink_;
  FakeStore store_;
  std::unique_ptr<LivePoller> poller_;
  LiveStatus status_;
  int64_t wall_ahead_ms_ = 0;  // the wall clock, beside the steady one
  int64_t steady_ms_ = 0;
  int64_t due_ms_ = 0;
  double random_ = 0.5;
};

TEST_F(LivePollerTest, SendsRecentAndThenNowEachRowOnce) {
  fetcher_.Serve(kRecentUrl, TenMinuteZip("433", {{-20, "1.0"}, {-10, "2.0"}}));
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}}));
  EXPECT_THAT(At(15),
              ElementsAre("23:40=1.0", "23:50=2.0", "00:00=3.0", "00:10=4.0"));
  EXPECT_THAT(Next(), IsEmpty());
  EXPECT_EQ(StatusOf(0).unchanged, 1);

  fetcher_.Serve(kNowUrl,
                 TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}, {20, "5.0"}}));
  EXPECT_THAT(At(25), ElementsAre("00:20=5.0"));
  EXPECT_EQ(poller_->status().rows_sent, 5);
  EXPECT_EQ(poller_->status().last_row_s, kTestDay + 1'200);
}

TEST_F(LivePollerTest, RecordsAreThoseOfTheFiles) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.5"}}));
  At(15);
  ASSERT_EQ(sink_.log.size(), 1u);
  EXPECT_EQ(sink_.log[0].topic, "weather.00433");
  EXPECT_EQ(sink_.log[0].key, "00433");
  EXPECT_EQ(sink_.log[0].value,
            R"({"station_id":"00433","timestamp":"2026-01-25T00:00:00Z",)"
            R"("temperature":3.5,"humidity":81.0})");
  EXPECT_EQ(sink_.log[0].log_time_ms, NowMs());
}

TEST_F(LivePollerTest, AsksWithWhatTheServerSaidAlsoAfterARestart) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  At(15);
  fetcher_.requests.clear();
  Start();
  due_ms_ = 0;
  EXPECT_THAT(Next(), IsEmpty());
  ASSERT_EQ(fetcher_.requests.size(), 2u);
  EXPECT_EQ(fetcher_.requests[0].url, kRecentUrl);
  EXPECT_EQ(fetcher_.requests[1].etag, fetcher_.replies[kNowUrl].etag);
  EXPECT_EQ(StatusOf(1).unchanged, 1);
}

TEST_F(LivePollerTest, AChangedRowIsSentAgain) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}}));
  At(15);
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.1"}, {10, "4.0"}}));
  EXPECT_THAT(Next(), ElementsAre("00:00=3.1"));
  EXPECT_EQ(poller_->status().rows_changed, 1);
  EXPECT_EQ(poller_->status().last_row_s, kTestDay + 600);
}

TEST_F(LivePollerTest, ErrorsAreTriedAgainLaterAndLater) {
  Next();
  fetcher_.requests.clear();
  fetcher_.replies[kNowUrl] = FakeFetcher::Error(LiveError::kHttp, 503);
  fetcher_.replies[kRecentUrl].etag = "";  // always 200
  int64_t last = 0;
  std::vector<int64_t> waits;
  for (int i = 0; i < 6; ++i) {
    while (fetcher_.Asked(kNowUrl) == 0) Next();
    if (i > 0) waits.push_back(steady_ms_ - last);
    last = steady_ms_;
  }
  EXPECT_THAT(waits, ElementsAre(7'500, 15'000, 30'000, 60'000, 60'000));
  EXPECT_EQ(Errors(1, LiveError::kHttp), 6);
  EXPECT_EQ(StatusOf(1).failures, 6);
  EXPECT_EQ(StatusOf(1).backoff_ms, 60'000);
  EXPECT_EQ(StatusOf(0).failures, 0);

  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  EXPECT_THAT(At(30), ElementsAre("00:00=3.0"));
  EXPECT_EQ(StatusOf(1).failures, 0);
  EXPECT_EQ(StatusOf(1).backoff_ms, 0);
}

TEST_F(LivePollerTest, TheServerSaysWhenToComeBack) {
  fetcher_.replies[kNowUrl] = FakeFetcher::Error(LiveError::kHttp, 503);
  fetcher_.replies[kNowUrl].retry_after_ms = 200'000;
  Next();
  EXPECT_EQ(StatusOf(1).backoff_ms, 200'000);
}

TEST_F(LivePollerTest, ATruncatedZipMovesNothing) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  At(15);
  const std::string good =
      TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}, {20, "5.0"}});
  const FakeStore before = store_;
  for (const std::string& bad :
       {good.substr(0, good.size() / 2), good.substr(0, good.size() - 1),
        std::string("<html>"), TenMinuteZip("427", {{10, "4.0"}})}) {
    fetcher_.Serve(kNowUrl, bad);
    EXPECT_THAT(At(30), IsEmpty());
  }
  EXPECT_EQ(Errors(1, LiveError::kContent), 4);
  EXPECT_EQ(store_.rows, before.rows);
  EXPECT_EQ(store_.urls, before.urls);
  fetcher_.Serve(kNowUrl, good);
  EXPECT_THAT(At(30), ElementsAre("00:10=4.0", "00:20=5.0"));
}

TEST_F(LivePollerTest, ThePositionMovesOnlyOnAnAcknowledgement) {
  options_.batch_rows = 2;
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  sink_.before = [this] {
    if (sink_.batches == 1) {
      sink_.status = absl::UnavailableError("the log is away");
    }
  };
  EXPECT_THAT(At(65), ElementsAre("00:00=0.0", "00:10=0.1"));
  EXPECT_EQ(store_.rows.size(), 2u);
  EXPECT_EQ(Errors(1, LiveError::kLog), 1);
  EXPECT_EQ(store_.urls[kNowUrl], LiveValidators());

  sink_.before = nullptr;
  sink_.status = absl::OkStatus();
  EXPECT_THAT(Next(),
              ElementsAre("00:20=0.2", "00:30=0.3", "00:40=0.4", "00:50=0.5"));
  EXPECT_EQ(store_.rows.size(), 6u);
  EXPECT_EQ(fetcher_.requests.back().etag, "");
}

TEST_F(LivePollerTest, ALostReplyGivesDuplicatesAndLosesNothing) {
  options_.batch_rows = 2;
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 40)));
  sink_.status = absl::UnavailableError("no reply");
  sink_.loses_reply = true;
  EXPECT_THAT(At(45), ElementsAre("00:00=0.0", "00:10=0.1"));
  sink_.status = absl::OkStatus();
  EXPECT_THAT(Next(),
              ElementsAre("00:00=0.0", "00:10=0.1", "00:20=0.2", "00:30=0.3"));
}

TEST_F(LivePollerTest, APositionThatCannotBeWrittenGivesDuplicates) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 20)));
  sink_.before = [this] { store_.status = absl::DataLossError("disk"); };
  EXPECT_THAT(At(25), ElementsAre("00:00=0.0", "00:10=0.1"));
  EXPECT_EQ(Errors(1, LiveError::kStore), 1);
  EXPECT_EQ(poller_->status().last_row_s, std::nullopt);
  sink_.before = nullptr;
  store_.status = absl::OkStatus();
  EXPECT_THAT(Next(), ElementsAre("00:00=0.0", "00:10=0.1"));
  EXPECT_THAT(Next(), IsEmpty());
}

TEST_F(LivePollerTest, ARowThatNoPipelineTakesIsLeftOutForGood) {
  sink_.refuse = ":4.0";
  fetcher_.Serve(kNowUrl,
                 TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}, {20, "5.0"}}));
  EXPECT_THAT(At(25), ElementsAre("00:00=3.0", "00:20=5.0"));
  fetcher_.Serve(
      kNowUrl,
      TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}, {20, "5.0"}, {30, "6.0"}}));
  EXPECT_THAT(At(35), ElementsAre("00:30=6.0"));
  EXPECT_EQ(poller_->status().rows_refused, 1);
  EXPECT_EQ(poller_->status().rows_sent, 3);
}

TEST_F(LivePollerTest, RowsOfTheFutureComeWhenTheirTimeHasCome) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}}));
  EXPECT_THAT(At(5), ElementsAre("00:00=3.0"));
  EXPECT_THAT(At(12), ElementsAre("00:10=4.0"));
  EXPECT_EQ(StatusOf(1).unchanged, 0);
}

TEST_F(LivePollerTest, NowWaitsForRecentWhereRowsCouldBeMissing) {
  const HttpReply recent = fetcher_.replies[kRecentUrl];
  fetcher_.replies[kRecentUrl] = FakeFetcher::Error(LiveError::kTimeout);
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  EXPECT_THAT(At(15), IsEmpty());
  EXPECT_EQ(Errors(1, LiveError::kHeldBack), 1);

  fetcher_.Serve(kRecentUrl, TenMinuteZip("433", {{-10, "2.0"}}));
  EXPECT_THAT(At(16), ElementsAre("23:50=2.0", "00:00=3.0"));

  // The next row comes right behind: nothing can be missing.
  fetcher_.replies[kRecentUrl] = FakeFetcher::Error(LiveError::kTimeout);
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}}));
  EXPECT_THAT(At(17), ElementsAre("00:10=4.0"));
  // Behind a hole it waits.
  fetcher_.Serve(kNowUrl,
                 TenMinuteZip("433", {{0, "3.0"}, {10, "4.0"}, {40, "5.0"}}));
  EXPECT_THAT(At(45), IsEmpty());
  EXPECT_EQ(Errors(1, LiveError::kHeldBack), 2);
  fetcher_.Serve(kRecentUrl, TenMinuteZip("433", {{30, "4.5"}}));
  EXPECT_THAT(At(50), ElementsAre("00:30=4.5", "00:40=5.0"));
}

TEST_F(LivePollerTest, ARecentFileThatIsNotThereHoldsNothingUp) {
  fetcher_.replies.erase(kRecentUrl);
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  EXPECT_THAT(At(15), ElementsAre("00:00=3.0"));
  EXPECT_EQ(Errors(0, LiveError::kNotFound), 1);
}

TEST_F(LivePollerTest, ASilentStationGetsAWatermarkAndNothingMoreOnceClosed) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  EXPECT_THAT(At(60), ElementsAre("00:00=0.0", "00:10=0.1", "00:20=0.2",
                                  "00:30=0.3", "00:40=0.4", "00:50=0.5"));
  // The last row was at 00:50, so up to 03:50 it is not silent.
  EXPECT_THAT(At(3 * 60 + 50), IsEmpty());
  EXPECT_THAT(At(4 * 60), ElementsAre("W 01:00"));
  EXPECT_THAT(At(4 * 60 + 10), IsEmpty());
  // 01:00 and 20 minutes of grace: that closes the window.
  EXPECT_THAT(At(4 * 60 + 20), ElementsAre("W 01:20"));
  EXPECT_THAT(At(9 * 60), IsEmpty());
  EXPECT_EQ(poller_->status().watermarks, 2);
  // Nor after a restart.
  Start();
  due_ms_ = 0;
  EXPECT_THAT(At(10 * 60), IsEmpty());
  // New rows begin a new silence.
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{9 * 60, "7.0"}}));
  EXPECT_THAT(At(10 * 60 + 10), ElementsAre("09:00=7.0"));
  EXPECT_THAT(At(13 * 60 + 30), ElementsAre("W 10:30"));
}

TEST_F(LivePollerTest, OldRowsThatComeOneAfterTheOtherAreNoSilence) {
  // As a server does that catches up, or shows files of long ago.
  for (int hour = 1; hour < 20; ++hour) {
    fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, hour * 10)));
    EXPECT_EQ(At(100'000 + hour * 60).size(), 1u);
  }
  EXPECT_THAT(At(100'000 + 22 * 60 - 1), IsEmpty());
  EXPECT_EQ(At(100'000 + 22 * 60).size(), 1u);
  EXPECT_EQ(poller_->status().watermarks, 1);
}

TEST_F(LivePollerTest, AServerThatIsAwayMakesNoStationSilent) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  At(60);
  const auto replies = fetcher_.replies;
  fetcher_.replies[kNowUrl] = FakeFetcher::Error(LiveError::kConnect);
  for (int hour = 2; hour < 48; ++hour) {
    ASSERT_THAT(At(hour * 60), IsEmpty()) << hour;
  }
  // And where only one of the two can be read, the older answer counts.
  fetcher_.replies = replies;
  fetcher_.replies[kRecentUrl] = FakeFetcher::Error(LiveError::kConnect);
  for (int hour = 48; hour < 60; ++hour) {
    for (const std::string& text : At(hour * 60)) {
      EXPECT_EQ(text.substr(0, 1), "W");
    }
  }
  EXPECT_LE(*store_.state.stated_ms, kTestDay * 1'000 + (47 - 3) * kHourMs);
}

TEST_F(LivePollerTest, AnOldCopyMakesNoStationSilent) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  // A cache on the way that has not asked the server since 01:00.
  for (auto& [url, reply] : fetcher_.replies) {
    reply.date_ms = kTestDay * 1'000 + kHourMs;
  }
  At(60);
  for (int hour = 2; hour < 48; ++hour) {
    ASSERT_THAT(At(hour * 60), IsEmpty()) << hour;
  }
}

TEST_F(LivePollerTest, AFileThatIsBeingReplacedMakesNoStationSilent) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  At(60);
  fetcher_.replies.erase(kNowUrl);
  // Not found: from 02:00 on. Only three hours later is it believed.
  for (int minutes = 120; minutes < 5 * 60; minutes += 10) {
    ASSERT_THAT(At(minutes), IsEmpty()) << minutes;
  }
  EXPECT_THAT(At(5 * 60), ElementsAre("W 02:00"));
}

TEST_F(LivePollerTest, NeitherFileThereIsNoAnswerAtAll) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  At(60);
  fetcher_.replies.clear();
  for (int hour = 2; hour < 48; ++hour) {
    ASSERT_THAT(At(hour * 60), IsEmpty()) << hour;
  }
}

TEST_F(LivePollerTest, AStationThatNeverSentHasNoWatermark) {
  for (int hour = 0; hour < 48; ++hour) {
    ASSERT_THAT(At(hour * 60), IsEmpty());
  }
}

TEST_F(LivePollerTest, NeverMeansNever) {
  options_.silent_after_ms.reset();
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  At(60);
  for (int hour = 2; hour < 48; ++hour) {
    ASSERT_THAT(At(hour * 60), IsEmpty());
  }
}

TEST_F(LivePollerTest, AWatermarkThatIsNotTakenComesAgain) {
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", {{0, "3.0"}}));
  At(60);
  sink_.status = absl::UnavailableError("the log is away");
  EXPECT_THAT(At(10 * 60), IsEmpty());
  EXPECT_EQ(store_.state.stated_ms, std::nullopt);
  EXPECT_EQ(Errors(1, LiveError::kLog), 1);
  sink_.status = absl::OkStatus();
  EXPECT_THAT(At(10 * 60 + 10), ElementsAre("W 07:10"));
}

TEST_F(LivePollerTest, WhatIsRememberedIsBounded) {
  options_.rows_known_max = 10;
  fetcher_.Serve(kRecentUrl, TenMinuteZip("433", TestRows(0, 200)));
  EXPECT_EQ(At(200).size(), 20u);
  EXPECT_EQ(store_.rows.size(), 10u);
  EXPECT_EQ(store_.state.floor_s, kTestDay + 100 * 60);
  // The older ones are settled: neither sent again nor compared.
  std::vector<TestRow> rows = TestRows(0, 210);
  rows[0].temperature = "99.0";
  rows[15].temperature = "88.0";
  fetcher_.Serve(kRecentUrl, TenMinuteZip("433", rows));
  EXPECT_THAT(At(210), ElementsAre("02:30=88.0", "03:20=2.0"));
  EXPECT_EQ(store_.rows.size(), 10u);
}

TEST_F(LivePollerTest, StopEndsItBetweenBatches) {
  options_.batch_rows = 1;
  fetcher_.Serve(kNowUrl, TenMinuteZip("433", TestRows(0, 60)));
  sink_.before = [this] {
    if (sink_.batches == 2) poller_->Stop();
  };
  EXPECT_THAT(At(60), ElementsAre("00:00=0.0", "00:10=0.1", "00:20=0.2"));
  EXPECT_EQ(store_.rows.size(), 3u);
  EXPECT_THAT(Next(), IsEmpty());
  // What was not sent comes after the next start.
  sink_.before = nullptr;
  fetcher_.cancelled = false;
  Start();
  due_ms_ = 0;
  EXPECT_THAT(Next(), ElementsAre("00:30=0.3", "00:40=0.4", "00:50=0.5"));
}

TEST_F(LivePollerTest, PollsAreSpreadALittle) {
  random_ = 0.0;
  Next();
  const int64_t first = due_ms_;
  EXPECT_EQ(first, options_.poll_ms * 95 / 100);
  random_ = 0.999;
  Next();
  EXPECT_GT(due_ms_ - first, options_.poll_ms);
  EXPECT_LT(due_ms_ - first, options_.poll_ms * 106 / 100);
}

}  // namespace
}  // namespace windproof
