// The scripts of a MultiChain transaction's outputs.
//
// A stream item:       push("spke" ‖ entity) OP_DROP
//                      { push("spkk" ‖ key) OP_DROP }*
//                      [ push("spkf" ‖ format) OP_DROP ]
//                      OP_RETURN push(data)
// An off-chain item:   the same with push("spkc" ‖ SHA-256 ‖ size, 8 bytes)
//                      OP_DROP instead of the data; the chunk is kept aside.
// Creation of a stream: push("spkn" 02 ‖ parameters) OP_DROP OP_RETURN, each
//                      parameter 00 ‖ code ‖ length ‖ bytes.
// A permission:        the payment to its address, then
//                      [ push("spke" ‖ entity) OP_DROP ]
//                      push("spkp" ‖ type ‖ from ‖ to ‖ time) OP_DROP
// `entity` is the first 16 bytes of the stream's createtxid as shown, reversed.
// Pure.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_SCRIPT_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_SCRIPT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/crypto/sha256.h"

namespace windproof::fake_node {

inline constexpr uint8_t kOpPushData1 = 0x4C;
inline constexpr uint8_t kOpPushData2 = 0x4D;
inline constexpr uint8_t kOpPushData4 = 0x4E;
inline constexpr uint8_t kOpReturn = 0x6A;
inline constexpr uint8_t kOpDrop = 0x75;

inline constexpr uint8_t kFormatRaw = 0;
inline constexpr uint8_t kFormatText = 1;
inline constexpr uint8_t kFormatJson = 2;

void AppendPush(absl::string_view data, std::string* script);

struct ScriptOp {
  uint8_t code = 0;
  absl::string_view data;  // of a push
};

// The operations of `script`, views into it; nothing if a push is cut off.
absl::optional<std::vector<ScriptOp>> ScriptOps(absl::string_view script);

// "73706b65… OP_DROP … OP_RETURN …"
std::string ScriptAsm(absl::string_view script);

// The 16 bytes that name a stream in a script.
std::string EntityOf(const Digest& create_txid);

std::string PayToScript(absl::string_view public_key_hash);

// The 20 bytes that `script` begins with paying to; nothing for another script.
absl::optional<std::string> PaidTo(absl::string_view script);

struct ItemScript {
  std::string entity;
  std::vector<absl::string_view> keys;
  uint8_t format = kFormatRaw;
  bool offchain = false;
  absl::string_view data;  // on-chain only
  std::string chunk;       // off-chain only: SHA-256 of the data
  uint64_t chunk_size = 0;
};

std::string MakeItemScript(const ItemScript& item);

// The item, with views into `script`; nothing for another script.
absl::optional<ItemScript> ParseItemScript(absl::string_view script);

// What writing to a stream needs, as bits.
inline constexpr uint8_t kRestrictWrite = 0x08;
inline constexpr uint8_t kRestrictRead = 0x10;
inline constexpr uint8_t kRestrictOnchain = 0x20;
inline constexpr uint8_t kRestrictOffchain = 0x40;

struct CreateScript {
  std::string name;
  uint8_t restricts = 0;
  std::string details;  // UBJSON; empty if none
};

std::string MakeCreateScript(const CreateScript& create);
absl::optional<CreateScript> ParseCreateScript(absl::string_view script);

struct PermissionScript {
  std::string public_key_hash;
  std::string entity;  // empty for a permission of the chain
  uint32_t type = 0;   // bits of permissions.h
  uint32_t from = 0;
  uint32_t to = 0;  // exclusive; 0 revokes
  uint32_t time = 0;
};

std::string MakePermissionScript(const PermissionScript& permission);
absl::optional<PermissionScript> ParsePermissionScript(
    absl::string_view script);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_SCRIPT_H_
