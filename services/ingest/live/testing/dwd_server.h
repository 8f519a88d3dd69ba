// A DWD open-data server for tests: on loopback, on a port of its own, with the
// files and faults that a test gives it.
//
// Thread-safe.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_TESTING_DWD_SERVER_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_TESTING_DWD_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace windproof {

struct DwdAnswer {
  int status = 200;
  std::string body;
  // Sent with a 200; a request that has them gets a 304.
  std::string etag;
  std::string last_modified;
  std::vector<std::pair<std::string, std::string>> headers;
  // Half of the body, and then nothing more until the server stops.
  bool stalls = false;
  // Half of the body, and then the end of the connection.
  bool breaks_off = false;
};

struct DwdRequest {
  std::string path;
  std::string if_none_match;
  std::string if_modified_since;
  std::string user_agent;
  int status = 0;  // of the answer
};

class DwdServer {
 public:
  struct Tls {
    std::string cert_path;
    std::string key_path;
  };

  DwdServer();
  explicit DwdServer(const Tls& tls);
  ~DwdServer();

  // http://127.0.0.1:PORT
  const std::string& base_url() const;

  // What a path answers from now on; 404 by default.
  void Set(const std::string& path, DwdAnswer answer);
  // The same for a whole URL that begins with base_url().
  void SetUrl(const std::string& url, DwdAnswer answer);

  // All requests until now, in the order in which they came.
  std::vector<DwdRequest> requests() const;

  // Waits until `count` more requests of the URL were answered than when
  // Mark() was called last (0 at first); false after a minute without.
  bool WaitForRequests(const std::string& url, int count);
  void Mark();

  // Waits until somebody who has the URL's content, as it was set last, has
  // asked for it again: whatever is in it was taken. False after two minutes.
  bool WaitTaken(const std::string& url);

  // Nobody listens any more; then again, on the same port.
  void Stop();
  void Restart();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_TESTING_DWD_SERVER_H_
