// The node's faults as a client over HTTP meets them.
#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/multichain/fake_node/control.h"
#include "tests/multichain/fake_node/fake_node.h"
#include "tests/multichain/fake_node/json.h"

namespace windproof::fake_node {
namespace {

constexpr char kPublish[] =
    R"({"id":7,"method":"publish","params":["s","k",{"text":"x"}]})";
constexpr char kInfo[] = R"({"id":7,"method":"getinfo","params":[]})";

// What came back: status 0 is a connection that ended without an answer.
struct Answer {
  int status = 0;
  std::string body;
};

class FaultTest : public ::testing::Test {
 protected:
  FaultTest() { Begin({}); }

  void Begin(FakeNode::Options options) {
    node_.reset();
    auto node = FakeNode::Start(std::move(options));
    EXPECT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
    Run(R"(["stream","s",false])", "create");
    Run(R"(["s"])", "subscribe");
  }

  void Run(const char* params, const char* method) {
    const RpcResult result = node_->Call(method, *ParseJson(params));
    EXPECT_TRUE(result.ok()) << result.error->message;
  }

  Answer Post(const std::string& body,
              std::chrono::milliseconds patience = std::chrono::minutes(2)) {
    httplib::Client client("127.0.0.1", node_->port());
    client.set_basic_auth(node_->options().user, node_->options().password);
    client.set_read_timeout(patience);
    const httplib::Result got = client.Post("/", body, "application/json");
    if (!got) return {};
    return {got->status, got->body};
  }

  void Control(const char* command) {
    const absl::StatusOr<Json> done =
        RunControl(node_.get(), *ParseJson(command));
    EXPECT_TRUE(done.ok()) << done.status();
  }

  size_t Items() {
    return node_->Call("liststreamitems", *ParseJson(R"(["s",true,100,0])"))
        .value.size();
  }

  std::unique_ptr<FakeNode> node_;
};

struct ReplyCase {
  const char* name;
  const char* command;
  int status = 0;         // of the answer
  const char* body = "";  // that it contains
  size_t items = 0;       // that are there then
};

class ReplyFaultTest : public FaultTest,
                       public ::testing::WithParamInterface<ReplyCase> {};

INSTANTIATE_TEST_SUITE_P(
    All, ReplyFaultTest,
    ::testing::Values(
        ReplyCase{"LoseReply", R"({"fault":"lose_reply"})", 0, "", 1},
        ReplyCase{"DropRequest", R"({"fault":"drop_request"})", 0, "", 0},
        ReplyCase{"Half", R"({"fault":"half"})", 0, "", 1},
        ReplyCase{"Duplicate", R"({"fault":"duplicate"})", 200, "\"id\":7", 2},
        ReplyCase{"Delay", R"({"fault":"delay","number":50})", 200, "\"id\":7",
                  1},
        ReplyCase{"Slow", R"({"fault":"slow","number":50})", 200, "\"id\":7",
                  1},
        ReplyCase{"Refuse", R"({"fault":"refuse"})", 503,
                  "Work queue depth exceeded", 0},
        ReplyCase{"Html", R"({"fault":"html","number":502})", 502, "<", 0},
        ReplyCase{"NonJson", R"({"fault":"non_json","text":"oops"})", 200,
                  "oops", 1},
        ReplyCase{"OverLong", R"({"fault":"over_long","number":5000})", 200,
                  "     ", 1},
        ReplyCase{"WrongId", R"({"fault":"wrong_id"})", 200, "another one", 1},
        ReplyCase{"Error",
                  R"({"fault":"error","number":-716,"text":"no outputs"})", 500,
                  "-716", 0}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(ReplyFaultTest, IsOfOneCallAlone) {
  Control(GetParam().command);
  const Answer spoilt = Post(kPublish);
  EXPECT_EQ(spoilt.status, GetParam().status);
  EXPECT_TRUE(absl::StrContains(spoilt.body, GetParam().body)) << spoilt.body;
  EXPECT_EQ(Items(), GetParam().items);
  const Answer next = Post(kPublish);
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(Items(), GetParam().items + 1);
}

TEST_F(FaultTest, AFaultOfAMethodLeavesTheOthers) {
  Control(R"({"fault":"refuse","count":-1,"method":"publish"})");
  EXPECT_EQ(Post(kInfo).status, 200);
  EXPECT_EQ(Post(kPublish).status, 503);
  EXPECT_EQ(Post(kPublish).status, 503);
  Control(R"({"fault":"clear"})");
  EXPECT_EQ(Post(kPublish).status, 200);
}

// Four workers and a queue of sixteen: what is beyond them is told so at once.
TEST_F(FaultTest, TheWorkQueueHasAnEnd) {
  constexpr int kBeyond = 5;
  node_->Hang();
  std::atomic<int> refused{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4 + 16 + kBeyond; ++i) {
    callers.emplace_back([&] {
      if (Post(kInfo).status == 503) ++refused;
    });
  }
  while (refused.load() < kBeyond) std::this_thread::yield();
  EXPECT_TRUE(node_->Restart().ok());
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused.load(), kBeyond);
  EXPECT_EQ(Post(kInfo).status, 200);
}

TEST_F(FaultTest, AHungNodeStillCountsItsBlocks) {
  node_->Hang();
  EXPECT_EQ(Post(R"({"id":1,"method":"getblockcount"})").status, 200);
  EXPECT_EQ(Post(kInfo, std::chrono::milliseconds(100)).status, 0);
  EXPECT_TRUE(node_->Restart().ok());
  EXPECT_EQ(Post(kInfo).status, 200);
}

TEST_F(FaultTest, AStallEnds) {
  node_->Stall(50);
  EXPECT_EQ(Post(kInfo).status, 200);
}

TEST_F(FaultTest, AWarmingNodeSaysSo) {
  node_->WarmUp(3'600'000);
  const Answer answer = Post(kInfo);
  EXPECT_EQ(answer.status, 500);
  EXPECT_TRUE(absl::StrContains(answer.body, "-28")) << answer.body;
  EXPECT_TRUE(absl::StrContains(answer.body, "\"id\":0")) << answer.body;
}

TEST_F(FaultTest, ANodeThatIsDownRefusesAndComesBackWithItsChain) {
  EXPECT_EQ(Post(kPublish).status, 200);
  node_->Down();
  EXPECT_EQ(Post(kInfo).status, 0);
  ASSERT_TRUE(node_->Up().ok());
  EXPECT_EQ(Items(), 1u);
}

TEST_F(FaultTest, BlocksComeByThemselves) {
  Begin({.target_block_ms = 5});
  const uint32_t height = node_->height();
  while (node_->height() < height + 3) std::this_thread::yield();
}

TEST_F(FaultTest, AnIdleConnectionIsClosed) {
  Begin({.idle_close_ms = 50});
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(node_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  char byte = 0;
  EXPECT_EQ(recv(fd, &byte, 1, 0), 0);  // waits for the end
  close(fd);
}

TEST_F(FaultTest, RequestsWithTheRightPasswordAreCounted) {
  const int64_t before = node_->requests();
  EXPECT_EQ(Post(kInfo).status, 200);
  EXPECT_EQ(Post(kInfo).status, 200);
  EXPECT_EQ(node_->requests(), before + 2);
}

TEST_F(FaultTest, ACommandThatIsNoneIsRefused) {
  EXPECT_FALSE(
      RunControl(node_.get(), *ParseJson(R"({"fault":"explode"})")).ok());
  EXPECT_FALSE(
      RunControl(node_.get(),
                 *ParseJson(R"({"fault":"reorg","depth":1,"fate":"none"})"))
          .ok());
}

}  // namespace
}  // namespace windproof::fake_node
