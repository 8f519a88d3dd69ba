// The file that --multichain-config names: a KEY=VALUE each line, as Java's
// properties are written.
//
//   node.urls          http://HOST:PORT[,…]: nodes of one operator, which all
//                      have the publishing address in their wallets
//   chain              name of the chain
//   genesis            its first block's hash, 64 hex digits
//   stream             name of the stream
//   address            the publishing address; not with read-only use
//   user, password     of the node, or user.file, password.file that hold them
//   mode               direct: each checkpoint is an item; batched: a log of
//                      our own, whose signed heads are items; direct
//   flush-interval-ms  batched: a head is published when a checkpoint has
//   waited
//                      so long for one; 10000
//   flush-count        batched: or when so many wait; 10000
//   confirmations      that make an item ANCHORED; 1
//   publishers         ADDRESS[,…] whose items count; the publishing address
//   create-stream      true: the stream is created when it is missing; false
//   confirmations-above-mine-empty-rounds   true: more confirmations than an
//                      idle chain ever gives are meant so; false
//   tls.ca, tls.cert, tls.key               PEM files, for https
//   connect-timeout-ms, timeout-ms          2000 and 10000
//   compare.urls       http://HOST:PORT[,…]: nodes of other operators, which
//                      are to show the same as ours; none
//   compare.user, compare.password          theirs, or compare.user.file,
//                      compare.password.file that hold them; user and password
//   unconfirmed-alarm-s                     600
//
// The values right of ";" are the defaults. A key that is not listed here is
// refused, as is a file without one that has no default.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_CONFIG_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

struct MultiChainConfig {
  std::vector<std::string> urls;
  std::string chain;
  std::string genesis;
  std::string stream;
  std::string address;  // empty: nothing is published
  std::string user;
  std::string password;
  bool batched = false;
  int64_t flush_interval_ms = 10'000;
  int64_t flush_count = 10'000;
  int64_t confirmations = 1;
  std::vector<std::string> publishers;
  bool create_stream = false;
  bool any_confirmations = false;
  std::string ca_path;
  std::string cert_path;
  std::string key_path;
  int64_t connect_timeout_ms = 2'000;
  int64_t timeout_ms = 10'000;
  int64_t alarm_after_s = 600;
  std::vector<std::string> compare_urls;
  std::string compare_user;
  std::string compare_password;
};

// Reads the files that hold user and password, too. InvalidArgument names file,
// line and key; a secret value is not shown. NotFound, Unavailable: a file that
// cannot be read.
absl::StatusOr<MultiChainConfig> ParseMultiChainConfig(absl::string_view text,
                                                       absl::string_view file);
absl::StatusOr<MultiChainConfig> ReadMultiChainConfig(const std::string& path);

// Whether a node's URL is as node.urls and compare.urls take it: without user
// and password, which anybody could read.
bool IsNodeUrl(absl::string_view url);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_CONFIG_H_
