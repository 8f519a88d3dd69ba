#include "common/server/http_server.h"

#include <httplib.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/server/address.h"

namespace windproof {
namespace {

constexpr size_t kThreads = 2;
constexpr time_t kTimeoutSeconds = 5;
constexpr size_t kMaxBodyBytes = 1 << 16;
constexpr char kPlain[] = "text/plain; charset=utf-8";

}  // namespace

struct HttpServer::Impl {
  Options options;
  std::string address;
  httplib::Server server;
  std::thread thread;

  void AddPages() {
    server.Get("/metrics", [this](const httplib::Request&,
                                  httplib::Response& response) {
      response.set_content(options.metrics(), "text/plain; version=0.0.4");
    });
    server.Get("/healthz",
               [](const httplib::Request&, httplib::Response& response) {
                 response.set_content("ok\n", kPlain);
               });
    server.Get("/readyz", [this](const httplib::Request&,
                                 httplib::Response& response) {
      const absl::Status ready = options.ready();
      response.status = ready.ok() ? 200 : 503;
      response.set_content(
          ready.ok() ? "ok\n" : absl::StrCat(ready.message(), "\n"), kPlain);
    });
    server.set_error_handler(
        [](const httplib::Request&, httplib::Response& response) {
          if (!response.body.empty()) return;
          response.set_content(absl::StrCat(response.status,
                                            "; there are /metrics, /healthz "
                                            "and /readyz\n"),
                               kPlain);
        });
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  absl::StatusOr<Address> address = ParseAddress(options.listen);
  if (!address.ok()) return address.status();
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  // Few threads: a client that keeps its connection must not hold one long.
  server.set_keep_alive_timeout(1);
  server.set_payload_max_length(kMaxBodyBytes);
  // The default would let two servers share the port (SO_REUSEPORT).
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  impl->AddPages();

  if (address->port == 0) {
    address->port = server.bind_to_any_port(address->host.c_str());
  } else if (!server.bind_to_port(address->host.c_str(), address->port)) {
    address->port = -1;
  }
  if (address->port <= 0) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", impl->options.listen,
        ": another process has the port, or the host is not this machine"));
  }
  impl->address = address->Text();
  impl->thread =
      std::thread([raw = impl.get()] { raw->server.listen_after_bind(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
  // stop() before the thread has come to listen would be lost.
  while (!impl_->server.is_running()) std::this_thread::yield();
  impl_->server.stop();
  impl_->thread.join();
}

const std::string& HttpServer::address() const { return impl_->address; }

}  // namespace windproof
