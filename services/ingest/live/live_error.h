// What can go wrong between a server's file and the record log.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_ERROR_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_ERROR_H_

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace windproof {

enum class LiveError {
  kNone,
  kConnect,    // no such host, refused, cut off
  kTimeout,    // connect or the whole call
  kTls,        // handshake, certificate
  kRedirect,   // too many, or to another protocol
  kTooLarge,   // the body
  kNotFound,   // 404, 410
  kHttp,       // any other status than 200 and 304
  kContent,    // no zip, cut off, damaged, or not the station's product
  kHeldBack,   // rows wait for older ones that cannot be had yet
  kLog,        // the record log did not take it
  kStore,      // our own position cannot be read or written
  kCancelled,  // asked to stop; not counted
};
inline constexpr size_t kLiveErrors = 13;

// "connect", "timeout" ...: a label in /metrics.
constexpr absl::string_view LiveErrorName(LiveError error) {
  constexpr std::array<absl::string_view, kLiveErrors> kNames = {
      "none",      "connect",   "timeout",  "tls",     "redirect",
      "too_large", "not_found", "http",     "content", "held_back",
      "log",       "store",     "cancelled"};
  return kNames[static_cast<size_t>(error)];
}

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_ERROR_H_
