// The client against a socket that answers what the test says.
#include "services/anchor/multichain/json_rpc_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/sync/mutex.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// One connection as a node sees it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { close(fd_); }

  // The body of the next request; empty when the client has gone.
  std::string Request() {
    size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!More()) return "";
    }
    const std::string head = in_.substr(0, end);
    in_.erase(0, end + 4);
    size_t length = 0;
    const size_t at = head.find("Content-Length: ");
    const std::string number =
        at == std::string::npos
            ? "0"
            : head.substr(at + 16, head.find("\r\n", at) - at - 16);
    if (!absl::SimpleAtoi(number, &length)) return "";
    while (in_.size() < length) {
      if (!More()) return "";
    }
    std::string body = in_.substr(0, length);
    in_.erase(0, length);
    head_ = head;
    return body;
  }
  const std::string& head() const { return head_; }

  void Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n =
          send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<size_t>(n);
    }
  }
  // `length` may be another than the body's.
  void Answer(int status, const std::string& body, int64_t length = -1) {
    Send(absl::StrCat("HTTP/1.1 ", status, " X\r\nContent-Length: ",
                      length < 0 ? static_cast<int64_t>(body.size()) : length,
                      "\r\n\r\n", body));
  }
  // A reset, not an end.
  void Reset() {
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }

 private:
  bool More() {
    char buffer[4096];
    const ssize_t n = recv(fd_, buffer, sizeof(buffer), 0);
    if (n <= 0) return false;
    in_.append(buffer, static_cast<size_t>(n));
    return true;
  }

  const int fd_;
  std::string in_;
  std::string head_;
};

// Runs `talk` for each connection, each in a thread.
class RawServer {
 public:
  using Talk = std::function<void(Peer&, int connection)>;

  explicit RawServer(Talk talk) : talk_(std::move(talk)) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
              0);
    EXPECT_EQ(listen(fd_, 16), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~RawServer() {
    shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& talker : talkers_) talker.join();
    close(fd_);
  }

  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }
  int connections() const { return connections_.load(); }

 private:
  void Accept() {
    while (true) {
      const int fd = accept(fd_, nullptr, nullptr);
      if (fd < 0) return;
      const int connection = connections_.fetch_add(1);
      talkers_.emplace_back([this, fd, connection] {
        Peer peer(fd);
        talk_(peer, connection);
      });
    }
  }

  const Talk talk_;
  int fd_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::thread acceptor_;
  std::vector<std::thread> talkers_;
};

std::string IdOf(const std::string& request) {
  const size_t at = request.find("\"id\":") + 5;
  return request.substr(at, request.find(',', at) - at);
}

std::string Good(const std::string& request) {
  return absl::StrCat("{\"result\":1,\"error\":null,\"id\":", IdOf(request),
                      "}\n");
}

std::unique_ptr<JsonRpcClient> ClientOf(const std::string& url,
                                        int64_t timeout_ms = 60'000) {
  auto client = JsonRpcClient::Open({.url = url,
                                     .user = "me",
                                     .password = "secret",
                                     .chain_name = "wxchain",
                                     .timeout_ms = timeout_ms,
                                     .answer_bytes_max = 10'000});
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(JsonRpcClientTest, CallsShareAConnectionAndNameTheChain) {
  std::vector<std::string> bodies;
  std::string head;
  RawServer server([&](Peer& peer, int) {
    for (std::string body = peer.Request(); !body.empty();
         body = peer.Request()) {
      bodies.push_back(body);
      head = peer.head();
      peer.Answer(200, Good(body));
    }
  });
  {
    const auto client = ClientOf(server.url());
    for (int i = 0; i < 3; ++i) {
      const RpcReply reply = client->Call("getinfo", "[1]");
      ASSERT_TRUE(reply.status.ok()) << reply.status;
      EXPECT_EQ(reply.result.number, 1);
    }
  }
  EXPECT_EQ(server.connections(), 1);
  ASSERT_EQ(bodies.size(), 3u);
  EXPECT_EQ(bodies[0],
            "{\"id\":1,\"method\":\"getinfo\",\"chain_name\":\"wxchain\","
            "\"params\":[1]}");
  EXPECT_TRUE(absl::StrContains(bodies[2], "\"id\":3"));
  EXPECT_TRUE(absl::StartsWith(head, "POST / HTTP/1.1")) << head;
  EXPECT_TRUE(absl::StrContains(head, "Authorization: Basic bWU6c2VjcmV0"));
  EXPECT_FALSE(absl::StrContains(head, "Expect:"));
}

// What one answer, or what there is in its place, comes to.
struct Odd {
  const char* name;
  RawServer::Talk talk;
  absl::StatusCode code;
  RpcOutcome outcome;
};

class OddAnswerTest : public ::testing::TestWithParam<Odd> {};

TEST_P(OddAnswerTest, IsAStatusThatSaysWhatMayBeDone) {
  RawServer server(GetParam().talk);
  const auto client = ClientOf(server.url());
  const RpcReply reply = client->Call("publish", "[]");
  EXPECT_EQ(reply.status.code(), GetParam().code) << reply.status;
  EXPECT_EQ(reply.outcome, GetParam().outcome) << reply.status;
  EXPECT_FALSE(absl::StrContains(reply.status.message(), "secret"));
  // Nothing is ever sent again by itself.
  EXPECT_EQ(server.connections(), 1);
}

RawServer::Talk Answers(int status, const std::string& body,
                        int64_t length = -1) {
  return [=](Peer& peer, int) {
    if (!peer.Request().empty()) peer.Answer(status, body, length);
  };
}

INSTANTIATE_TEST_SUITE_P(
    All, OddAnswerTest,
    ::testing::Values(
        Odd{"Busy", Answers(503, "Work queue depth exceeded"),
            absl::StatusCode::kUnavailable, RpcOutcome::kNotDone},
        Odd{"WarmingUp",
            Answers(500,
                    "{\"result\":null,\"error\":{\"code\":-28,\"message\":"
                    "\"RPC server started\"},\"id\":0}\n"),
            absl::StatusCode::kUnavailable, RpcOutcome::kNotDone},
        Odd{"WrongPassword", Answers(401, ""),
            absl::StatusCode::kUnauthenticated, RpcOutcome::kPermanent},
        Odd{"WrongChain",
            Answers(400,
                    "{\"result\":null,\"error\":{\"code\":-32600,\"message\":"
                    "\"Wrong chain name\"},\"id\":0}\n"),
            absl::StatusCode::kFailedPrecondition, RpcOutcome::kPermanent},
        Odd{"Html", Answers(200, "<html>It works!</html>"),
            absl::StatusCode::kDataLoss, RpcOutcome::kUnknown},
        Odd{"OtherId",
            Answers(200, "{\"result\":1,\"error\":null,\"id\":99}\n"),
            absl::StatusCode::kDataLoss, RpcOutcome::kUnknown},
        Odd{"Half", Answers(200, "{\"result\":", 500),
            absl::StatusCode::kUnavailable, RpcOutcome::kUnknown},
        Odd{"OverLong", Answers(200, std::string(20'000, ' ')),
            absl::StatusCode::kResourceExhausted, RpcOutcome::kUnknown},
        Odd{"EndsWithoutAnswer", [](Peer& peer, int) { peer.Request(); },
            absl::StatusCode::kUnavailable, RpcOutcome::kUnknown},
        Odd{"Resets",
            [](Peer& peer, int) {
              peer.Request();
              peer.Reset();
            },
            absl::StatusCode::kUnavailable, RpcOutcome::kUnknown}),
    [](const auto& info) { return info.param.name; });

TEST(JsonRpcClientTest, ADeadConnectionIsNoSecondTry) {
  // The first call makes the connection a known one; libcurl would send the
  // second once more by itself, over a new connection, when the known one ends
  // without an answer.
  std::atomic<int> requests{0};
  {
    RawServer server([&](Peer& peer, int) {
      for (std::string body = peer.Request(); !body.empty();
           body = peer.Request()) {
        if (++requests == 2) return;
        peer.Answer(200, Good(body));
      }
    });
    const auto client = ClientOf(server.url());
    ASSERT_TRUE(client->Call("publish", "[]").status.ok());
    const RpcReply reply = client->Call("publish", "[]");
    EXPECT_EQ(reply.outcome, RpcOutcome::kUnknown) << reply.status;
  }
  EXPECT_EQ(requests.load(), 2);
}

TEST(JsonRpcClientTest, ASlowAnswerHasAnUnknownOutcome) {
  Mutex mutex;
  CondVar changed;
  bool done = false;
  RawServer server([&](Peer& peer, int) {
    peer.Request();
    MutexLock lock(mutex);
    while (!done) changed.Wait(mutex);
  });
  const auto client = ClientOf(server.url(), 200);
  const RpcReply reply = client->Call("publish", "[]");
  EXPECT_EQ(reply.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(reply.outcome, RpcOutcome::kUnknown) << reply.status;
  MutexLock lock(mutex);
  done = true;
  changed.NotifyAll();
}

TEST(JsonRpcClientTest, FourCallsAtMostAreUnderWay) {
  Mutex mutex;
  CondVar changed;
  int waiting = 0;
  bool go = false;
  RawServer server([&](Peer& peer, int) {
    for (std::string body = peer.Request(); !body.empty();
         body = peer.Request()) {
      {
        MutexLock lock(mutex);
        ++waiting;
        changed.NotifyAll();
        while (!go) changed.Wait(mutex);
      }
      peer.Answer(200, Good(body));
    }
  });
  const auto client = ClientOf(server.url());
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back(
        [&] { EXPECT_TRUE(client->Call("a", "[]").status.ok()); });
  }
  {
    MutexLock lock(mutex);
    while (waiting < 4) changed.Wait(mutex);
  }
  // The fifth gets no turn in its time, and so was surely not executed.
  auto patient = JsonRpcClient::Open(
      {.url = server.url(), .timeout_ms = 50, .in_flight_max = 0});
  ASSERT_TRUE(patient.ok());
  const RpcReply reply = (*patient)->Call("a", "[]");
  EXPECT_EQ(reply.outcome, RpcOutcome::kNotDone) << reply.status;
  std::thread fifth([&] { EXPECT_TRUE(client->Call("a", "[]").status.ok()); });
  {
    MutexLock lock(mutex);
    EXPECT_EQ(waiting, 4);
    go = true;
    changed.NotifyAll();
  }
  for (std::thread& caller : callers) caller.join();
  fifth.join();
  EXPECT_EQ(server.connections(), 4);
}

TEST(JsonRpcClientTest, NobodyThereIsNotDone) {
  std::string url;
  {
    RawServer server([](Peer&, int) {});
    url = server.url();
  }
  const RpcReply reply = ClientOf(url)->Call("publish", "[]");
  EXPECT_EQ(reply.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(reply.outcome, RpcOutcome::kNotDone) << reply.status;
}

TEST(JsonRpcClientTest, ARequestBeyondTheNodesLimitIsNotSent) {
  const auto client = ClientOf("http://127.0.0.1:1");
  const RpcReply reply =
      client->Call("publish", std::string(size_t{33} << 20, ' '));
  EXPECT_EQ(reply.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(reply.outcome, RpcOutcome::kPermanent);
}

TEST(JsonRpcClientTest, OnlyAUrlOfANodeIsAccepted) {
  for (const char* url : {"", "127.0.0.1:1", "ftp://h:1", "http://", "file:///",
                          "http://u@h:1", "http://h:1/x"}) {
    EXPECT_FALSE(JsonRpcClient::Open({.url = url}).ok()) << url;
  }
  EXPECT_TRUE(JsonRpcClient::Open({.url = "https://h:1/"}).ok());
}

}  // namespace
}  // namespace windproof
