// Everything that a server offers, found by reflection and called with the real
// grpcurl: what an engineer without our code or protos can do.
//
// WINDPROOF_GRPCURL names the program.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/canonical/json_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kWindow[] = R"("window":{"pipeline":"weather","key":"00433",)"
                           R"("start":"2026-01-25T12:00:00Z"})";

std::string Record(absl::string_view time, absl::string_view temperature) {
  const std::string value =
      absl::StrCat(R"({"station_id":"00433","timestamp":"2026-01-25T)", time,
                   R"(:00Z","temperature":)", temperature, "}");
  return absl::StrCat(R"({"topic":"weather.00433","key":")",
                      absl::Base64Escape("00433"), R"(","value":")",
                      absl::Base64Escape(value), R"("})");
}

class GrpcurlTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* grpcurl = std::getenv("WINDPROOF_GRPCURL");
    if (grpcurl == nullptr || *grpcurl == '\0') {
      GTEST_SKIP() << "WINDPROOF_GRPCURL does not name a grpcurl";
    }
    if (access(grpcurl, X_OK) != 0) {
      GTEST_SKIP() << "WINDPROOF_GRPCURL is " << grpcurl
                   << ", which cannot be run";
    }
    grpcurl_ = grpcurl;
    server_ = std::make_unique<Process>(
        Binary("services/windproof/windproof"),
        std::vector<std::string>{"serve", "--data-dir", FreshPath("data"),
                                 "--listen", "127.0.0.1:0"});
    ASSERT_TRUE(server_->WaitReady()) << server_->err();
  }

  std::vector<std::string> Arguments(
      const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = {"-plaintext"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  // `what` follows the address: "list", "list SERVICE", "describe NAME".
  std::string Ask(const std::string& what) {
    std::vector<std::string> arguments = {server_->grpc()};
    for (const absl::string_view word : absl::StrSplit(what, ' ')) {
      arguments.emplace_back(word);
    }
    const Outcome got = RunProcess(grpcurl_, Arguments(arguments));
    EXPECT_EQ(got.code, 0) << what << ": " << got.err;
    return got.out;
  }

  std::vector<std::string> Lines(const std::string& what) {
    return absl::StrSplit(Ask(what), '\n', absl::SkipEmpty());
  }

  // Calls a method and remembers that it was called.
  Outcome Call(const std::string& method, const std::string& request) {
    called_.insert(method);
    return RunProcess(grpcurl_, Arguments({"-d", request, server_->grpc(),
                                           "windproof.v1." + method}));
  }

  // The answer of a method that must succeed.
  std::string Answer(const std::string& method, const std::string& request) {
    const Outcome got = Call(method, request);
    EXPECT_EQ(got.code, 0) << method << ": " << got.err;
    return got.out;
  }

  // Waits until the ledger has an item.
  void WaitAnchored() {
    called_.insert("AnchorService.WatchCheckpoints");
    Process watch(grpcurl_,
                  Arguments({"-d", R"({"pipeline":"weather"})", server_->grpc(),
                             "windproof.v1.AnchorService.WatchCheckpoints"}));
    std::string line;
    do {
      line = watch.ReadLine();
      ASSERT_NE(line, "") << watch.err();
    } while (!absl::StrContains(line, "\"checkpoint\""));
  }

  std::string grpcurl_;
  std::unique_ptr<Process> server_;
  std::set<std::string> called_;  // "AnchorService.GetCheckpoint"
};

TEST_F(GrpcurlTest, ListsAndDescribesEveryService) {
  const std::vector<std::string> services = Lines("list");
  EXPECT_THAT(
      services,
      UnorderedElementsAre(
          "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection",
          "windproof.v1.AnchorService", "windproof.v1.IngestService",
          "windproof.v1.VerifierService", "windproof.v1.WindowHashService"));
  for (const std::string& service : services) {
    EXPECT_THAT(Ask("describe " + service),
                HasSubstr(service + " is a service"));
    for (const std::string& method : Lines("list " + service)) {
      EXPECT_THAT(Ask("describe " + method), HasSubstr(" is a method"));
    }
  }
  EXPECT_THAT(Ask("describe windproof.v1.WindowId"),
              HasSubstr(".google.protobuf.Timestamp start = 3;"));
}

TEST_F(GrpcurlTest, HealthAnswersForEveryName) {
  for (const char* name :
       {"", "liveness", "windproof.v1.IngestService",
        "windproof.v1.WindowHashService", "windproof.v1.AnchorService",
        "windproof.v1.VerifierService"}) {
    const Outcome got = RunProcess(
        grpcurl_,
        Arguments({"-d", absl::StrCat(R"({"service":")", name, R"("})"),
                   server_->grpc(), "grpc.health.v1.Health/Check"}));
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_THAT(got.out, HasSubstr(R"("status": "SERVING")")) << name;
  }
}

TEST_F(GrpcurlTest, CallsEveryMethod) {
  // Records in, one window out.
  Answer("IngestService.PublishRecords",
         absl::StrCat(R"({"records":[)", Record("12:00", "3.1"), ",",
                      Record("12:20", "3.9"), "]}"));
  EXPECT_THAT(
      Answer("IngestService.StreamRecords",
             absl::StrCat(R"({"records":[)", Record("12:10", "3.45"),
                          R"(]} {"records":[)", Record("12:10", "3.45"), "]}")),
      HasSubstr(R"("batches": "2")"));
  EXPECT_THAT(Answer("IngestService.AdvanceWatermark",
                     R"({"topic":"weather.00433","key":"00433",)"
                     R"("watermark":"2026-01-25T13:20:00Z"})"),
              HasSubstr(R"("offset": "4")"));
  WaitAnchored();

  // What window-hash knows of it.
  const std::string window =
      Answer("WindowHashService.GetWindow", absl::StrCat("{", kWindow, "}"));
  EXPECT_THAT(window, HasSubstr(R"("end": "2026-01-25T13:00:00Z")"));
  EXPECT_THAT(
      Answer("WindowHashService.ListWindows", R"({"pipeline":"weather"})"),
      HasSubstr(R"("key": "00433")"));
  EXPECT_THAT(Answer("WindowHashService.GetWindowPayload",
                     absl::StrCat("{", kWindow, "}")),
              HasSubstr(R"("leaf_hash")"));
  EXPECT_THAT(Answer("WindowHashService.ListDroppedRecords",
                     R"({"pipeline":"weather","key":"00433"})"),
              HasSubstr(R"("reason": "DUPLICATE")"));
  EXPECT_THAT(Answer("WindowHashService.GetProgress", "{}"),
              HasSubstr(R"("position": "5")"));

  // What the ledger knows of it; submitting it again changes nothing.
  EXPECT_THAT(
      Answer("AnchorService.GetCheckpoint", absl::StrCat("{", kWindow, "}")),
      HasSubstr(R"("txid")"));
  EXPECT_THAT(
      Answer("AnchorService.ListCheckpoints", R"({"pipeline":"weather"})"),
      HasSubstr("weather/00433/2026-01-25T12:00:00Z"));
  const absl::StatusOr<JsonValue> parsed = ParseJson(window);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const JsonValue* checkpoint = parsed->Find("checkpoint");
  ASSERT_NE(checkpoint, nullptr);
  EXPECT_THAT(Answer("AnchorService.SubmitCheckpoints",
                     absl::StrCat(R"({"checkpoints":[)",
                                  CanonicalJson(*checkpoint), "]}")),
              HasSubstr(R"("state": "ANCHORED")"));
  EXPECT_THAT(Answer("AnchorService.GetLedgerStatus", "{}"),
              HasSubstr(R"("size": "1")"));
  // A head begins with itself: no hash (base64 of 32 bytes) is needed for that.
  EXPECT_THAT(Answer("AnchorService.GetConsistencyProof",
                     R"({"first_size":"1","second_size":"1"})"),
              Not(HasSubstr("=\"")));

  // What the verifier says.
  EXPECT_THAT(
      Answer("VerifierService.VerifyWindow", absl::StrCat("{", kWindow, "}")),
      HasSubstr(R"("verdict": "VERIFIED")"));
  EXPECT_THAT(
      Answer("VerifierService.VerifyRange", R"({"pipeline":"weather"})"),
      HasSubstr(R"("verified": "1")"));

  // No method was forgotten here.
  std::set<std::string> offered;
  for (const std::string& service : Lines("list")) {
    if (!absl::StartsWith(service, "windproof.")) continue;
    for (const std::string& method : Lines("list " + service)) {
      offered.insert(method.substr(std::string("windproof.v1.").size()));
    }
  }
  EXPECT_EQ(called_, offered);
}

TEST_F(GrpcurlTest, WrongRequestsAreExplained) {
  const Outcome no_topic =
      Call("IngestService.PublishRecords",
           R"({"records":[{"topic":"wind.1","value":"e30="}]})");
  EXPECT_THAT(no_topic.err, HasSubstr("Code: InvalidArgument"));
  EXPECT_THAT(no_topic.err, HasSubstr("wind.1"));
  const Outcome no_window = Call("VerifierService.VerifyWindow", "{}");
  EXPECT_THAT(no_window.err, HasSubstr("Code: InvalidArgument"));
  EXPECT_THAT(no_window.err, HasSubstr("window"));
  const Outcome never =
      Call("WindowHashService.GetWindow", absl::StrCat("{", kWindow, "}"));
  EXPECT_THAT(never.err, HasSubstr("Code: NotFound"));
}

}  // namespace
}  // namespace windproof
