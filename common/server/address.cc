#include "common/server/address.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr int kMaxPort = 65535;

absl::Status Wrong(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("address \"", absl::Utf8SafeCHexEscape(text),
                   "\" is not HOST:PORT, as in 127.0.0.1:7400 or [::1]:7400, "
                   "with a port from 0 to 65535"));
}

bool IsDigits(absl::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty() && text.size() <= 5;
}

}  // namespace

std::string Address::Text() const {
  const bool is_ipv6 = absl::StrContains(host, ":");
  return is_ipv6 ? absl::StrCat("[", host, "]:", port)
                 : absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return Wrong(text);
  absl::string_view host = text.substr(0, colon);
  const absl::string_view digits = text.substr(colon + 1);
  Address address;
  if (!IsDigits(digits) || !absl::SimpleAtoi(digits, &address.port) ||
      address.port > kMaxPort) {
    return Wrong(text);
  }
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ":")) {
    return Wrong(text);
  }
  if (host.empty()) return Wrong(text);
  for (const char c : host) {
    if (c <= ' ' || c == '/' || c == '[' || c == ']') return Wrong(text);
  }
  address.host = std::string(host);
  return address;
}

}  // namespace windproof
