// The node's HTTP server: one thread for all connections, a few workers, a
// short queue before them.
//
// Connections stay open; one that is idle or stands in the middle of a request
// for `idle_ms` is closed without a word. Requests of one connection are
// answered one after the other. Listens on 127.0.0.1. Thread-safe.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_HTTP_SERVER_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/sync/mutex.h"
#include "tests/multichain/fake_node/http_message.h"

namespace windproof::fake_node {

class HttpServer {
 public:
  struct Options {
    int port = 0;  // 0: any that is free
    int workers = 4;
    size_t queue = 16;  // beyond: 503 "Work queue depth exceeded"
    int64_t idle_ms = 30'000;
    // What needs no worker is answered by the connections' thread.
    std::function<absl::optional<HttpResponse>(const HttpRequest&)> front;
    // By a worker; may block.
    std::function<HttpResponse(const HttpRequest&)> handler;
  };

  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);

  // Closes every connection. Handlers that block must be woken before.
  ~HttpServer();

  int port() const { return port_; }

 private:
  struct Connection;
  struct Work {
    uint64_t connection;
    HttpRequest request;
  };

  explicit HttpServer(Options options);

  absl::Status Listen();
  void Loop();
  void Accept();
  void Read(Connection* connection);
  void Next(Connection* connection, absl::string_view bytes);
  void Dispatch(Connection* connection, HttpRequest request);
  void Reply(Connection* connection, const HttpRequest& request,
             const HttpResponse& response);
  void Write(Connection* connection);
  void Close(uint64_t id, bool reset);
  void TakeReplies();
  void Sweep();
  void Worker();
  int WaitMillis() const;

  const Options options_;
  int listener_ = -1;
  int epoll_ = -1;
  int wake_ = -1;
  int port_ = 0;

  // The connections' thread only.
  uint64_t next_id_ = 2;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  int dripping_ = 0;

  Mutex mutex_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Work> work_ ABSL_GUARDED_BY(mutex_);
  struct Finished {
    uint64_t connection;
    HttpRequest request;
    HttpResponse response;
  };
  std::vector<Finished> finished_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::thread> threads_;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_HTTP_SERVER_H_
