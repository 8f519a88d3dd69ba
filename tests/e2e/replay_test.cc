// The replay audit as its users have it: `verify --replay` and `replay` over a
// stopped store, whole and altered.

#include <rocksdb/db.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/record_log/embedded_log_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/client.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using testing::HasSubstr;

const char kWindproof[] = "services/windproof/windproof";
const TopicPartition kSource{"weather.00433", 0};

// Offsets 0 to 3 as in OneClosedWindow(), 4 a duplicate of 3, 5 and 6 close the
// windows of 13:00 and 14:00.
std::vector<v1::Record> Records() {
  std::vector<v1::Record> records = OneClosedWindow();
  records.push_back(Reading("13:20", 2.5));
  records.push_back(Reading("14:30", 2));
  records.push_back(Reading("15:30", 1));
  return records;
}

class ReplayTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    store_ = new std::string(FreshPath("store"));
    Process server(Binary(kWindproof),
                   {"serve", "--data-dir", *store_, "--listen", "127.0.0.1:0"});
    ASSERT_TRUE(server.WaitReady()) << server.err();
    Client client(server.grpc());
    ASSERT_TRUE(client.Publish(Records()).ok());
    ASSERT_EQ(client.WaitAnchored(3).size(), 3u) << server.err();
    ASSERT_EQ(server.Stop(), 0) << server.err();
  }
  static void TearDownTestSuite() { delete store_; }

  void SetUp() override {
    dir_ = FreshPath("copy");
    std::filesystem::copy(*store_, dir_,
                          std::filesystem::copy_options::recursive);
  }

  Outcome Verify() const {
    return RunProcess(Binary(kWindproof),
                      {"verify", "--all", "--replay", "--data-dir", dir_});
  }
  Outcome Replay(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"replay", "--pipeline", "weather",
                                          "--data-dir", dir_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProcess(Binary(kWindproof), arguments);
  }

  // Alters the log behind everybody's back.
  void WithLog(const std::function<void(rocksdb::DB& log)>& alter) const {
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(
        rocksdb::Options(), absl::StrCat(dir_, "/log"), &opened);
    ASSERT_TRUE(status.ok()) << status.ToString();
    const std::unique_ptr<rocksdb::DB> log(opened);
    alter(*log);
  }
  void AlterRecord(int64_t offset, const std::string& from,
                   const std::string& to) const {
    WithLog([&](rocksdb::DB& log) {
      const std::string key = RecordKey(kSource, offset);
      std::string raw;
      ASSERT_TRUE(log.Get({}, key, &raw).ok());
      const size_t at = raw.find(from);
      ASSERT_NE(at, std::string::npos);
      raw.replace(at, from.size(), to);
      ASSERT_TRUE(log.Put({}, key, raw).ok());
    });
  }

  static std::string* store_;
  std::string dir_;
};

std::string* ReplayTest::store_ = nullptr;

TEST_F(ReplayTest, AWholeStoreGivesWhatIsAnchored) {
  const Outcome verify = Verify();
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("3 verified"));
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("3 verified"));

  const Outcome json = Replay({"--output", "json"});
  EXPECT_EQ(json.code, 0);
  const std::vector<std::string> lines =
      absl::StrSplit(json.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 3u) << json.out;
  EXPECT_THAT(lines[0], HasSubstr("\"REPLAY\""));

  // From the middle on, by key: no origin is needed.
  const Outcome part =
      Replay({"--key", "00433", "--from", "2026-01-25T13:00:00Z"});
  EXPECT_EQ(part.code, 0) << part.out << part.err;
  EXPECT_THAT(part.out, HasSubstr("2 verified"));
}

TEST_F(ReplayTest, ItNeedsLogAndLedgerAlone) {
  std::filesystem::remove_all(absl::StrCat(dir_, "/window_hash"));
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
  std::filesystem::remove_all(absl::StrCat(dir_, "/log"));
  EXPECT_EQ(Replay().code, 3);
}

TEST_F(ReplayTest, AnAlteredRecordIsFoundAndNamed) {
  AlterRecord(1, "3.9", "4.9");
  const Outcome verify = Verify();
  EXPECT_EQ(verify.code, 1) << verify.out;
  EXPECT_THAT(verify.out, HasSubstr("LOG_RECORD_ALTERED record 2 offset 1"));
  EXPECT_THAT(verify.out, HasSubstr("2 verified"));
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 1);
  EXPECT_THAT(replay.out, HasSubstr("REPLAY_DIFFERS"));
  EXPECT_THAT(replay.out, HasSubstr("2 verified")) << "the others still are";
}

TEST_F(ReplayTest, ARemovedRecordIsFoundAndNamed) {
  WithLog([](rocksdb::DB& log) {
    ASSERT_TRUE(log.Delete({}, RecordKey(kSource, 2)).ok());
  });
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("LOG_RECORD_REMOVED record 1 offset 2"));
  const Outcome verify = Verify();
  EXPECT_EQ(verify.code, 1);
  EXPECT_THAT(verify.out, HasSubstr("LOG_RECORD_REMOVED record 1 offset 2"));
}

TEST_F(ReplayTest, AnAlteredDroppedRecordIsFoundAndNamed) {
  AlterRecord(4, "2.5", "2.6");
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("scan.conflict"));
  EXPECT_EQ(Verify().code, 1);
}

TEST_F(ReplayTest, ALostEndIsFound) {
  WithLog([](rocksdb::DB& log) {
    ASSERT_TRUE(log.Delete({}, RecordKey(kSource, 6)).ok());
  });
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("LOG_TRUNCATED"));
  EXPECT_THAT(replay.out, HasSubstr("2 verified"));
}

TEST_F(ReplayTest, ExpiredRecordsAreNoPassAndNoFault) {
  WithLog([](rocksdb::DB& log) {
    ASSERT_TRUE(log.Delete({}, RecordKey(kSource, 0)).ok());
  });
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 3) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("expired"));
  EXPECT_THAT(replay.out, HasSubstr("1 incomplete"));
  EXPECT_THAT(replay.out, HasSubstr("2 verified"));
  const Outcome verify = Verify();
  EXPECT_EQ(verify.code, 3) << verify.out;
  EXPECT_THAT(verify.out, HasSubstr("REPLAY SKIPPED: expired"));
}

TEST_F(ReplayTest, AnAlteredLedgerIsFound) {
  const Outcome tamper =
      RunProcess(Binary(kWindproof),
                 {"drill", "tamper", "--data-dir", dir_, "--window",
                  "weather/00433/2026-01-25T12:00:00Z", "--what", "ledger"});
  ASSERT_EQ(tamper.code, 0) << tamper.err;
  const Outcome replay = Replay();
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_EQ(Verify().code, 1);
}

// Keys that share a partition count each other's records, in one pass.
TEST_F(ReplayTest, TwoKeysInOnePartition) {
  dir_ = FreshPath("two");
  {
    Process server(Binary(kWindproof),
                   {"serve", "--data-dir", dir_, "--listen", "127.0.0.1:0"});
    ASSERT_TRUE(server.WaitReady()) << server.err();
    Client client(server.grpc());
    std::vector<v1::Record> records;
    for (const v1::Record& record : OneClosedWindow()) {
      records.push_back(record);
      records.push_back(record);
      records.back().set_key("00427");
      records.back().set_value(
          absl::StrReplaceAll(record.value(), {{"00433", "00427"}}));
    }
    ASSERT_TRUE(client.Publish(records).ok());
    ASSERT_EQ(client.WaitAnchored(2).size(), 2u) << server.err();
    ASSERT_EQ(server.Stop(), 0) << server.err();
  }
  Outcome replay = Replay();
  EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("2 verified"));
  EXPECT_EQ(Verify().code, 0);
  AlterRecord(3, "3.9", "4.9");  // of 00427
  replay = Replay();
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("1 verified"));
  EXPECT_THAT(replay.out, HasSubstr("FAILED      weather/00427/"));
}

TEST_F(ReplayTest, WrongUseIsExplained) {
  Outcome outcome = RunProcess(Binary(kWindproof), {"replay"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--pipeline"));
  outcome = RunProcess(Binary(kWindproof), {"replay", "--pipeline", "weather"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--data-dir"));
  EXPECT_EQ(Replay({"--from", "yesterday"}).code, 2);
  EXPECT_EQ(Replay({"--key", "none"}).code, 3);
}

}  // namespace
}  // namespace windproof
