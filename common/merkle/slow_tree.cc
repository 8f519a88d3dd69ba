#include "common/merkle/slow_tree.h"

#include "absl/strings/str_cat.h"
#include "common/merkle/tree.h"

namespace windproof {
namespace {

SlowEntries Slice(const SlowEntries& d, uint64_t begin, uint64_t end) {
  return SlowEntries(d.begin() + begin, d.begin() + end);
}

uint64_t LargestPowerOfTwoBelow(uint64_t n) {
  uint64_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

std::vector<Digest> Then(std::vector<Digest> list, const Digest& last) {
  list.push_back(last);
  return list;
}

std::vector<Digest> SubProof(uint64_t m, const SlowEntries& d, bool b) {
  const uint64_t n = d.size();
  if (m == n)
    return b ? std::vector<Digest>{} : std::vector<Digest>{SlowMth(d)};
  const uint64_t k = LargestPowerOfTwoBelow(n);
  if (m <= k) {
    return Then(SubProof(m, Slice(d, 0, k), b), SlowMth(Slice(d, k, n)));
  }
  return Then(SubProof(m - k, Slice(d, k, n), false), SlowMth(Slice(d, 0, k)));
}

}  // namespace

Digest SlowMth(const SlowEntries& d) {
  const uint64_t n = d.size();
  if (n == 0) return Sha256Of("");
  if (n == 1) return Sha256Of(std::string(1, '\x00') + d[0]);
  const uint64_t k = LargestPowerOfTwoBelow(n);
  return Sha256Of(std::string(1, '\x01') +
                  std::string(BytesOf(SlowMth(Slice(d, 0, k)))) +
                  std::string(BytesOf(SlowMth(Slice(d, k, n)))));
}

std::vector<Digest> SlowPath(uint64_t m, const SlowEntries& d) {
  const uint64_t n = d.size();
  if (n == 1) return {};
  const uint64_t k = LargestPowerOfTwoBelow(n);
  if (m < k) return Then(SlowPath(m, Slice(d, 0, k)), SlowMth(Slice(d, k, n)));
  return Then(SlowPath(m - k, Slice(d, k, n)), SlowMth(Slice(d, 0, k)));
}

std::vector<Digest> SlowProof(uint64_t m, const SlowEntries& d) {
  return SubProof(m, d, true);
}

SlowEntries SomeEntries(uint64_t n) {
  SlowEntries entries;
  for (uint64_t i = 0; i < n; ++i) {
    // The first is empty; some are longer than a block of SHA-256.
    entries.push_back(i == 0 ? ""
                             : absl::StrCat(i, std::string(i * 7 % 150, 'x')));
  }
  return entries;
}

std::vector<Digest> LeafHashesOf(const SlowEntries& entries) {
  std::vector<Digest> hashes;
  for (const std::string& entry : entries) hashes.push_back(HashLeaf(entry));
  return hashes;
}

}  // namespace windproof
