#include "tests/multichain/fake_node/block.h"

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"

namespace windproof::fake_node {
namespace {

Digest Parent(const Digest& left, const Digest& right) {
  return DoubleSha256(absl::StrCat(BytesOf(left), BytesOf(right)));
}

std::vector<Digest> LevelAbove(std::vector<Digest> level) {
  if (level.size() % 2 != 0) level.push_back(level.back());
  std::vector<Digest> above;
  above.reserve(level.size() / 2);
  for (size_t i = 0; i < level.size(); i += 2) {
    above.push_back(Parent(level[i], level[i + 1]));
  }
  return above;
}

}  // namespace

absl::optional<Header> ParseHeader(absl::string_view bytes) {
  if (bytes.size() != kHeaderSize) return absl::nullopt;
  ByteReader reader(bytes);
  Header header;
  header.version = static_cast<uint32_t>(reader.Little(4));
  header.previous = reader.Hash();
  header.merkle_root = reader.Hash();
  header.time = static_cast<uint32_t>(reader.Little(4));
  header.bits = static_cast<uint32_t>(reader.Little(4));
  header.nonce = static_cast<uint32_t>(reader.Little(4));
  return header;
}

std::string SolvedHeader(Header header) {
  std::string start;
  AppendLittle(header.version, 4, &start);
  absl::StrAppend(&start, BytesOf(header.previous),
                  BytesOf(header.merkle_root));
  AppendLittle(header.time, 4, &start);
  AppendLittle(header.bits, 4, &start);
  for (;; ++header.nonce) {
    std::string bytes = start;
    AppendLittle(header.nonce, 4, &bytes);
    if (DoubleSha256(bytes).back() == 0) return bytes;
  }
}

Digest MerkleRoot(std::vector<Digest> txids) {
  while (txids.size() > 1) txids = LevelAbove(std::move(txids));
  return txids[0];
}

std::vector<Digest> MerkleBranch(std::vector<Digest> txids, size_t index) {
  std::vector<Digest> branch;
  while (txids.size() > 1) {
    const size_t sibling = index ^ 1;
    branch.push_back(sibling < txids.size() ? txids[sibling] : txids[index]);
    txids = LevelAbove(std::move(txids));
    index /= 2;
  }
  return branch;
}

Digest RootOfBranch(Digest leaf, size_t index,
                    const std::vector<Digest>& branch) {
  for (const Digest& sibling : branch) {
    leaf = index % 2 == 0 ? Parent(leaf, sibling) : Parent(sibling, leaf);
    index /= 2;
  }
  return leaf;
}

}  // namespace windproof::fake_node
