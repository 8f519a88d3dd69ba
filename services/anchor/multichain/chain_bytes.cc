#include "services/anchor/multichain/chain_bytes.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr absl::string_view kBase58 =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr size_t kAddressMax = 64;
constexpr size_t kHash160Bytes = 20;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kVersionBytesMax = 4;
constexpr size_t kMerkleRootAt = 36;

Digest HashPair(const Digest& left, const Digest& right) {
  return Sha256Of(BytesOf(Sha256Of({BytesOf(left), BytesOf(right)})));
}

// The next level up. Leaves no odd one.
std::vector<Digest> LevelAbove(std::vector<Digest>* level) {
  if (level->size() % 2 == 1) level->push_back(level->back());
  std::vector<Digest> above;
  above.reserve(level->size() / 2);
  for (size_t i = 0; i < level->size(); i += 2) {
    above.push_back(HashPair((*level)[i], (*level)[i + 1]));
  }
  return above;
}

}  // namespace

absl::StatusOr<std::string> BytesFromHex(absl::string_view hex) {
  if (hex.size() % 2 != 0 ||
      !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
    return absl::InvalidArgumentError(
        absl::StrCat("an even number of hex digits is accepted; ", hex.size(),
                     " characters begin with ",
                     absl::Utf8SafeCHexEscape(hex.substr(0, 32))));
  }
  return absl::HexStringToBytes(hex);
}

Digest DoubleSha256(absl::string_view bytes) {
  return Sha256Of(BytesOf(Sha256Of(bytes)));
}

std::string ShownHash(const Digest& hash) {
  Digest backwards = hash;
  std::reverse(backwards.begin(), backwards.end());
  return HexOf(backwards);
}

absl::StatusOr<Digest> HashFromShown(absl::string_view shown) {
  absl::StatusOr<Digest> hash = DigestFromHex(shown);
  if (hash.ok()) std::reverse(hash->begin(), hash->end());
  return hash;
}

std::string Hash160(absl::string_view bytes) {
  static const EVP_MD* const kRipemd160 =
      EVP_MD_fetch(nullptr, "RIPEMD160", nullptr);
  if (kRipemd160 == nullptr) return "";
  const Digest sha = Sha256Of(bytes);
  std::string out(kHash160Bytes, '\0');
  unsigned int size = 0;
  if (EVP_Digest(sha.data(), sha.size(),
                 reinterpret_cast<unsigned char*>(out.data()), &size,
                 kRipemd160, nullptr) != 1 ||
      size != kHash160Bytes) {
    return "";
  }
  return out;
}

absl::StatusOr<std::string> AddressHash(absl::string_view address) {
  const absl::Status bad = absl::InvalidArgumentError(
      absl::StrCat("not an address: ", absl::Utf8SafeCHexEscape(address)));
  if (address.empty() || address.size() > kAddressMax) return bad;
  std::string bytes;  // least significant first
  for (const char c : address) {
    const size_t digit = kBase58.find(c);
    if (digit == absl::string_view::npos) return bad;
    unsigned int carry = static_cast<unsigned int>(digit);
    for (char& byte : bytes) {
      carry += 58U * static_cast<unsigned char>(byte);
      byte = static_cast<char>(carry & 0xFF);
      carry >>= 8;
    }
    if (carry > 0) bytes.push_back(static_cast<char>(carry));
  }
  for (size_t i = 0; i < address.size() && address[i] == '1'; ++i) {
    bytes.push_back('\0');
  }
  std::reverse(bytes.begin(), bytes.end());
  if (bytes.size() <= kHash160Bytes + kChecksumBytes ||
      bytes.size() > kHash160Bytes + kChecksumBytes + kVersionBytesMax) {
    return bad;
  }
  const size_t versions = bytes.size() - kHash160Bytes - kChecksumBytes;
  const size_t stride = kHash160Bytes / versions;
  std::string hash;
  for (size_t i = 0; i < versions; ++i) {
    // A version byte, then the stretch of the hash that follows it; the last
    // stretch takes what is left.
    const size_t from = i * (stride + 1) + 1;
    const size_t count =
        i + 1 == versions ? kHash160Bytes - hash.size() : stride;
    hash.append(bytes, from, count);
  }
  return hash;
}

uint64_t ChainReader::Little(size_t bytes) {
  const absl::string_view taken = Take(bytes);
  uint64_t value = 0;
  for (size_t i = taken.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
  }
  return value;
}

uint64_t ChainReader::CompactSize() {
  const uint64_t first = Little(1);
  if (first < 0xFD) return first;
  return Little(first == 0xFD ? 2 : first == 0xFE ? 4 : 8);
}

absl::string_view ChainReader::Take(uint64_t count) {
  if (!ok_ || count > bytes_.size()) {
    ok_ = false;
    bytes_ = {};
    return {};
  }
  const absl::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

Digest ChainReader::Hash() {
  const absl::StatusOr<Digest> hash = DigestFromBytes(Take(32));
  return hash.ok() ? *hash : kZeroDigest;
}

void AppendLittle(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>(value & 0xFF));
    value >>= 8;
  }
}

void AppendCompactSize(uint64_t value, std::string* out) {
  if (value < 0xFD) return AppendLittle(value, 1, out);
  const size_t bytes = value <= 0xFFFF ? 2 : value <= 0xFFFFFFFF ? 4 : 8;
  out->push_back(static_cast<char>(bytes == 2   ? 0xFD
                                   : bytes == 4 ? 0xFE
                                                : 0xFF));
  AppendLittle(value, bytes, out);
}

Digest BlockMerkleRoot(std::vector<Digest> txids) {
  while (txids.size() > 1) txids = LevelAbove(&txids);
  return txids.front();
}

std::vector<Digest> BlockMerkleBranch(std::vector<Digest> txids, size_t index) {
  std::vector<Digest> branch;
  while (txids.size() > 1) {
    std::vector<Digest> above = LevelAbove(&txids);
    branch.push_back(txids[index ^ 1]);
    txids = std::move(above);
    index /= 2;
  }
  return branch;
}

Digest RootOfBlockBranch(const Digest& txid, uint64_t index,
                         const std::vector<Digest>& branch) {
  Digest root = txid;
  for (const Digest& beside : branch) {
    root = index % 2 == 0 ? HashPair(root, beside) : HashPair(beside, root);
    index /= 2;
  }
  return root;
}

absl::StatusOr<Digest> MerkleRootOfHeader(absl::string_view header) {
  if (header.size() != kBlockHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a block header has ", header.size(), " bytes; ",
                     kBlockHeaderBytes, " are accepted"));
  }
  return DigestFromBytes(header.substr(kMerkleRootAt, 32));
}

}  // namespace windproof
