// Where a server listens: HOST:PORT.
//
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_SERVER_ADDRESS_H_
#define WINDPROOF_COMMON_SERVER_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

struct Address {
  std::string host;  // a name, an IPv4 or an IPv6 address without brackets
  int port = 0;      // 0 to 65535; 0 to listen on any free one

  // "127.0.0.1:7400", "[::1]:7400"
  std::string Text() const;
};

// InvalidArgument names the text and what is accepted. IPv6 needs brackets.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_ADDRESS_H_
