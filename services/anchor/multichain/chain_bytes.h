// Bytes as Bitcoin's formats write them: little-endian numbers, compact sizes,
// double SHA-256, hashes shown backwards. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHAIN_BYTES_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHAIN_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

// InvalidArgument unless `hex` is an even number of hex digits, of either case.
absl::StatusOr<std::string> BytesFromHex(absl::string_view hex);

// SHA-256 of SHA-256: the hash of transactions, blocks and their tree.
Digest DoubleSha256(absl::string_view bytes);

// Transactions and blocks are named by their hash backwards, in hex.
std::string ShownHash(const Digest& hash);
// InvalidArgument unless `shown` is 64 lower-case hex digits.
absl::StatusOr<Digest> HashFromShown(absl::string_view shown);

// The 20 bytes that an address stands for: RIPEMD-160 of SHA-256 of a public
// key. Empty where this machine's OpenSSL has no RIPEMD-160.
std::string Hash160(absl::string_view bytes);

// The 20 bytes of a MultiChain address: Base58 of version bytes spread through
// them, and a checksum that depends on the chain and is not looked at here.
// InvalidArgument: it is none.
absl::StatusOr<std::string> AddressHash(absl::string_view address);

// Reads from the front of bytes that must outlive it. After a read beyond the
// end ok() is false, and all that is read is 0 or empty.
class ChainReader {
 public:
  explicit ChainReader(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return bytes_.empty(); }

  uint64_t Little(size_t bytes);
  uint64_t CompactSize();
  absl::string_view Take(uint64_t count);
  Digest Hash();

 private:
  absl::string_view bytes_;
  bool ok_ = true;
};

void AppendLittle(uint64_t value, size_t bytes, std::string* out);
void AppendCompactSize(uint64_t value, std::string* out);

// A block's tree over its transactions: double SHA-256 of pairs, an odd last
// one paired with itself. Neither may be empty, and index < txids.size().
Digest BlockMerkleRoot(std::vector<Digest> txids);
// The hashes beside the way from the transaction at `index` to the root.
std::vector<Digest> BlockMerkleBranch(std::vector<Digest> txids, size_t index);
// The root that a branch leads to.
Digest RootOfBlockBranch(const Digest& txid, uint64_t index,
                         const std::vector<Digest>& branch);

// The two things that a header is asked for.
inline constexpr size_t kBlockHeaderBytes = 80;
// InvalidArgument unless `header` has 80 bytes.
absl::StatusOr<Digest> MerkleRootOfHeader(absl::string_view header);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHAIN_BYTES_H_
