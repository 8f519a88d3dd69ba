#include "services/ingest/live/testing/dwd_server.h"

#include <httplib.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/sync/mutex.h"

namespace windproof {
namespace {

constexpr std::chrono::minutes kHung{1};

}  // namespace

struct DwdServer::Impl {
  explicit Impl(const Tls& given) : tls(given) {}

  void Listen(int wanted_port);
  void Stop();
  void Answer(const httplib::Request& request, httplib::Response& response);

  const Tls tls;
  int port = 0;
  std::string base_url;
  std::unique_ptr<httplib::Server> server;
  std::thread thread;

  Mutex mutex;
  CondVar changed;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  std::map<std::string, DwdAnswer> answers ABSL_GUARDED_BY(mutex);
  std::vector<DwdRequest> requests ABSL_GUARDED_BY(mutex);
  size_t mark ABSL_GUARDED_BY(mutex) = 0;
};

void DwdServer::Impl::Answer(const httplib::Request& request,
                             httplib::Response& response) {
  DwdRequest seen{
      .path = request.path,
      .if_none_match = request.get_header_value("If-None-Match"),
      .if_modified_since = request.get_header_value("If-Modified-Since"),
      .user_agent = request.get_header_value("User-Agent")};
  DwdAnswer answer{.status = 404, .body = "no such file"};
  MutexLock lock(mutex);
  const auto found = answers.find(request.path);
  if (found != answers.end()) answer = found->second;
  const bool is_same =
      (!answer.etag.empty() && seen.if_none_match == answer.etag) ||
      (answer.etag.empty() && !answer.last_modified.empty() &&
       seen.if_modified_since == answer.last_modified);
  response.status = answer.status == 200 && is_same ? 304 : answer.status;
  if (!answer.etag.empty()) response.set_header("ETag", answer.etag);
  if (!answer.last_modified.empty()) {
    response.set_header("Last-Modified", answer.last_modified);
  }
  for (const auto& [name, value] : answer.headers) {
    response.set_header(name.c_str(), value);
  }
  if (response.status != 304) {
    if (answer.stalls || answer.breaks_off) {
      const std::string half = answer.body.substr(0, answer.body.size() / 2);
      response.set_content_provider(
          answer.body.size(), "application/zip",
          [this, half, stalls = answer.stalls](size_t offset, size_t,
                                               httplib::DataSink& sink) {
            if (offset < half.size()) {
              return sink.write(half.data() + offset, half.size() - offset);
            }
            MutexLock until_stop(mutex);
            while (stalls && !stopping) changed.Wait(mutex);
            return false;
          });
    } else {
      response.set_content(answer.body, "application/zip");
    }
  }
  seen.status = response.status;
  requests.push_back(std::move(seen));
  changed.NotifyAll();
}

void DwdServer::Impl::Listen(int wanted_port) {
  if (tls.cert_path.empty()) {
    server = std::make_unique<httplib::Server>();
  } else {
    server = std::make_unique<httplib::SSLServer>(tls.cert_path.c_str(),
                                                  tls.key_path.c_str());
  }
  server->set_keep_alive_timeout(1);
  server->Get(
      ".*", [this](const httplib::Request& request,
                   httplib::Response& response) { Answer(request, response); });
  if (wanted_port == 0) {
    port = server->bind_to_any_port("127.0.0.1");
  } else if (!server->bind_to_port("127.0.0.1", wanted_port)) {
    port = -1;
  }
  if (port <= 0) {
    std::fprintf(stderr, "DwdServer: no port\n");
    std::abort();
  }
  base_url = absl::StrCat(tls.cert_path.empty() ? "http" : "https",
                          "://127.0.0.1:", port);
  thread = std::thread([this] { server->listen_after_bind(); });
  // A stop() before that would be for nothing.
  while (!server->is_running()) std::this_thread::yield();
}

void DwdServer::Impl::Stop() {
  if (server == nullptr) return;
  {
    MutexLock lock(mutex);
    stopping = true;
    changed.NotifyAll();
  }
  server->stop();
  thread.join();
  server.reset();
  MutexLock lock(mutex);
  stopping = false;
}

DwdServer::DwdServer() : DwdServer(Tls()) {}
DwdServer::DwdServer(const Tls& tls) : impl_(std::make_unique<Impl>(tls)) {
  impl_->Listen(0);
}
DwdServer::~DwdServer() { impl_->Stop(); }

const std::string& DwdServer::base_url() const { return impl_->base_url; }

void DwdServer::Set(const std::string& path, DwdAnswer answer) {
  MutexLock lock(impl_->mutex);
  impl_->answers[path] = std::move(answer);
}

void DwdServer::SetUrl(const std::string& url, DwdAnswer answer) {
  Set(url.substr(base_url().size()), std::move(answer));
}

std::vector<DwdRequest> DwdServer::requests() const {
  MutexLock lock(impl_->mutex);
  return impl_->requests;
}

bool DwdServer::WaitForRequests(const std::string& url, int count) {
  const std::string path = url.substr(base_url().size());
  const auto deadline = std::chrono::steady_clock::now() + kHung;
  MutexLock lock(impl_->mutex);
  while (true) {
    int seen = 0;
    for (size_t i = impl_->mark; i < impl_->requests.size(); ++i) {
      if (impl_->requests[i].path == path) ++seen;
    }
    if (seen >= count) return true;
    if (!impl_->changed.WaitUntil(impl_->mutex, deadline)) return false;
  }
}

bool DwdServer::WaitTaken(const std::string& url) {
  const std::string path = url.substr(base_url().size());
  const auto deadline = std::chrono::steady_clock::now() + 2 * kHung;
  MutexLock lock(impl_->mutex);
  size_t seen = impl_->requests.size();
  while (true) {
    for (; seen < impl_->requests.size(); ++seen) {
      const DwdRequest& request = impl_->requests[seen];
      if (request.path == path && request.status == 304) return true;
    }
    if (!impl_->changed.WaitUntil(impl_->mutex, deadline)) return false;
  }
}

void DwdServer::Mark() {
  MutexLock lock(impl_->mutex);
  impl_->mark = impl_->requests.size();
}

void DwdServer::Stop() { impl_->Stop(); }
void DwdServer::Restart() { impl_->Listen(impl_->port); }

}  // namespace windproof
