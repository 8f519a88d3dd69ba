// Which MultiChain chain a verifier believes, and what on it: a value.
#ifndef WINDPROOF_COMMON_SERVER_CHAIN_TRUST_H_
#define WINDPROOF_COMMON_SERVER_CHAIN_TRUST_H_

#include <cstdint>
#include <string>
#include <vector>

namespace windproof {

struct ChainTrust {
  std::string chain;
  std::string genesis;  // its first block's hash, 64 hex digits, as it is shown
  // Name of the stream; or 64 hex digits, the txid that created it, which an
  // item's own bytes can be compared with.
  std::string stream;
  std::vector<std::string> publishers;  // addresses, at least one
  int64_t confirmations = 1;            // at least so many
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_CHAIN_TRUST_H_
