#include "tests/multichain/fake_node/bytes.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>

#include "absl/strings/escaping.h"

namespace windproof::fake_node {

std::string ToHex(absl::string_view bytes) {
  return absl::BytesToHexString(bytes);
}

absl::optional<std::string> FromHex(absl::string_view hex) {
  if (hex.size() % 2 != 0) return absl::nullopt;
  for (const char c : hex) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) {
      return absl::nullopt;
    }
  }
  return absl::HexStringToBytes(hex);
}

std::string ShownHash(const Digest& hash) {
  std::string reversed(BytesOf(hash));
  std::reverse(reversed.begin(), reversed.end());
  return ToHex(reversed);
}

absl::optional<Digest> HashFromShown(absl::string_view hex) {
  if (hex.size() != 64) return absl::nullopt;
  const absl::optional<std::string> bytes = FromHex(hex);
  if (!bytes.has_value()) return absl::nullopt;
  Digest hash;
  std::copy(bytes->rbegin(), bytes->rend(), hash.begin());
  return hash;
}

Digest DoubleSha256(absl::string_view bytes) {
  return Sha256Of(BytesOf(Sha256Of(bytes)));
}

std::string Hash160(absl::string_view bytes) {
  const Digest inner = Sha256Of(bytes);
  std::string hash(20, '\0');
  unsigned int size = 0;
  EVP_Digest(inner.data(), inner.size(),
             reinterpret_cast<unsigned char*>(hash.data()), &size,
             EVP_ripemd160(), nullptr);
  return hash;
}

void AppendLittle(uint64_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

void AppendCompactSize(uint64_t value, std::string* out) {
  if (value < 0xFD) {
    AppendLittle(value, 1, out);
  } else if (value <= 0xFFFF) {
    out->push_back('\xFD');
    AppendLittle(value, 2, out);
  } else if (value <= 0xFFFFFFFF) {
    out->push_back('\xFE');
    AppendLittle(value, 4, out);
  } else {
    out->push_back('\xFF');
    AppendLittle(value, 8, out);
  }
}

uint64_t ByteReader::Little(int bytes) {
  const absl::string_view taken = Take(static_cast<uint64_t>(bytes));
  uint64_t value = 0;
  for (size_t i = taken.size(); i-- > 0;) {
    value = value << 8 | static_cast<uint8_t>(taken[i]);
  }
  return value;
}

uint64_t ByteReader::CompactSize() {
  const uint64_t first = Little(1);
  if (first < 0xFD) return first;
  return Little(first == 0xFD ? 2 : first == 0xFE ? 4 : 8);
}

absl::string_view ByteReader::Take(uint64_t count) {
  if (bytes_.size() - at_ < count) {
    ok_ = false;
    at_ = bytes_.size();
    return "";
  }
  const absl::string_view taken =
      bytes_.substr(at_, static_cast<size_t>(count));
  at_ += static_cast<size_t>(count);
  return taken;
}

Digest ByteReader::Hash() {
  Digest hash{};
  const absl::string_view taken = Take(hash.size());
  std::copy(taken.begin(), taken.end(), hash.begin());
  return hash;
}

}  // namespace windproof::fake_node
