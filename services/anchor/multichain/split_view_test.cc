// Two nodes that show different things, and an anchor that only reads: on two
// stand-in nodes.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "common/canonical/json_value.h"
#include "gtest/gtest.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/anchor/anchor_module.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/multichain/rocks_mirror_store.h"
#include "services/anchor/multichain/split_watch.h"
#include "services/anchor/multichain/stream_view.h"
#include "services/anchor/multichain/testing/chain_fixture.h"
#include "services/anchor/testing/temp_dir.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {
namespace {

class SplitViewTest : public ::testing::Test {
 protected:
  // A second node with a wallet of its own, and the ledger comparing both.
  void Compare(int64_t confirmations) {
    ASSERT_TRUE(fixture_.ledger().State().ok());
    ASSERT_TRUE(
        fixture_.ledger().Publish({ChainFixture::Draft("before")}).ok());
    node().MineBlocks(3);
    FakeNode::Options options;
    options.wallet_seed = "another";
    auto other = node().Fork(options);
    ASSERT_TRUE(other.ok()) << other.status();
    other_ = *std::move(other);
    fixture_.config().confirmations = confirmations;
    fixture_.config().compare_urls = {other_->url()};
    fixture_.config().compare_user = other_->options().user;
    fixture_.config().compare_password = other_->options().password;
    fixture_.Open();
    ASSERT_TRUE(Agreed(node().height() - confirmations + 1));
  }

  ChainState Now() {
    const auto state = fixture_.ledger().State();
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state->chain : ChainState();
  }
  bool Agreed(int64_t height) {
    return ChainFixture::Eventually(
        [&] { return Now().agreed_height == height; });
  }

  FakeNode& node() { return fixture_.node(); }

  ChainFixture fixture_;
  std::unique_ptr<FakeNode> other_;
};

TEST_F(SplitViewTest, ANodeThatLagsIsNone) {
  Compare(1);
  const int64_t both = node().height();
  ASSERT_TRUE(fixture_.ledger().Publish({ChainFixture::Draft("new")}).ok());
  node().MineBlocks(5);
  ASSERT_EQ(fixture_.All()[1].confirmations, 5);
  EXPECT_TRUE(Agreed(both));
  ASSERT_TRUE(other_->SyncFrom(node()).ok());
  EXPECT_TRUE(Agreed(both + 5));
  EXPECT_EQ(Now().split_views, 0);
  EXPECT_EQ(Now().split_view, "");
  EXPECT_FALSE(fixture_.All(true)[1].chain->split.has_value());
}

TEST_F(SplitViewTest, OtherBlocksAtOneHeightAreOneAndBothViewsAreKept) {
  Compare(2);
  const int64_t fork = node().height() + 1;
  ASSERT_TRUE(fixture_.ledger().Publish({ChainFixture::Draft("after")}).ok());
  node().MineBlocks(2);
  other_->MineBlocks(1);
  // The other branch has one confirmation only.
  EXPECT_TRUE(Agreed(fork - 1));
  EXPECT_EQ(Now().split_view, "");
  other_->MineBlocks(1);
  ASSERT_TRUE(
      ChainFixture::Eventually([&] { return !Now().split_view.empty(); }));
  EXPECT_TRUE(absl::StrContains(Now().split_view, other_->url()));
  EXPECT_EQ(Now().split_views, 1);
  const std::vector<LedgerItem> items = fixture_.All(true);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_FALSE(items[0].chain->split.has_value());
  ASSERT_TRUE(items[1].chain->split.has_value());
  EXPECT_EQ(items[1].chain->split->height, fork);
  EXPECT_EQ(items[1].chain->split->block_hash, items[1].chain->block_hash);
  EXPECT_NE(items[1].chain->split->other_block_hash,
            items[1].chain->block_hash);

  ASSERT_TRUE(ChainFixture::Eventually(
      [&] { return fixture_.Warned("both views are in"); }));
  std::vector<std::filesystem::path> files;
  for (const auto& file :
       std::filesystem::directory_iterator(fixture_.folder() + "/split-view")) {
    files.push_back(file.path());
  }
  ASSERT_EQ(files.size(), 1u);
  std::ifstream file(files[0]);
  const auto evidence =
      ParseJson(std::string(std::istreambuf_iterator<char>(file), {}));
  ASSERT_TRUE(evidence.ok()) << evidence.status();
  EXPECT_EQ(evidence->Find("height")->number, fork);
  const std::vector<JsonValue>& views = evidence->Find("views")->elements;
  ASSERT_EQ(views.size(), 2u);
  const JsonValue& ours = views[0].Find("blocks")->elements[0];
  const JsonValue& theirs = views[1].Find("blocks")->elements[0];
  EXPECT_EQ(ours.Find("hash")->string, items[1].chain->block_hash);
  EXPECT_EQ(ours.Find("header")->string.size(), 160u);
  EXPECT_EQ(theirs.Find("hash")->string,
            items[1].chain->split->other_block_hash);
  EXPECT_EQ(theirs.Find("header")->string.size(), 160u);
  ASSERT_EQ(ours.Find("items")->elements.size(), 1u);
  EXPECT_EQ(ours.Find("items")->elements[0].Find("txid")->string,
            items[1].txid);
  EXPECT_FALSE(
      ours.Find("items")->elements[0].Find("transaction")->string.empty());
  EXPECT_TRUE(theirs.Find("items")->elements.empty());

  // The nodes meet again: the alarm ends, the evidence stays.
  node().MineBlocks(3);
  ASSERT_TRUE(other_->SyncFrom(node()).ok());
  ASSERT_TRUE(
      ChainFixture::Eventually([&] { return Now().split_view.empty(); }));
  EXPECT_TRUE(ChainFixture::Eventually(
      [&] { return fixture_.Warned("SPLIT_VIEW has ended"); }));
  EXPECT_EQ(Now().split_views, 1);
  EXPECT_FALSE(fixture_.All(true)[1].chain->split.has_value());
  EXPECT_TRUE(std::filesystem::exists(files[0]));
}

// Hides every item of the stream.
class HidingRpc final : public JsonRpc {
 public:
  explicit HidingRpc(std::unique_ptr<JsonRpc> inner)
      : inner_(std::move(inner)) {}
  RpcReply Call(absl::string_view method, absl::string_view params) override {
    RpcReply reply = inner_->Call(method, params);
    if (method == "liststreamitems") reply.result.elements.clear();
    return reply;
  }
  void Cancel() override { inner_->Cancel(); }

 private:
  const std::unique_ptr<JsonRpc> inner_;
};

TEST_F(SplitViewTest, ANodeThatHidesItemsOfABlockIsSeen) {
  ASSERT_TRUE(fixture_.ledger().State().ok());
  ASSERT_TRUE(fixture_.ledger().Publish({ChainFixture::Draft("a")}).ok());
  node().MineBlock();
  const std::vector<LedgerItem> items = fixture_.All(true);
  MultiChainConfig config = fixture_.config();
  config.address.clear();  // an auditor's
  auto ours = OpenNodeRpc(config);
  auto theirs = OpenNodeRpc(config);
  ASSERT_TRUE(ours.ok() && theirs.ok());
  TempDir dir;
  StreamNode our_node(**ours, config.stream, "");
  auto store = RocksMirrorStore::Open(dir.path() + "/ours");
  ASSERT_TRUE(store.ok());
  const auto steady = [] { return int64_t{1}; };
  auto view = StreamView::Open({.config = config,
                                .steady_ms = steady,
                                .warn = nullptr,
                                .also_check = nullptr},
                               *std::move(store), our_node);
  ASSERT_TRUE(view.ok()) << view.status();
  SplitWatch::Options options{
      .config = config,
      .url = "http://liar:1",
      .mirror_path = dir.path() + "/theirs",
      .evidence_path = dir.path() + "/evidence",
      .poll_ms = 20,
      .now_ms = steady,
      .steady_ms = steady,
      .warn = nullptr,
      .rpc = std::make_unique<HidingRpc>(*std::move(theirs))};
  auto watch = SplitWatch::Open(std::move(options), our_node, **view);
  ASSERT_TRUE(watch.ok()) << watch.status();
  ASSERT_TRUE(ChainFixture::Eventually(
      [&] { return (*watch)->Current().has_value(); }));
  const SplitView split = *(*watch)->Current();
  EXPECT_TRUE(split.height_only);
  EXPECT_EQ(split.height, items[0].chain->height);
  EXPECT_TRUE(absl::StrContains(split.what, items[0].txid)) << split.what;
}

// The auditor's anchor: no address, no permissions, beside a node of its own.
TEST_F(SplitViewTest, AnAnchorThatOnlyReadsServesAndRefuses) {
  Compare(1);
  AnchorModule::Options options;
  options.multichain = fixture_.config();
  options.multichain->urls = {other_->url()};
  options.multichain->address.clear();
  options.multichain->create_stream = false;
  options.multichain->compare_urls = {node().url()};
  TempDir dir;
  options.multichain_path = dir.path() + "/multichain";
  auto module = AnchorModule::OpenMultiChain(std::move(options));
  ASSERT_TRUE(module.ok()) << module.status();
  ASSERT_TRUE((*module)->Start().ok());
  grpc::ServerBuilder builder;
  builder.RegisterService((*module)->service());
  const auto server = builder.BuildAndStart();
  const auto stub = v1::AnchorService::NewStub(server->InProcessChannel({}));
  EXPECT_TRUE((*module)->Ready().ok()) << (*module)->Ready();
  {
    grpc::ClientContext context;
    v1::ListCheckpointsResponse response;
    ASSERT_TRUE(stub->ListCheckpoints(&context, {}, &response).ok());
    ASSERT_EQ(response.items_size(), 1);
    EXPECT_EQ(response.items(0).checkpoint(), "before");
    EXPECT_FALSE(response.items(0).chain().header().empty());
  }
  {
    grpc::ClientContext context;
    v1::SubmitCheckpointsResponse response;
    const grpc::Status status =
        stub->SubmitCheckpoints(&context, {}, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_TRUE(absl::StrContains(status.error_message(), "--read-only"));
  }
  // The nodes part, and it says so.
  node().MineBlocks(2);
  other_->MineBlocks(2);
  ASSERT_TRUE(ChainFixture::Eventually([&] {
    grpc::ClientContext context;
    v1::LedgerStatus status;
    return stub->GetLedgerStatus(&context, {}, &status).ok() &&
           !status.chain().split_view().empty();
  }));
  bool raised = false;
  for (const Metric& metric : (*module)->Metrics()) {
    if (metric.name == "windproof_anchor_split_view")
      raised = metric.value == 1;
  }
  EXPECT_TRUE(raised);
  (*module)->StopIntake();
  server->Shutdown();
  (*module)->Shutdown(std::chrono::steady_clock::now());
}

}  // namespace
}  // namespace windproof
