#include "common/server/http_server.h"

#include <httplib.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/server/address.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

class HttpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::Start({
        .listen = "127.0.0.1:0",
        .metrics = [] { return std::string("windproof_x 1\n"); },
        .ready = [this] { return ready_; },
    });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  httplib::Result Get(const std::string& path) {
    const absl::StatusOr<Address> address = ParseAddress(server_->address());
    return httplib::Client(address->host, address->port).Get(path.c_str());
  }

  absl::Status ready_;  // set before a call, read by the server's thread
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersThreePages) {
  EXPECT_EQ(Get("/metrics")->body, "windproof_x 1\n");
  EXPECT_EQ(Get("/healthz")->status, 200);
  EXPECT_EQ(Get("/readyz")->status, 200);
}

TEST_F(HttpServerTest, SaysWhyItIsNotReady) {
  ready_ = absl::UnavailableError("the log is away");
  const httplib::Result got = Get("/readyz");
  EXPECT_EQ(got->status, 503);
  EXPECT_EQ(got->body, "the log is away\n");
  EXPECT_EQ(Get("/healthz")->status, 200);
}

TEST_F(HttpServerTest, OtherPathsAreNotFound) {
  for (const char* path : {"/", "/metrics/", "/etc/passwd", "/../metrics"}) {
    EXPECT_EQ(Get(path)->status, 404) << path;
  }
}

TEST_F(HttpServerTest, APortThatIsTakenIsNamed) {
  const absl::Status second =
      HttpServer::Start({.listen = server_->address(),
                         .metrics = [] { return std::string(); },
                         .ready = [] { return absl::OkStatus(); }})
          .status();
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  EXPECT_NE(second.message().find(server_->address()), std::string::npos);
}

TEST_F(HttpServerTest, AnAddressThatIsNoneIsRefused) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(HttpServer::Start({.listen = "here"}).status()));
}

}  // namespace
}  // namespace windproof
