#include "tests/kafka/testing/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TcpProxy>> TcpProxy::Listen() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (listener < 0 ||
      bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, SOMAXCONN) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) !=
          0) {
    const std::string why = strerror(errno);
    if (listener >= 0) close(listener);
    return absl::UnavailableError("cannot listen: " + why);
  }
  return std::unique_ptr<TcpProxy>(
      new TcpProxy(listener, ntohs(address.sin_port)));
}

void TcpProxy::Begin(int target_port) {
  target_port_ = target_port;
  accepting_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  shutdown(listener_, SHUT_RDWR);  // wakes accept()
  if (accepting_.joinable()) accepting_.join();
  close(listener_);
  EndLinks();
}

std::string TcpProxy::address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

void TcpProxy::Cut() {
  MutexLock lock(mutex_);
  cut_ = true;
}

void TcpProxy::Mend() {
  EndLinks();
  MutexLock lock(mutex_);
  cut_ = false;
}

void TcpProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 && errno == EINTR) continue;
    MutexLock lock(mutex_);
    if (client < 0 || ending_) {
      if (client >= 0) close(client);
      return;
    }
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(target_port_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) != 0) {
      close(client);
      close(server);
      continue;
    }
    Link& link = links_.emplace_back();
    link.client = client;
    link.server = server;
    link.up = std::thread([this, client, server] { Carry(client, server); });
    link.down = std::thread([this, client, server] { Carry(server, client); });
  }
}

// The end of one direction ends both.
void TcpProxy::Carry(int from, int to) {
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    {
      MutexLock lock(mutex_);
      if (cut_) continue;
    }
    ssize_t sent = 0;
    while (sent < got) {
      const ssize_t n = send(to, buffer.data() + sent,
                             static_cast<size_t>(got - sent), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) break;
      sent += n;
    }
    if (sent < got) break;
  }
  shutdown(from, SHUT_RDWR);
  shutdown(to, SHUT_RDWR);
}

void TcpProxy::EndLinks() {
  std::list<Link> links;
  {
    MutexLock lock(mutex_);
    links.swap(links_);
  }
  for (Link& link : links) {
    shutdown(link.client, SHUT_RDWR);
    shutdown(link.server, SHUT_RDWR);
    link.up.join();
    link.down.join();
    close(link.client);
    close(link.server);
  }
}

}  // namespace windproof
