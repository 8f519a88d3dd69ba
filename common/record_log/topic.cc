#include "common/record_log/topic.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

bool IsTopicCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '-';
}

uint32_t ByteAt(absl::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

}  // namespace

absl::Status CheckTopicName(absl::string_view topic) {
  bool good = !topic.empty() && topic.size() <= kMaxTopicSize && topic != "." &&
              topic != "..";
  for (size_t i = 0; good && i < topic.size(); ++i) {
    good = IsTopicCharacter(topic[i]);
  }
  if (good) return absl::OkStatus();
  // One more than the longest name shows that it is too long.
  return absl::InvalidArgumentError(absl::StrCat(
      "topic is `", absl::CHexEscape(topic.substr(0, kMaxTopicSize + 1)),
      "`; 1 to 249 of a-z A-Z 0-9 . _ - are accepted, but not . and .."));
}

uint32_t Murmur2(absl::string_view bytes) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;

  uint32_t hash = kSeed ^ static_cast<uint32_t>(bytes.size());
  size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    uint32_t word = ByteAt(bytes, i) | ByteAt(bytes, i + 1) << 8 |
                    ByteAt(bytes, i + 2) << 16 | ByteAt(bytes, i + 3) << 24;
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = hash * kMultiplier ^ word;
  }
  const size_t rest = bytes.size() - i;
  if (rest == 3) hash ^= ByteAt(bytes, i + 2) << 16;
  if (rest >= 2) hash ^= ByteAt(bytes, i + 1) << 8;
  if (rest >= 1) {
    hash ^= ByteAt(bytes, i);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

int32_t PartitionOfKey(const std::optional<absl::string_view>& key,
                       int32_t partitions) {
  if (!key.has_value() || partitions <= 1) return 0;
  return static_cast<int32_t>((Murmur2(*key) & 0x7fffffff) %
                              static_cast<uint32_t>(partitions));
}

}  // namespace windproof
