// WatchCheckpoints and receipts over a ledger whose blocks come and go: a real
// server in this process, on the stand-in node.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/anchor/anchor_service.h"
#include "services/anchor/anchorer.h"
#include "services/anchor/checkpoint_watch.h"
#include "services/anchor/multichain/testing/chain_fixture.h"
#include "services/anchor/testing/checkpoints.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {
namespace {

using fake_node::Fate;
using State = v1::Receipt;

class WatchOnChainTest : public ::testing::Test {
 protected:
  void Start(int64_t confirmations) {
    fixture_.config().confirmations = confirmations;
    fixture_.Open();
    ASSERT_TRUE(fixture_.ledger().State().ok());
    // The stream's own creation stays.
    node().MineBlocks(2);
    Anchorer::Options options;
    options.confirmations_required = confirmations;
    anchorer_ = std::make_unique<Anchorer>(options, fixture_.ledger());
    watch_ = std::make_unique<CheckpointWatch>(
        CheckpointWatch::Options{confirmations}, fixture_.ledger());
    service_ = std::make_unique<AnchorServiceImpl>(
        *anchorer_, fixture_.ledger(), *watch_, confirmations);
    watch_->Start();
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::AnchorService::NewStub(server_->InProcessChannel({}));
  }

  void TearDown() override {
    if (server_ == nullptr) return;
    watch_->Stop();
    server_->Shutdown();
  }

  v1::Receipt Submit(const Checkpoint& checkpoint) {
    v1::SubmitCheckpointsRequest request;
    v1::SignedCheckpoint* in = request.add_checkpoints();
    in->set_checkpoint(EncodeCheckpoint(checkpoint));
    in->set_signature(std::string(64, 's'));
    in->set_signer("windproof/producer-test");
    v1::SubmitCheckpointsResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        stub_->SubmitCheckpoints(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.receipts_size() == 1 ? response.receipts(0) : v1::Receipt();
  }

  v1::LedgerItem Get(const Checkpoint& checkpoint) {
    v1::GetCheckpointRequest request;
    request.mutable_window()->set_pipeline(checkpoint.pipeline);
    request.mutable_window()->set_key(checkpoint.key);
    request.mutable_window()->mutable_start()->set_seconds(
        checkpoint.window_start_ms / 1000);
    v1::GetCheckpointResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        stub_->GetCheckpoint(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.items_size() == 1 ? response.items(0) : v1::LedgerItem();
  }

  FakeNode& node() { return fixture_.node(); }

  ChainFixture fixture_;
  std::unique_ptr<Anchorer> anchorer_;
  std::unique_ptr<CheckpointWatch> watch_;
  std::unique_ptr<AnchorServiceImpl> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::AnchorService::Stub> stub_;
};

TEST_F(WatchOnChainTest, EveryChangeOfStateIsTold) {
  Start(1);
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  grpc::ClientContext context;
  const auto reader = stub_->WatchCheckpoints(&context, {});
  v1::LedgerItem item;
  const auto expect = [&](int64_t position, State::State state, int seq) {
    ASSERT_TRUE(reader->Read(&item));
    EXPECT_EQ(item.position(), position);
    EXPECT_EQ(item.state(), state) << v1::Receipt::State_Name(item.state());
    EXPECT_EQ(item.checkpoint(), EncodeCheckpoint(chain[seq]));
  };
  EXPECT_EQ(Submit(chain[0]).state(), State::PUBLISHED);
  expect(0, State::PUBLISHED, 0);
  node().MineBlock();
  expect(0, State::ANCHORED, 0);
  EXPECT_EQ(item.confirmations(), 1);
  ASSERT_TRUE(node().Reorg(1, Fate::kHeld).ok());
  expect(0, State::PUBLISHED, 0);
  EXPECT_EQ(item.confirmations(), 0);
  node().ReleaseHeld();
  node().MineBlock();
  expect(0, State::ANCHORED, 0);
  Submit(chain[1]);
  expect(1, State::PUBLISHED, 1);
  ASSERT_TRUE(node().ConflictTransaction(item.txid()).ok());
  expect(1, State::LOST, 1);
  const std::string lost = item.txid();
  // Published again, it is another item.
  expect(2, State::PUBLISHED, 1);
  EXPECT_NE(item.txid(), lost);
  node().MineBlock();
  expect(2, State::ANCHORED, 1);
  context.TryCancel();
  while (reader->Read(&item)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(WatchOnChainTest, MoreConfirmationsComeAndGoWithTheBlocksAbove) {
  Start(3);
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 1);
  Submit(chain[0]);
  node().MineBlocks(2);
  ASSERT_EQ(fixture_.All()[0].confirmations, 2);
  grpc::ClientContext context;
  const auto reader = stub_->WatchCheckpoints(&context, {});
  v1::LedgerItem item;
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_EQ(item.state(), State::PUBLISHED);
  EXPECT_EQ(item.confirmations(), 2);
  EXPECT_EQ(Get(chain[0]).state(), State::PUBLISHED);
  node().MineBlock();
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_EQ(item.state(), State::ANCHORED);
  // Repeating the call tells how it stands; the item has the evidence.
  EXPECT_EQ(Submit(chain[0]).state(), State::ANCHORED);
  const v1::LedgerItem anchored = Get(chain[0]);
  EXPECT_EQ(anchored.state(), State::ANCHORED);
  EXPECT_EQ(anchored.chain().header().size(), 80u);
  EXPECT_EQ(anchored.signer(), "windproof/producer-test");
  context.TryCancel();
  while (reader->Read(&item)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace windproof
