// `windproof verify --data-dir` of stores that lack a part, or have a damaged
// one: what can be checked is checked, what cannot says why.

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

void Halve(const fs::path& file) {
  fs::resize_file(file, fs::file_size(file) / 2);
}

// Halves every file of a store with such a name; the number of them.
int HalveAll(const std::string& store,
             const std::function<bool(const std::string& name)>& chosen) {
  int halved = 0;
  for (const auto& file : fs::directory_iterator(store)) {
    if (!chosen(file.path().filename().string())) continue;
    Halve(file.path());
    ++halved;
  }
  return halved;
}

bool IsTable(const std::string& name) { return absl::EndsWith(name, ".sst"); }
bool IsManifest(const std::string& name) {
  return absl::StartsWith(name, "MANIFEST-");
}

// The result of a check and its reason: "SKIPPED: …".
std::string Check(const JsonValue& verdict, absl::string_view name) {
  for (const JsonValue& check : verdict.Find("checks")->elements) {
    if (Text(check, {"name"}) != name) continue;
    const std::string reason = Text(check, {"reason"});
    return absl::StrCat(Text(check, {"result"}), reason.empty() ? "" : ": ",
                        reason);
  }
  return "not there";
}

// One store for all cases, made once; each case damages a copy.
class DamagedStoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string records = FreshPath("records.jsonl");
    std::string lines;
    for (const char* time : {"12:00", "12:30", "13:00", "14:20"}) {
      absl::StrAppend(&lines, R"({"station_id":"00433","temperature":1.5,)",
                      R"("timestamp":"2026-01-25T)", time, ":00Z\"}\n");
    }
    WriteContent(records, lines);
    TestServer server("weather");
    const Outcome ingest =
        server.Run({"ingest", "json", "--topic", "weather.00433", records});
    ASSERT_EQ(ingest.code, 0) << ingest.err;
    ASSERT_EQ(server.Stop(), 0);
    // A second start moves what the first wrote from its log into tables.
    Process again(
        Binary("services/windproof/windproof"),
        {"serve", "--data-dir", server.data_dir(), "--listen", "127.0.0.1:0"});
    ASSERT_TRUE(again.WaitReady()) << again.err();
    ASSERT_EQ(again.Stop(), 0) << again.err();
    store_ = new std::string(server.data_dir());
  }

  static void TearDownTestSuite() { delete store_; }

  void SetUp() override {
    fs::copy(*store_, copy_, fs::copy_options::recursive);
  }

  std::string Part(absl::string_view name) const {
    return absl::StrCat(copy_, "/", name);
  }

  Outcome Verify(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"verify", "--all", "--data-dir",
                                          copy_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Windproof(arguments);
  }

  // Both windows are INCOMPLETE and `skipped` says `why`; `passes` passes.
  void ExpectIncomplete(absl::string_view skipped, const std::string& why,
                        absl::string_view passes) const {
    const Outcome got = Verify({"--output", "json"});
    EXPECT_EQ(got.code, 3) << got.err;
    EXPECT_THAT(got.err, HasSubstr(why));
    const std::vector<JsonValue> verdicts = JsonLines(got.out);
    EXPECT_EQ(verdicts.size(), 2U) << got.err;
    for (const JsonValue& verdict : verdicts) {
      EXPECT_EQ(Text(verdict, {"verdict"}), "INCOMPLETE") << got.out;
      EXPECT_THAT(Check(verdict, skipped),
                  AllOf(HasSubstr("SKIPPED"), HasSubstr(why)));
      EXPECT_EQ(Check(verdict, passes), "PASS") << got.out;
    }
  }

  static std::string* store_;
  const std::string copy_ = FreshPath("copy");
};

std::string* DamagedStoreTest::store_ = nullptr;

TEST_F(DamagedStoreTest, WithoutTheFolderItIsWrongUse) {
  fs::remove_all(copy_);
  const Outcome got = Verify();
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, AllOf(HasSubstr(copy_), HasSubstr("does not exist")));
}

TEST_F(DamagedStoreTest, TheLogIsNotNeeded) {
  fs::remove_all(Part("log"));
  const Outcome got = Verify();
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr("2 verified"));
  EXPECT_THAT(got.err, HasSubstr(absl::StrCat("no folder ", Part("log"))));
}

TEST_F(DamagedStoreTest, WithoutALedgerNothingIsAnchored) {
  fs::remove_all(Part("ledger"));
  ExpectIncomplete("ANCHOR",
                   absl::StrCat("there is no folder ", Part("ledger")),
                   "COMPLETENESS");
}

TEST_F(DamagedStoreTest, WithoutWindowsTheChainIsChecked) {
  fs::remove_all(Part("window_hash"));
  ExpectIncomplete("COMPLETENESS",
                   absl::StrCat("there is no folder ", Part("window_hash")),
                   "SIGNATURE");
  const Outcome one = Windproof(
      {"verify", "weather/00433/2026-01-25T12:00:00Z", "--data-dir", copy_});
  EXPECT_EQ(one.code, 3);
  EXPECT_THAT(one.out, HasSubstr("INCOMPLETE"));
}

TEST_F(DamagedStoreTest, WithoutBothThereIsNothingToList) {
  fs::remove_all(Part("window_hash"));
  fs::remove_all(Part("ledger"));
  const Outcome got = Verify();
  EXPECT_EQ(got.code, 3);
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err,
              AllOf(HasSubstr("nothing can be listed"),
                    HasSubstr(Part("window_hash")), HasSubstr(Part("ledger"))));
}

TEST_F(DamagedStoreTest, ATruncatedLedgerIsNoLedger) {
  ASSERT_GT(HalveAll(Part("ledger"), IsTable), 0);
  ExpectIncomplete("ANCHOR",
                   absl::StrCat("the store in ", Part("ledger"), " is damaged"),
                   "COMPLETENESS");
}

// What RocksDB can still open has lost entries that the head is of.
TEST_F(DamagedStoreTest, ALedgerWithHalfAManifestIsNeverGood) {
  ASSERT_GT(HalveAll(Part("ledger"), IsManifest), 0);
  const Outcome got = Verify();
  EXPECT_THAT(got.code, AnyOf(1, 3)) << got.out << got.err;
  EXPECT_THAT(got.err, HasSubstr("ledger"));
}

TEST_F(DamagedStoreTest, AFolderWithoutAStoreIsNoLedger) {
  fs::remove(Part("ledger/CURRENT"));
  ExpectIncomplete("ANCHOR", "its file CURRENT is missing", "COMPLETENESS");
}

TEST_F(DamagedStoreTest, NothingIsMadeInAStoppedStore) {
  fs::remove_all(Part("window_hash"));
  fs::remove_all(Part("log"));
  EXPECT_EQ(Verify().code, 3);
  EXPECT_FALSE(fs::exists(Part("window_hash")));
  EXPECT_FALSE(fs::exists(Part("log")));
}

TEST_F(DamagedStoreTest, TruncatedWindowsAreNoWindows) {
  ASSERT_GT(HalveAll(Part("window_hash"), IsTable), 0);
  ExpectIncomplete(
      "COMPLETENESS",
      absl::StrCat("the store in ", Part("window_hash"), " is damaged"),
      "SIGNATURE");
}

TEST_F(DamagedStoreTest, WithoutATrustFileNobodyIsBelieved) {
  fs::rename(Part("trust.json"), Part("moved.json"));
  const Outcome got = Verify();
  EXPECT_EQ(got.code, 2) << "the user has to name one";
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err,
              AllOf(HasSubstr(Part("trust.json")), HasSubstr("--trust FILE")));
  EXPECT_EQ(Verify({"--trust", Part("moved.json")}).code, 0);
  const Outcome other = Verify({"--trust", Part("none.json")});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr(Part("none.json")));
}

}  // namespace
}  // namespace windproof
