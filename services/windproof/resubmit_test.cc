#include "services/windproof/resubmit.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/ed25519.h"
#include "common/proto/convert.h"
#include "gtest/gtest.h"
#include "services/anchor/anchor_module.h"
#include "services/anchor/testing/checkpoints.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

// Lists windows, a few a page.
class Windows final : public v1::WindowHashService::Service {
 public:
  grpc::Status ListWindows(grpc::ServerContext*,
                           const v1::ListWindowsRequest* request,
                           v1::ListWindowsResponse* response) override {
    if (request->pipeline() != "weather") {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no pipeline");
    }
    size_t i =
        request->page_token().empty() ? 0 : std::stoul(request->page_token());
    for (; i < windows.size(); ++i) {
      if (response->windows_size() == 3) {
        response->set_next_page_token(absl::StrCat(i));
        break;
      }
      *response->add_windows() = windows[i];
    }
    return grpc::Status::OK;
  }

  std::vector<v1::Window> windows;
};

class ResubmitTest : public testing::Test {
 protected:
  ResubmitTest() {
    AnchorModule::Options options;
    options.ledger_path = dir_.path() + "/ledger";
    options.ledger_name = "windproof/ledger-test";
    anchor_ = *AnchorModule::Open(options, *Ed25519PrivateKey::Generate());
    grpc::ServerBuilder builder;
    builder.RegisterService(anchor_->service());
    builder.RegisterService(&windows_);
    server_ = builder.BuildAndStart();
    window_stub_ =
        v1::WindowHashService::NewStub(server_->InProcessChannel({}));
    anchor_stub_ = v1::AnchorService::NewStub(server_->InProcessChannel({}));
  }
  ~ResubmitTest() override { server_->Shutdown(); }

  void AddWindow(const std::string& checkpoint) {
    v1::Window window;
    window.mutable_checkpoint()->set_checkpoint(checkpoint);
    window.mutable_checkpoint()->set_signature(std::string(64, 's'));
    window.mutable_checkpoint()->set_signer("producer");
    windows_.windows.push_back(window);
  }

  grpc::Status Resubmit(const std::string& pipeline = "weather") {
    result_ = Resubmitted();
    return ResubmitPipeline(pipeline, *window_stub_, *anchor_stub_, &result_,
                            &culprit_);
  }

  Windows windows_;
  Resubmitted result_;
  std::string culprit_;

 private:
  TempDir dir_;
  std::unique_ptr<AnchorModule> anchor_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::WindowHashService::Stub> window_stub_;
  std::unique_ptr<v1::AnchorService::Stub> anchor_stub_;
};

TEST_F(ResubmitTest, EveryKeyInOrderOfSeq) {
  for (const char* key : {"a", "b"}) {
    std::vector<Checkpoint> chain = CheckpointChain(key, 5);
    // As an amendment's: its window stands before those written earlier.
    std::swap(chain[1], chain[3]);
    for (const Checkpoint& checkpoint : chain) {
      AddWindow(EncodeCheckpoint(checkpoint));
    }
  }
  ASSERT_TRUE(Resubmit().ok());
  EXPECT_EQ(result_.keys, 2);
  EXPECT_EQ(result_.checkpoints, 10);
  EXPECT_EQ(result_.anchored, 10);
  // Once more changes nothing.
  ASSERT_TRUE(Resubmit().ok());
  EXPECT_EQ(result_.anchored, 10);
}

TEST_F(ResubmitTest, WhatCannotBeReadIsCountedAndWhatIsRefusedIsTold) {
  AddWindow("no checkpoint");
  EXPECT_TRUE(Resubmit().ok());
  EXPECT_EQ(result_.unreadable, 1);
  EXPECT_EQ(Resubmit("other").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(culprit_, "window-hash");
  AddWindow(EncodeCheckpoint(CheckpointChain("a", 2)[1]));
  EXPECT_EQ(Resubmit().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(culprit_, "anchor");
}

}  // namespace
}  // namespace windproof
