// Anchor and verifier as processes of their own, beside `windproof serve`.

#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/client.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using testing::HasSubstr;

std::string Key(const std::string& data_dir, const std::string& role) {
  std::string vkey =
      FileContent(absl::StrCat(data_dir, "/keys/", role, ".vkey"));
  absl::StripTrailingAsciiWhitespace(&vkey);
  return vkey;
}

std::string TrustOf(const std::string& ledger, const std::string& producer) {
  return absl::StrCat(R"({"version":1,"ledger":{"kind":"embedded","vkey":")",
                      ledger, R"("},"producers":[")", producer, R"("]})");
}

class ServicesTest : public testing::Test {
 protected:
  void SetUp() override {
    anchor_ = std::make_unique<Process>(
        Binary("services/anchor/anchor"),
        std::vector<std::string>{"--data-dir", anchor_dir_, "--listen",
                                 "127.0.0.1:0"});
    ASSERT_TRUE(anchor_->WaitReady()) << anchor_->err();
  }

  std::unique_ptr<Process> Serve() {
    return std::make_unique<Process>(
        Binary("services/windproof/windproof"),
        std::vector<std::string>{"serve", "--data-dir", serve_dir_, "--listen",
                                 "127.0.0.1:0", "--anchor", anchor_->grpc()});
  }

  std::unique_ptr<Process> Verifier(const std::string& trust,
                                    const std::string& window_hash) {
    return std::make_unique<Process>(
        Binary("services/verifier/verifier"),
        std::vector<std::string>{"--trust", trust, "--listen", "127.0.0.1:0",
                                 "--anchor", anchor_->grpc(), "--window-hash",
                                 window_hash});
  }

  const std::string anchor_dir_ = FreshPath("anchor");
  const std::string serve_dir_ = FreshPath("serve");
  std::unique_ptr<Process> anchor_;
};

TEST_F(ServicesTest, EachInItsProcessTheyVerifyWhatWasIngested) {
  // The ledger's key is not serve's to know: it asks for a trust file.
  const auto without_trust = Serve();
  EXPECT_EQ(without_trust->Wait(), 2);
  EXPECT_THAT(without_trust->err(), HasSubstr("ledger.vkey"));
  WriteContent(
      serve_dir_ + "/trust.json",
      TrustOf(Key(anchor_dir_, "ledger"), Key(serve_dir_, "producer")));

  const auto serve = Serve();
  ASSERT_TRUE(serve->WaitReady()) << serve->err();
  Client client(serve->grpc());
  const grpc::Status published = client.Publish(OneClosedWindow());
  ASSERT_TRUE(published.ok()) << published.error_message();
  ASSERT_EQ(Client(anchor_->grpc()).WaitAnchored(1).size(), 1u) << serve->err();
  EXPECT_EQ(client.Verify(12).verdict(), v1::VerifyWindowResponse::VERIFIED);

  const auto verifier = Verifier(serve_dir_ + "/trust.json", serve->grpc());
  ASSERT_TRUE(verifier->WaitReady()) << verifier->err();
  const v1::VerifyWindowResponse verified = Client(verifier->grpc()).Verify(12);
  EXPECT_EQ(verified.verdict(), v1::VerifyWindowResponse::VERIFIED)
      << verified.DebugString();

  // A verifier believes only its own trust file.
  const std::string other_dir = FreshPath("other");
  const auto other = std::make_unique<Process>(
      Binary("services/windproof/windproof"),
      std::vector<std::string>{"serve", "--data-dir", other_dir, "--listen",
                               "127.0.0.1:0"});
  ASSERT_TRUE(other->WaitReady()) << other->err();
  const auto doubter = Verifier(other_dir + "/trust.json", serve->grpc());
  ASSERT_TRUE(doubter->WaitReady()) << doubter->err();
  EXPECT_EQ(Client(doubter->grpc()).Verify(12).verdict(),
            v1::VerifyWindowResponse::FAILED);

  for (Process* process : {verifier.get(), doubter.get(), other.get(),
                           serve.get(), anchor_.get()}) {
    EXPECT_EQ(process->Stop(), 0) << process->err();
  }
}

TEST_F(ServicesTest, CheckpointsWaitWhileTheAnchorIsAway) {
  EXPECT_EQ(Serve()->Wait(), 2);  // makes the producer's key
  WriteContent(
      serve_dir_ + "/trust.json",
      TrustOf(Key(anchor_dir_, "ledger"), Key(serve_dir_, "producer")));
  const auto serve = Serve();
  ASSERT_TRUE(serve->WaitReady()) << serve->err();
  EXPECT_EQ(anchor_->Stop(), 0);
  const grpc::Status published =
      Client(serve->grpc()).Publish(OneClosedWindow());
  ASSERT_TRUE(published.ok()) << published.error_message();

  // It comes back at its address, and gets what was closed meanwhile.
  anchor_ = std::make_unique<Process>(
      Binary("services/anchor/anchor"),
      std::vector<std::string>{"--data-dir", anchor_dir_, "--listen",
                               anchor_->grpc()});
  ASSERT_TRUE(anchor_->WaitReady()) << anchor_->err();
  EXPECT_EQ(Client(anchor_->grpc()).WaitAnchored(1).size(), 1u) << serve->err();
  EXPECT_EQ(serve->Stop(), 0) << serve->err();
}

}  // namespace
}  // namespace windproof
