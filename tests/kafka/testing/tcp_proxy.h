// A network on loopback between a client and a server, that a test can cut.
#ifndef WINDPROOF_TESTS_KAFKA_TESTING_TCP_PROXY_H_
#define WINDPROOF_TESTS_KAFKA_TESTING_TCP_PROXY_H_

#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe.
class TcpProxy {
 public:
  // Listens on a free port, and takes connections to `target_port` of loopback
  // as soon as that is known.
  static absl::StatusOr<std::unique_ptr<TcpProxy>> Listen();
  void Begin(int target_port);

  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }
  std::string address() const;

  // From now on nothing comes through, in neither direction, and nobody is
  // told: connections stay open, new ones are taken. What was sent is lost.
  void Cut();
  // Ends the connections that there are (their bytes are missing) and lets new
  // ones through.
  void Mend();

 private:
  // Two sockets and a thread for each direction.
  struct Link {
    int client = -1;
    int server = -1;
    std::thread up;
    std::thread down;
  };

  explicit TcpProxy(int listener, int port)
      : listener_(listener), port_(port) {}

  void Accept();
  void Carry(int from, int to);
  void EndLinks();

  const int listener_;
  const int port_;
  int target_port_ = 0;
  std::thread accepting_;

  Mutex mutex_;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<Link> links_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_KAFKA_TESTING_TCP_PROXY_H_
