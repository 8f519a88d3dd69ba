// UBJSON as the node stores JSON data in a transaction's script.
//
// {"window":42} is 7B 69 06 "window" 69 2A 7D: integers in the smallest of i
// (8 bits), I (16), l (32) and L (64), big-endian; D doubles; S strings; T, F,
// Z; [ and { without counts. An unsigned 64-bit integer becomes the signed one
// of the same bits.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_UBJSON_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_UBJSON_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "tests/multichain/fake_node/json.h"

namespace windproof::fake_node {

// Nothing if `value` is nested deeper than 99.
absl::optional<std::string> EncodeUbjson(const Json& value);

// Nothing if `bytes` is not one such value.
absl::optional<Json> DecodeUbjson(absl::string_view bytes);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_UBJSON_H_
