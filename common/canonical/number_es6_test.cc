// The public ES6 number vectors (github.com/cyberphone/json-canonicalization):
// a million doubles, described there and made here, whose forms must have the
// published SHA-256; and the recorded file of the first 10,000, if it is there.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/number.h"
#include "common/crypto/sha256.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr uint64_t kFixed[] = {
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001,
    0x8000000000000001, 0xc46696695dbd1cc3, 0xc43211ede4974a35,
    0xc3fce97ca0f21056, 0xc3c7213080c1a6ac, 0xc39280f39a348556,
    0xc35d9b1f5d20d557, 0xc327af4c4a80aaac, 0xc2f2f2a36ecd5556,
    0xc2be51057e155558, 0xc28840d131aaaaac, 0xc253670dc1555557,
    0xc21f0b4935555557, 0xc1e8d5d42aaaaaac, 0xc1b3de4355555556,
    0xc17fca0555555556, 0xc1496e6aaaaaaaab, 0xc114585555555555,
    0xc0e046aaaaaaaaab, 0xc0aa0aaaaaaaaaaa, 0xc074d55555555555,
    0xc040aaaaaaaaaaab, 0xc00aaaaaaaaaaaab, 0xbfd5555555555555,
    0xbfa1111111111111, 0xbf6b4e81b4e81b4f, 0xbf35d867c3ece2a5,
    0xbf0179ec9cbd821e, 0xbecbf647612f3696, 0xbe965e9f80f29212,
    0xbe61e54c672874db, 0xbe2ca213d840baf8, 0xbdf6e80fe033c8c6,
    0xbdc2533fe68fd3d2, 0xbd8d51ffd74c861c, 0xbd5774ccac3d3817,
    0xbd22c3d6f030f9ac, 0xbcee0624b3818f79, 0xbcb804ea293472c7,
    0xbc833721ba905bd3, 0xbc4ebe9c5db3c61e, 0xbc18987d17c304e5,
    0xbbe3ad30dfcf371d, 0xbbaf7b816618582f, 0xbb792f9ab81379bf,
    0xbb442615600f9499, 0xbb101e77800c76e1, 0xbad9ca58cce0be35,
    0xbaa4a1e0a3e6fe90, 0xba708180831f320d, 0xba3a68cd9e985016,
    0x446696695dbd1cc3, 0x443211ede4974a35, 0x43fce97ca0f21056,
    0x43c7213080c1a6ac, 0x439280f39a348556, 0x435d9b1f5d20d557,
    0x4327af4c4a80aaac, 0x42f2f2a36ecd5556, 0x42be51057e155558,
    0x428840d131aaaaac, 0x4253670dc1555557, 0x421f0b4935555557,
    0x41e8d5d42aaaaaac, 0x41b3de4355555556, 0x417fca0555555556,
    0x41496e6aaaaaaaab, 0x4114585555555555, 0x40e046aaaaaaaaab,
    0x40aa0aaaaaaaaaaa, 0x4074d55555555555, 0x4040aaaaaaaaaaab,
    0x400aaaaaaaaaaaab, 0x3fd5555555555555, 0x3fa1111111111111,
    0x3f6b4e81b4e81b4f, 0x3f35d867c3ece2a5, 0x3f0179ec9cbd821e,
    0x3ecbf647612f3696, 0x3e965e9f80f29212, 0x3e61e54c672874db,
    0x3e2ca213d840baf8, 0x3df6e80fe033c8c6, 0x3dc2533fe68fd3d2,
    0x3d8d51ffd74c861c, 0x3d5774ccac3d3817, 0x3d22c3d6f030f9ac,
    0x3cee0624b3818f79, 0x3cb804ea293472c7, 0x3c833721ba905bd3,
    0x3c4ebe9c5db3c61e, 0x3c18987d17c304e5, 0x3be3ad30dfcf371d,
    0x3baf7b816618582f, 0x3b792f9ab81379bf, 0x3b442615600f9499,
    0x3b101e77800c76e1, 0x3ad9ca58cce0be35, 0x3aa4a1e0a3e6fe90,
    0x3a708180831f320d, 0x3a3a68cd9e985016, 0x4024000000000000,
    0x4014000000000000, 0x3fe0000000000000, 0x3fa999999999999a,
    0x3f747ae147ae147b, 0x3f40624dd2f1a9fc, 0x3f0a36e2eb1c432d,
    0x3ed4f8b588e368f1, 0x3ea0c6f7a0b5ed8d, 0x3e6ad7f29abcaf48,
    0x3e35798ee2308c3a, 0x3ed539223589fa95, 0x3ed4ff26cd5a7781,
    0x3ed4f95a762283ff, 0x3ed4f8c60703520c, 0x3ed4f8b72f19cd0d,
    0x3ed4f8b5b31c0c8d, 0x3ed4f8b58d1c461a, 0x3ed4f8b5894f7f0e,
    0x3ed4f8b588ee37f3, 0x3ed4f8b588e47da4, 0x3ed4f8b588e3849c,
    0x3ed4f8b588e36bb5, 0x3ed4f8b588e36937, 0x3ed4f8b588e368f8,
    0x3ed4f8b588e368f1, 0x3ff0000000000000, 0xbff0000000000000,
    0xbfeffffffffffffa, 0xbfeffffffffffffb, 0x3feffffffffffffa,
    0x3feffffffffffffb, 0x3feffffffffffffc, 0x3feffffffffffffe,
    0xbfefffffffffffff, 0xbfefffffffffffff, 0x3fefffffffffffff,
    0x3fefffffffffffff, 0x3fd3333333333332, 0x3fd3333333333333,
    0x3fd3333333333334, 0x0010000000000000, 0x000ffffffffffffd,
    0x000fffffffffffff, 0x7fefffffffffffff, 0xffefffffffffffff,
    0x4340000000000000, 0xc340000000000000, 0x4430000000000000,
    0x44b52d02c7e14af5, 0x44b52d02c7e14af6, 0x44b52d02c7e14af7,
    0x444b1ae4d6e2ef4e, 0x444b1ae4d6e2ef4f, 0x444b1ae4d6e2ef50,
    0x3eb0c6f7a0b5ed8c, 0x3eb0c6f7a0b5ed8d, 0x41b3de4355555553,
    0x41b3de4355555554, 0x41b3de4355555555, 0x41b3de4355555556,
    0x41b3de4355555557, 0xbecbf647612f3696, 0x43143ff3c1cb0959,
};
constexpr int kSerials = 2000;  // 0x0010000000000000 and what follows it

double DoubleOf(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Gives the bits of the doubles one by one: the fixed ones, the serials, and
// then the little-endian words of a chain of SHA-256, without 0, NaN and
// infinities.
class Es6Doubles {
 public:
  uint64_t Next() {
    const int index = count_++;
    constexpr int kFixedCount = sizeof(kFixed) / sizeof(kFixed[0]);
    if (index < kFixedCount) return kFixed[index];
    if (index < kFixedCount + kSerials) {
      return 0x0010000000000000 + static_cast<uint64_t>(index - kFixedCount);
    }
    while (true) {
      if (used_ == sizeof(Digest)) {
        state_ = Sha256Of(BytesOf(state_));
        used_ = 0;
      }
      uint64_t bits = 0;
      for (int i = 7; i >= 0; --i) bits = bits << 8 | state_[used_ + i];
      used_ += 8;
      constexpr uint64_t kExponent = 0x7FF0000000000000;
      const bool finite = (bits & kExponent) != kExponent;
      if (finite && bits << 1 != 0) return bits;
    }
  }

 private:
  int count_ = 0;
  Digest state_{};
  size_t used_ = sizeof(Digest);
};

std::string CanonicalNumber(double value) {
  std::string text;
  AppendCanonicalNumber(value, &text);
  return text;
}

std::string CanonicalNumberText(absl::string_view text) {
  std::string canonical;
  AppendCanonicalNumberText(text, &canonical);
  return canonical;
}

TEST(Es6NumberTest, MillionDoublesHaveThePublishedHashes) {
  const struct {
    int lines;
    absl::string_view sha256;
  } kPublished[] = {
      {1'000,
       "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"},
      {10'000,
       "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"},
      {100'000,
       "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7"},
      {1'000'000,
       "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16"},
  };
  Es6Doubles doubles;
  std::string file;
  int lines = 0;
  for (const auto& published : kPublished) {
    for (; lines < published.lines; ++lines) {
      const uint64_t bits = doubles.Next();
      absl::StrAppend(&file, absl::Hex(bits), ",");
      AppendCanonicalNumber(DoubleOf(bits), &file);
      file.push_back('\n');
    }
    EXPECT_EQ(HexOf(Sha256Of(file)), published.sha256)
        << "first " << published.lines << " lines";
  }
}

// The form of a double is a text of the same double, and its own form.
TEST(Es6NumberTest, FormsComeBackToTheirDoubles) {
  Es6Doubles doubles;
  for (int i = 0; i < 200'000; ++i) {
    const double value = DoubleOf(doubles.Next());
    const std::string text = CanonicalNumber(value);
    ASSERT_EQ(NumberFromText(text), value) << text;
    ASSERT_EQ(CanonicalNumberText(text), text);
  }
}

TEST(Es6NumberTest, RecordedFile) {
  const char* const shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  const std::string path =
      absl::StrCat(shared, "/data/rfc8785/es6testfile-10k.txt");
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << path << " is not there";
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    const size_t comma = line.find(',');
    ASSERT_NE(comma, std::string::npos) << line;
    const std::string expected = line.substr(comma + 1);
    const double value =
        DoubleOf(std::strtoull(line.substr(0, comma).c_str(), nullptr, 16));
    ASSERT_EQ(CanonicalNumber(value), expected) << line;
    ASSERT_EQ(CanonicalNumberText(expected), expected) << line;
    // 17 digits name every double; their text is none of ours.
    std::ostringstream digits;
    digits.precision(17);
    digits << std::scientific << value;
    ASSERT_EQ(CanonicalNumberText(digits.str()), expected) << line;
    ++lines;
  }
  EXPECT_EQ(lines, 10'000);
}

}  // namespace
}  // namespace windproof
