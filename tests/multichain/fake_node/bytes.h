// Bytes as Bitcoin's formats write them: little-endian numbers, compact sizes,
// double SHA-256, hashes shown backwards. Pure.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_BYTES_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/crypto/sha256.h"

namespace windproof::fake_node {

std::string ToHex(absl::string_view bytes);

// Either case, even length; nothing for anything else.
absl::optional<std::string> FromHex(absl::string_view hex);

// A hash is shown in hex with its bytes reversed.
std::string ShownHash(const Digest& hash);
absl::optional<Digest> HashFromShown(absl::string_view hex);

Digest DoubleSha256(absl::string_view bytes);

// RIPEMD-160 of SHA-256: 20 bytes.
std::string Hash160(absl::string_view bytes);

void AppendLittle(uint64_t value, int bytes, std::string* out);
void AppendCompactSize(uint64_t value, std::string* out);

// Reads from the front of bytes that must outlive it. After a read beyond the
// end, ok() is false and all that is read is 0 or empty.
class ByteReader {
 public:
  explicit ByteReader(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return at_ == bytes_.size(); }
  size_t position() const { return at_; }

  uint64_t Little(int bytes);
  uint64_t CompactSize();
  absl::string_view Take(uint64_t count);
  Digest Hash();

 private:
  absl::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_BYTES_H_
