#include "services/window_hash/store_keys.h"

#include <cstddef>
#include <utility>

#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void AppendName(absl::string_view name, std::string* out) {
  out->append(name.data(), name.size());
  out->push_back('\0');
}

template <typename Unsigned>
void AppendBigEndian(Unsigned value, std::string* out) {
  for (int shift = 8 * (static_cast<int>(sizeof(Unsigned)) - 1); shift >= 0;
       shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

void AppendSigned(int64_t value, std::string* out) {
  AppendBigEndian(static_cast<uint64_t>(value) ^ kSignBit, out);
}

void AppendSource(const TopicPartition& source, std::string* out) {
  AppendName(source.topic, out);
  AppendBigEndian(static_cast<uint32_t>(source.partition), out);
}

// Takes a key apart from the front. After a failure nothing more succeeds.
class KeyParser {
 public:
  explicit KeyParser(absl::string_view bytes) : rest_(bytes) {}

  bool Letter(char letter) {
    if (rest_.empty() || rest_.front() != letter) return Fail();
    rest_.remove_prefix(1);
    return true;
  }

  bool Name(std::string* name) {
    const size_t end = rest_.find('\0');
    if (end == absl::string_view::npos || end == 0) return Fail();
    *name = std::string(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool Signed(int64_t* value) {
    uint64_t bits = 0;
    if (!BigEndian(&bits)) return false;
    *value = static_cast<int64_t>(bits ^ kSignBit);
    return true;
  }

  bool Source(TopicPartition* source) {
    uint32_t partition = 0;
    if (!Name(&source->topic) || !BigEndian(&partition)) return false;
    source->partition = static_cast<int32_t>(partition);
    return true;
  }

  bool AtEnd() const { return !failed_ && rest_.empty(); }

 private:
  template <typename Unsigned>
  bool BigEndian(Unsigned* value) {
    if (rest_.size() < sizeof(Unsigned)) return Fail();
    *value = 0;
    for (size_t i = 0; i < sizeof(Unsigned); ++i) {
      *value = static_cast<Unsigned>((*value << 8) |
                                     static_cast<unsigned char>(rest_[i]));
    }
    rest_.remove_prefix(sizeof(Unsigned));
    return true;
  }

  bool Fail() {
    failed_ = true;
    rest_ = absl::string_view();
    return false;
  }

  absl::string_view rest_;
  bool failed_ = false;
};

}  // namespace

bool IsStorableName(absl::string_view name) {
  return !name.empty() && name.find('\0') == absl::string_view::npos;
}

bool IsWindowStart(int64_t start_ms) {
  return start_ms >= kYear0Seconds * 1000 &&
         start_ms < kYear10000Seconds * 1000;
}

std::string PipelinePrefix(absl::string_view pipeline) {
  std::string out;
  AppendName(pipeline, &out);
  return out;
}

std::string KeyPrefix(absl::string_view pipeline, absl::string_view key) {
  std::string out = PipelinePrefix(pipeline);
  AppendName(key, &out);
  return out;
}

std::string WindowPrefix(absl::string_view pipeline, absl::string_view key,
                         int64_t start_ms) {
  std::string out = KeyPrefix(pipeline, key);
  AppendSigned(start_ms, &out);
  return out;
}

std::string PrefixEnd(std::string prefix) {
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::string EncodeWindowKey(const WindowKey& window) {
  std::string out = WindowPrefix(window.pipeline, window.key, window.start_ms);
  AppendSigned(window.revision, &out);
  AppendSource(window.source, &out);
  return out;
}

std::optional<WindowKey> DecodeWindowKey(absl::string_view bytes) {
  KeyParser parser(bytes);
  WindowKey window;
  if (!parser.Name(&window.pipeline) || !parser.Name(&window.key) ||
      !parser.Signed(&window.start_ms) || !parser.Signed(&window.revision) ||
      !parser.Source(&window.source) || !parser.AtEnd() ||
      !IsWindowStart(window.start_ms) || window.revision < 0) {
    return std::nullopt;
  }
  return window;
}

std::string EncodeKeyedNumber(const PipelineSource& source,
                              absl::string_view key, int64_t number) {
  std::string out = KeyPrefix(source.pipeline, key);
  AppendSource(source.source, &out);
  AppendSigned(number, &out);
  return out;
}

std::optional<KeyedNumber> DecodeKeyedNumber(absl::string_view bytes) {
  KeyParser parser(bytes);
  KeyedNumber place;
  if (!parser.Name(&place.source.pipeline) || !parser.Name(&place.key) ||
      !parser.Source(&place.source.source) || !parser.Signed(&place.number) ||
      !parser.AtEnd()) {
    return std::nullopt;
  }
  return place;
}

std::string SourcePrefix(const PipelineSource& source) {
  std::string out = PipelinePrefix(source.pipeline);
  AppendSource(source.source, &out);
  return out;
}

std::string EncodeOpenWindowKey(const PipelineSource& source,
                                absl::string_view key, int64_t start_ms) {
  std::string out = SourcePrefix(source);
  AppendName(key, &out);
  AppendSigned(start_ms, &out);
  return out;
}

std::optional<OpenWindowKey> DecodeOpenWindowKey(absl::string_view bytes) {
  KeyParser parser(bytes);
  OpenWindowKey window;
  if (!parser.Name(&window.source.pipeline) ||
      !parser.Source(&window.source.source) || !parser.Name(&window.key) ||
      !parser.Signed(&window.start_ms) || !parser.AtEnd()) {
    return std::nullopt;
  }
  return window;
}

std::string FormatStateKey() { return "f"; }

std::string PipelineStateKey(absl::string_view pipeline) {
  return "s" + PipelinePrefix(pipeline);
}

std::string PartitionStateKey(const PipelineSource& source) {
  return "p" + SourcePrefix(source);
}

std::string PartitionStatePrefix(absl::string_view pipeline) {
  return "p" + PipelinePrefix(pipeline);
}

std::optional<PipelineSource> DecodePartitionStateKey(absl::string_view bytes) {
  KeyParser parser(bytes);
  PipelineSource source;
  if (!parser.Letter('p') || !parser.Name(&source.pipeline) ||
      !parser.Source(&source.source) || !parser.AtEnd()) {
    return std::nullopt;
  }
  return source;
}

std::string ChangelogOffsetKey(const PipelineSource& source) {
  return "c" + SourcePrefix(source);
}

std::string KeyStatePrefix(const PipelineSource& source) {
  return "k" + SourcePrefix(source);
}

std::string KeyStateKey(const PipelineSource& source, absl::string_view key) {
  std::string out = KeyStatePrefix(source);
  AppendName(key, &out);
  return out;
}

std::optional<std::string> DecodeKeyStateKey(absl::string_view prefix,
                                             absl::string_view bytes) {
  if (bytes.substr(0, prefix.size()) != prefix) return std::nullopt;
  KeyParser parser(bytes.substr(prefix.size()));
  std::string key;
  if (!parser.Name(&key) || !parser.AtEnd()) return std::nullopt;
  return key;
}

}  // namespace windproof
