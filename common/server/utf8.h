// Text of unknown origin as UTF-8, for messages that people and protocols read.
//
// Source: RFC 3629. Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_SERVER_UTF8_H_
#define WINDPROOF_COMMON_SERVER_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

// Bytes of the well-formed character that `text` begins with; 0 if none.
size_t Utf8CharacterLength(absl::string_view text);

// `text` with '*' for each byte that belongs to no well-formed character.
std::string MaskInvalidUtf8(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_UTF8_H_
