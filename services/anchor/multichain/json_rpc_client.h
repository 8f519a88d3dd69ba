// JSON-RPC over HTTP or HTTPS with libcurl.
//
// Source: docs/adr/ (MultiChain), the behaviour of MultiChain 2.3.3. At most
// four calls are in flight (the node has four workers), each alone on its
// connection; connections that were idle for longer than the node keeps them
// are not used again. A request that may have reached the node is never sent
// twice: libcurl's own repetition over a connection that had died is refused.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_JSON_RPC_CLIENT_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_JSON_RPC_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/anchor/multichain/json_rpc.h"

namespace windproof {

// Thread-safe.
class JsonRpcClient final : public JsonRpc {
 public:
  struct Options {
    std::string url;  // http://HOST:PORT or https://…, nothing after it but /
    std::string user;
    std::string password;
    std::string chain_name;  // sent with each request; may be empty
    std::string ca_path;     // PEM, in the place of the system's; may be empty
    std::string cert_path;   // the client's own, PEM; may be empty
    std::string key_path;
    int64_t connect_timeout_ms = 2'000;
    int64_t timeout_ms = 10'000;  // of the whole call, with any wait for a turn
    int64_t idle_max_s = 25;      // the node closes after 30 s
    int64_t answer_bytes_max = 64 << 20;
    int64_t request_bytes_max = 32 << 20;  // the node's own limit
    int in_flight_max = 4;
  };

  // InvalidArgument: the URL is none. Unavailable: libcurl cannot begin.
  static absl::StatusOr<std::unique_ptr<JsonRpcClient>> Open(Options options);
  ~JsonRpcClient() override;

  RpcReply Call(absl::string_view method, absl::string_view params) override;
  void Cancel() override;

 private:
  struct Impl;
  explicit JsonRpcClient(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_JSON_RPC_CLIENT_H_
