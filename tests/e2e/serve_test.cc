// `windproof serve` as its users have it: a process with a data folder.

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "tests/e2e/client.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::HasSubstr;

const char kWindproof[] = "services/windproof/windproof";

std::unique_ptr<Process> Serve(const std::string& data_dir,
                               std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"serve", "--data-dir", data_dir,
                                        "--listen", "127.0.0.1:0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return std::make_unique<Process>(Binary(kWindproof), arguments);
}

HealthCheckResponse::ServingStatus HealthOf(const std::string& address,
                                            const std::string& name) {
  const auto health = Health::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service(name);
  HealthCheckResponse response;
  const grpc::Status status = health->Check(&context, request, &response);
  return status.ok() ? response.status() : HealthCheckResponse::UNKNOWN;
}

// What `path` of the HTTP server says, head and body.
std::string HttpGet(const std::string& address, const std::string& path) {
  return RunProcess("/usr/bin/curl",
                    {"-s", "-i", absl::StrCat("http://", address, path)})
      .out;
}

TEST(ServeTest, RecordsBecomeVerifiedWindowsAlsoAfterARestart) {
  const std::string data_dir = FreshPath("data");
  {
    const auto server = Serve(data_dir);
    ASSERT_TRUE(server->WaitReady()) << server->err();
    Client client(server->grpc());
    const grpc::Status published = client.Publish(OneClosedWindow());
    ASSERT_TRUE(published.ok()) << published.error_message();
    ASSERT_EQ(client.WaitAnchored(1).size(), 1u) << server->err();
    const v1::VerifyWindowResponse verified = client.Verify(12);
    EXPECT_EQ(verified.verdict(), v1::VerifyWindowResponse::VERIFIED)
        << verified.DebugString();
    EXPECT_EQ(verified.records(), 3);
    EXPECT_EQ(server->Stop(), 0) << server->err();
  }
  const auto server = Serve(data_dir);
  ASSERT_TRUE(server->WaitReady()) << server->err();
  Client client(server->grpc());
  // The window of 13:00 was open when the server ended.
  const grpc::Status published =
      client.Publish({Reading("13:30", 2), Reading("15:00", 1)});
  ASSERT_TRUE(published.ok()) << published.error_message();
  const std::vector<v1::LedgerItem> items = client.WaitAnchored(2);
  ASSERT_EQ(items.size(), 2u) << server->err();
  EXPECT_THAT(items[1].checkpoint(), HasSubstr(R"("seq":"1")"));
  EXPECT_EQ(client.Windows().size(), 2u);
  for (const int hour : {12, 13}) {
    const v1::VerifyWindowResponse verified = client.Verify(hour);
    EXPECT_EQ(verified.verdict(), v1::VerifyWindowResponse::VERIFIED)
        << verified.DebugString();
  }
  EXPECT_EQ(client.Verify(13).records(), 2);
  EXPECT_EQ(server->Stop(), 0);
}

TEST(ServeTest, KilledAfterTheReplyItStillHasTheRecords) {
  const std::string data_dir = FreshPath("data");
  {
    const auto server = Serve(data_dir);
    ASSERT_TRUE(server->WaitReady()) << server->err();
    ASSERT_TRUE(Client(server->grpc()).Publish(OneClosedWindow()).ok());
    server->Signal(SIGKILL);
    EXPECT_EQ(server->Wait(), 128 + SIGKILL);
  }
  const auto server = Serve(data_dir);
  ASSERT_TRUE(server->WaitReady()) << server->err();
  Client client(server->grpc());
  ASSERT_EQ(client.WaitAnchored(1).size(), 1u) << server->err();
  EXPECT_EQ(client.Verify(12).verdict(), v1::VerifyWindowResponse::VERIFIED);
}

TEST(ServeTest, HealthNamesEveryServiceAndTurnsBeforeTheEnd) {
  const auto server = Serve(FreshPath("data"));
  ASSERT_TRUE(server->WaitReady()) << server->err();
  for (const char* name :
       {"", "liveness", "windproof.v1.IngestService",
        "windproof.v1.WindowHashService", "windproof.v1.AnchorService",
        "windproof.v1.VerifierService"}) {
    EXPECT_EQ(HealthOf(server->grpc(), name), HealthCheckResponse::SERVING)
        << name;
  }
  EXPECT_EQ(HealthOf(server->grpc(), "windproof.v1.NoSuchService"),
            HealthCheckResponse::UNKNOWN);

  const auto health = Health::NewStub(
      grpc::CreateChannel(server->grpc(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto watch = health->Watch(&context, HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server->Signal(SIGTERM);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(server->Wait(), 0) << server->err();
}

TEST(ServeTest, AStreamThatNeverEndsDoesNotHoldAShutdown) {
  const auto server = Serve(FreshPath("data"), {"--drain-ms", "600000"});
  ASSERT_TRUE(server->WaitReady()) << server->err();
  Client client(server->grpc());
  ASSERT_TRUE(client.Publish(OneClosedWindow()).ok());
  const auto anchor = v1::AnchorService::NewStub(client.channel());
  grpc::ClientContext context;
  const auto watch =
      anchor->WatchCheckpoints(&context, v1::WatchCheckpointsRequest());
  v1::LedgerItem item;
  ASSERT_TRUE(watch->Read(&item));  // the stream is on
  EXPECT_EQ(server->Stop(), 0) << server->err();
  EXPECT_FALSE(watch->Read(&item));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(ServeTest, SigintEndsItToo) {
  const auto server = Serve(FreshPath("data"));
  ASSERT_TRUE(server->WaitReady()) << server->err();
  server->Signal(SIGINT);
  EXPECT_EQ(server->Wait(), 0) << server->err();
}

TEST(ServeTest, ASecondProcessOnTheSameFolderIsTold) {
  const std::string data_dir = FreshPath("data");
  const auto first = Serve(data_dir);
  ASSERT_TRUE(first->WaitReady()) << first->err();
  const auto second = Serve(data_dir);
  EXPECT_EQ(second->Wait(), 2);
  EXPECT_THAT(second->err(),
              HasSubstr(absl::StrCat("is in use by process ", first->pid())));
  EXPECT_EQ(first->Stop(), 0);
}

TEST(ServeTest, APortThatIsTakenIsNamed) {
  const auto first = Serve(FreshPath("data"));
  ASSERT_TRUE(first->WaitReady()) << first->err();
  Process second(Binary(kWindproof), {"serve", "--data-dir", FreshPath("data"),
                                      "--listen", first->grpc()});
  EXPECT_EQ(second.Wait(), 2);
  EXPECT_THAT(second.err(),
              HasSubstr(absl::StrCat("cannot listen on ", first->grpc())));
}

TEST(ServeTest, MetricsHealthAndNothingElseAreOnTheHttpPort) {
  const auto server =
      Serve(FreshPath("data"), {"--http-listen", "127.0.0.1:0"});
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ASSERT_FALSE(server->http().empty());
  Client client(server->grpc());
  ASSERT_TRUE(client.Publish(OneClosedWindow()).ok());
  ASSERT_EQ(client.WaitAnchored(1).size(), 1u);

  const std::string page = HttpGet(server->http(), "/metrics");
  EXPECT_THAT(page, HasSubstr("200 OK"));
  EXPECT_THAT(page, HasSubstr("windproof_anchor_checkpoints_total 1\n"));
  EXPECT_THAT(page, HasSubstr("windproof_rpc_calls_total{method=\"/windproof."
                              "v1.IngestService/PublishRecords\",code=\"OK\"} "
                              "1\n"));
  EXPECT_THAT(page, HasSubstr("windproof_build_info{version=\""));
  EXPECT_THAT(HttpGet(server->http(), "/healthz"), HasSubstr("200 OK"));
  EXPECT_THAT(HttpGet(server->http(), "/readyz"), HasSubstr("200 OK"));
  EXPECT_THAT(HttpGet(server->http(), "/"), HasSubstr("404 Not Found"));

  // The promise is 256 MiB under load; without any it is far below.
  const size_t at = page.find("\nprocess_resident_memory_bytes ");
  ASSERT_NE(at, std::string::npos);
  double resident = 0;
  const std::string line =
      page.substr(at + 1, page.find('\n', at + 1) - at - 1);
  ASSERT_TRUE(absl::SimpleAtod(line.substr(line.find(' ') + 1), &resident));
  EXPECT_LT(resident, 256.0 * (1 << 20));
}

TEST(ServeTest, LogsAreJsonLinesOrText) {
  const auto json = Serve(FreshPath("data"));
  ASSERT_TRUE(json->WaitReady());
  EXPECT_EQ(json->Stop(), 0);
  for (const absl::string_view line :
       absl::StrSplit(json->err(), '\n', absl::SkipEmpty())) {
    EXPECT_THAT(std::string(line), testing::StartsWith("{\"ts\":\"20"));
    EXPECT_THAT(std::string(line), testing::EndsWith("}"));
  }
  EXPECT_THAT(json->err(), HasSubstr("\"msg\":\"serving\""));

  const auto text = Serve(FreshPath("data"), {"--log-format=text"});
  ASSERT_TRUE(text->WaitReady());
  EXPECT_EQ(text->Stop(), 0);
  EXPECT_THAT(text->err(),
              HasSubstr(" info windproof: serving grpc=127.0.0.1"));
}

TEST(ServeTest, KeysArePrivateAndTrustIsTheirs) {
  const std::string data_dir = FreshPath("data");
  const auto server = Serve(data_dir);
  ASSERT_TRUE(server->WaitReady()) << server->err();
  EXPECT_EQ(server->Stop(), 0);
  const std::string trust = FileContent(data_dir + "/trust.json");
  for (const char* role : {"producer", "ledger"}) {
    const std::string key = absl::StrCat(data_dir, "/keys/", role);
    struct stat info;
    ASSERT_EQ(stat((key + ".pem").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    std::string vkey = FileContent(key + ".vkey");
    absl::StripTrailingAsciiWhitespace(&vkey);
    EXPECT_THAT(trust, HasSubstr(absl::StrCat("\"", vkey, "\"")));
  }
}

TEST(ServeTest, KeysAndTrustOfDifferentFoldersAreRefused) {
  const std::string mine = FreshPath("data");
  const std::string other = FreshPath("data");
  for (const std::string& data_dir : {mine, other}) {
    const auto server = Serve(data_dir);
    ASSERT_TRUE(server->WaitReady()) << server->err();
    EXPECT_EQ(server->Stop(), 0);
  }
  const std::string trust = FileContent(mine + "/trust.json");
  WriteContent(mine + "/trust.json", FileContent(other + "/trust.json"));
  const auto mismatch = Serve(mine);
  EXPECT_EQ(mismatch->Wait(), 2);
  EXPECT_THAT(mismatch->err(), HasSubstr("trust.json trusts the ledger"));
  EXPECT_THAT(mismatch->err(), HasSubstr("ledger.pem"));

  WriteContent(mine + "/trust.json", trust);
  WriteContent(mine + "/keys/producer.pem", "no key");
  const auto no_key = Serve(mine);
  EXPECT_EQ(no_key->Wait(), 2);
  EXPECT_THAT(no_key->err(), HasSubstr("producer.pem is no Ed25519 private"));
}

TEST(ServeTest, ASpecThatChangedIsRefused) {
  const std::string data_dir = FreshPath("data");
  const std::string spec = FreshPath("spec.json");
  const auto with_window = [&](const std::string& window_ms) {
    WriteContent(spec, absl::StrCat(R"({"name":"mine","topics":["t"],)"
                                    R"("key_field":"k","timestamp_field":"t",)"
                                    R"("fields":{"v":"NUMBER"},"grace_ms":0,)"
                                    R"("future_skew_ms":0,"window_ms":)",
                                    window_ms, "}"));
  };
  with_window("60000");
  {
    const auto server = Serve(data_dir, {"--pipeline", spec});
    ASSERT_TRUE(server->WaitReady()) << server->err();
    EXPECT_EQ(server->Stop(), 0);
  }
  with_window("120000");
  const auto changed = Serve(data_dir, {"--pipeline", spec});
  EXPECT_EQ(changed->Wait(), 2);
  EXPECT_THAT(changed->err(), HasSubstr("mine"));
}

}  // namespace
}  // namespace windproof
