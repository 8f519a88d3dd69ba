#include "tests/multichain/fake_node/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof::fake_node {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Ids of what is in the epoll set besides connections.
constexpr uint64_t kListenerId = 0;
constexpr uint64_t kWakeId = 1;

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

void Watch(int epoll, int operation, int fd, uint64_t id, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll, operation, fd, &event);
}

}  // namespace

struct HttpServer::Connection {
  uint64_t id = 0;
  int fd = -1;
  RequestReader reader;
  bool waiting = false;  // a worker has its request
  bool close_after = false;
  bool sent_continue = false;
  std::string out;
  size_t written = 0;
  SteadyClock::time_point active = SteadyClock::now();
  // A reply that is sent slowly: pieces until the end.
  bool dripping = false;
  SteadyClock::time_point drip_start;
  int64_t drip_millis = 0;
};

// Here, where a Connection is known.
HttpServer::HttpServer(Options options) : options_(std::move(options)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(options)));
  const absl::Status listening = server->Listen();
  if (!listening.ok()) return listening;
  HttpServer* raw = server.get();
  server->threads_.emplace_back([raw] { raw->Loop(); });
  for (int i = 0; i < raw->options_.workers; ++i) {
    server->threads_.emplace_back([raw] { raw->Worker(); });
  }
  return server;
}

HttpServer::~HttpServer() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.NotifyAll();
  }
  if (wake_ >= 0) eventfd_write(wake_, 1);
  for (std::thread& thread : threads_) thread.join();
  for (auto& [id, connection] : connections_) close(connection->fd);
  for (const int fd : {listener_, epoll_, wake_}) {
    if (fd >= 0) close(fd);
  }
}

absl::Status HttpServer::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return SystemError("socket");
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(options_.port));
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, sizeof(address)) != 0 ||
      listen(listener_, 1024) != 0) {
    return SystemError(absl::StrCat("listen on port ", options_.port));
  }
  socklen_t size = sizeof(address);
  getsockname(listener_, generic, &size);
  port_ = ntohs(address.sin_port);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || wake_ < 0) return SystemError("epoll");
  Watch(epoll_, EPOLL_CTL_ADD, listener_, kListenerId, EPOLLIN);
  Watch(epoll_, EPOLL_CTL_ADD, wake_, kWakeId, EPOLLIN);
  return absl::OkStatus();
}

int HttpServer::WaitMillis() const {
  if (dripping_ > 0) return 5;
  return static_cast<int>(std::clamp<int64_t>(options_.idle_ms / 8, 5, 1000));
}

void HttpServer::Loop() {
  std::vector<epoll_event> events(64);
  while (true) {
    const int count = epoll_wait(epoll_, events.data(),
                                 static_cast<int>(events.size()), WaitMillis());
    {
      MutexLock lock(mutex_);
      if (stop_) return;
    }
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      const uint32_t what = events[static_cast<size_t>(i)].events;
      if (id == kListenerId) {
        Accept();
        continue;
      }
      if (id == kWakeId) {
        eventfd_t value;
        eventfd_read(wake_, &value);
        continue;
      }
      auto found = connections_.find(id);
      if (found == connections_.end()) continue;
      if ((what & EPOLLOUT) != 0) Write(found->second.get());
      found = connections_.find(id);
      if (found == connections_.end()) continue;
      if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        Read(found->second.get());
      }
    }
    TakeReplies();
    Sweep();
  }
}

void HttpServer::Accept() {
  while (true) {
    const int fd =
        accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto connection = std::make_unique<Connection>();
    connection->id = next_id_++;
    connection->fd = fd;
    Watch(epoll_, EPOLL_CTL_ADD, fd, connection->id, EPOLLIN);
    connections_[connection->id] = std::move(connection);
  }
}

void HttpServer::Close(uint64_t id, bool reset) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (found->second->dripping) --dripping_;
  if (reset) {
    const linger now{1, 0};
    setsockopt(found->second->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  close(found->second->fd);
  connections_.erase(found);
}

void HttpServer::Read(Connection* connection) {
  char buffer[65536];
  const ssize_t count = recv(connection->fd, buffer, sizeof(buffer), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    Close(connection->id, false);
    return;
  }
  connection->active = SteadyClock::now();
  Next(connection, absl::string_view(buffer, static_cast<size_t>(count)));
}

void HttpServer::Next(Connection* connection, absl::string_view bytes) {
  switch (connection->reader.Feed(bytes)) {
    case RequestReader::Progress::kMore:
      return;
    case RequestReader::Progress::kContinue:
      if (!connection->sent_continue) {
        connection->sent_continue = true;
        connection->out.append("HTTP/1.1 100 Continue\r\n\r\n");
        Write(connection);
      }
      return;
    case RequestReader::Progress::kBad: {
      HttpResponse response = HtmlError(400, "Bad Request");
      response.close = true;
      Reply(connection, HttpRequest(), response);
      return;
    }
    case RequestReader::Progress::kTooLarge: {
      HttpResponse response = HtmlError(413, "Request Entity Too Large");
      response.close = true;
      Reply(connection, HttpRequest(), response);
      return;
    }
    case RequestReader::Progress::kRequest:
      connection->sent_continue = false;
      Dispatch(connection, connection->reader.Take());
      return;
  }
}

void HttpServer::Dispatch(Connection* connection, HttpRequest request) {
  if (options_.front) {
    if (const auto response = options_.front(request)) {
      Reply(connection, request, *response);
      return;
    }
  }
  {
    MutexLock lock(mutex_);
    if (work_.size() < options_.queue) {
      connection->waiting = true;
      // A client that goes away meanwhile is noticed when it is answered.
      Watch(epoll_, EPOLL_CTL_DEL, connection->fd, connection->id, 0);
      work_.push_back({connection->id, std::move(request)});
      changed_.NotifyOne();
      return;
    }
  }
  Reply(connection, request, PlainReply(503, "Work queue depth exceeded"));
}

void HttpServer::Reply(Connection* connection, const HttpRequest& request,
                       const HttpResponse& response) {
  if (connection->waiting) {
    connection->waiting = false;
    Watch(epoll_, EPOLL_CTL_ADD, connection->fd, connection->id, EPOLLIN);
  }
  connection->active = SteadyClock::now();
  if (response.drop) {
    Close(connection->id, true);
    return;
  }
  std::string text = FormatResponse(request, response);
  connection->close_after = response.close || !request.keep_alive();
  if (response.cut_at < text.size()) {
    text.resize(response.cut_at);
    connection->close_after = true;
  }
  connection->out.append(text);
  if (response.over_millis > 0) {
    connection->dripping = true;
    ++dripping_;
    connection->drip_start = SteadyClock::now();
    connection->drip_millis = response.over_millis;
  }
  Write(connection);
}

void HttpServer::Write(Connection* connection) {
  size_t limit = connection->out.size();
  if (connection->dripping) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
                             SteadyClock::now() - connection->drip_start)
                             .count();
    if (elapsed < connection->drip_millis) {
      limit = limit * static_cast<size_t>(elapsed) /
              static_cast<size_t>(connection->drip_millis);
    }
  }
  while (connection->written < limit) {
    const ssize_t count =
        send(connection->fd, connection->out.data() + connection->written,
             limit - connection->written, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      Watch(epoll_, EPOLL_CTL_MOD, connection->fd, connection->id, EPOLLOUT);
      return;
    }
    if (count <= 0) {
      Close(connection->id, false);
      return;
    }
    connection->written += static_cast<size_t>(count);
    connection->active = SteadyClock::now();
  }
  if (limit < connection->out.size()) return;
  if (connection->dripping) {
    connection->dripping = false;
    --dripping_;
  }
  connection->out.clear();
  connection->written = 0;
  if (connection->close_after) {
    Close(connection->id, false);
    return;
  }
  if (connection->waiting) return;
  Watch(epoll_, EPOLL_CTL_MOD, connection->fd, connection->id, EPOLLIN);
  if (connection->reader.pending() && !connection->sent_continue) {
    Next(connection, "");
  }
}

void HttpServer::TakeReplies() {
  std::vector<Finished> finished;
  {
    MutexLock lock(mutex_);
    finished.swap(finished_);
  }
  for (const Finished& one : finished) {
    const auto found = connections_.find(one.connection);
    if (found != connections_.end()) {
      Reply(found->second.get(), one.request, one.response);
    }
  }
}

void HttpServer::Sweep() {
  const auto now = SteadyClock::now();
  std::vector<uint64_t> drip;
  std::vector<uint64_t> idle;
  for (const auto& [id, connection] : connections_) {
    if (connection->dripping) {
      drip.push_back(id);
    } else if (!connection->waiting &&
               now - connection->active >=
                   std::chrono::milliseconds(options_.idle_ms)) {
      idle.push_back(id);
    }
  }
  for (const uint64_t id : idle) Close(id, false);
  for (const uint64_t id : drip) Write(connections_[id].get());
}

void HttpServer::Worker() {
  while (true) {
    Work work;
    {
      MutexLock lock(mutex_);
      while (!stop_ && work_.empty()) changed_.Wait(mutex_);
      if (stop_) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    HttpResponse response = options_.handler(work.request);
    {
      MutexLock lock(mutex_);
      finished_.push_back(
          {work.connection, std::move(work.request), std::move(response)});
    }
    eventfd_write(wake_, 1);
  }
}

}  // namespace windproof::fake_node
