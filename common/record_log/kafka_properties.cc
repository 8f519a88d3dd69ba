#include "common/record_log/kafka_properties.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | code >> 6));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xE0 | code >> 12));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// Takes lines off a text.
class Lines {
 public:
  explicit Lines(absl::string_view text) : rest_(text) {}

  // Without its end; nothing after the last one.
  std::optional<absl::string_view> Next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const size_t end = rest_.find_first_of("\r\n");
    const absl::string_view line = rest_.substr(0, end);
    if (end == absl::string_view::npos) {
      rest_ = {};
    } else {
      const bool two = rest_[end] == '\r' && end + 1 < rest_.size() &&
                       rest_[end + 1] == '\n';
      rest_.remove_prefix(end + (two ? 2 : 1));
    }
    return line;
  }

  int number() const { return number_; }

 private:
  absl::string_view rest_;
  int number_ = 0;
};

absl::string_view WithoutLeadingBlanks(absl::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

// Whether the line ends in a backslash that is not itself escaped.
bool Continues(absl::string_view line) {
  size_t backslashes = 0;
  while (backslashes < line.size() &&
         line[line.size() - 1 - backslashes] == '\\') {
    ++backslashes;
  }
  return backslashes % 2 == 1;
}

// The text without escapes, or what is wrong.
absl::StatusOr<std::string> Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char c = text[++i];
    switch (c) {
      case 't':
        out.push_back('\t');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'u': {
        uint32_t code = 0;
        for (int j = 0; j < 4; ++j) {
          ++i;
          if (i >= text.size() || !absl::ascii_isxdigit(text[i])) {
            return absl::InvalidArgumentError(
                "\\u is not followed by 4 hex digits");
          }
          const char digit = absl::ascii_tolower(text[i]);
          code = code << 4 | static_cast<uint32_t>(
                                 digit <= '9' ? digit - '0' : digit - 'a' + 10);
        }
        if (code == 0 || (code >= 0xD800 && code < 0xE000)) {
          return absl::InvalidArgumentError(
              "\\u0000 and surrogates are not accepted");
        }
        AppendUtf8(code, &out);
        break;
      }
      default:
        out.push_back(c);
    }
  }
  return out;
}

// Where the key ends: at the first separator that is not escaped.
size_t KeyEnd(absl::string_view line) {
  size_t i = 0;
  while (i < line.size() && line[i] != '=' && line[i] != ':' &&
         !IsBlank(line[i])) {
    i += line[i] == '\\' ? 2 : 1;
  }
  return std::min(i, line.size());
}

}  // namespace

std::string KafkaProperties::Where(const KafkaProperty& property) const {
  if (file.empty() || property.line == 0) return property.key;
  return absl::StrCat(file, ":", property.line, ": ", property.key);
}

absl::StatusOr<KafkaProperties> ParseKafkaProperties(absl::string_view text,
                                                     absl::string_view file) {
  KafkaProperties properties;
  properties.file = std::string(file);
  std::map<std::string, int> line_of;
  Lines lines(text);
  while (const std::optional<absl::string_view> first = lines.Next()) {
    const int number = lines.number();
    const auto error = [&](absl::string_view message) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ":", number, ": ", message));
    };
    absl::string_view start = WithoutLeadingBlanks(*first);
    if (start.empty() || start.front() == '#' || start.front() == '!') continue;
    std::string line(start);
    while (Continues(line)) {
      line.pop_back();
      const std::optional<absl::string_view> more = lines.Next();
      if (!more.has_value()) break;
      absl::StrAppend(&line, WithoutLeadingBlanks(*more));
    }
    if (absl::StrContains(line, '\0')) return error("has a zero byte");

    const size_t key_end = KeyEnd(line);
    absl::string_view rest =
        WithoutLeadingBlanks(absl::string_view(line).substr(key_end));
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) {
      rest = WithoutLeadingBlanks(rest.substr(1));
    }
    const auto key = Unescape(absl::string_view(line).substr(0, key_end));
    if (!key.ok()) return error(key.status().message());
    if (key->empty()) return error("no key; KEY=VALUE is accepted");
    auto value = Unescape(rest);
    if (!value.ok()) {
      return error(absl::StrCat(*key, ": ", value.status().message()));
    }
    const auto [set, is_new] = line_of.emplace(*key, number);
    if (!is_new) {
      return error(
          absl::StrCat(*key, " is set already, in line ", set->second));
    }
    properties.entries.push_back({*key, *std::move(value), number});
  }
  return properties;
}

absl::StatusOr<KafkaProperties> ReadKafkaProperties(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    const std::string message =
        absl::StrCat("cannot read ", path, ": ", strerror(errno));
    if (errno == ENOENT) return absl::NotFoundError(message);
    return absl::UnavailableError(message);
  }
  std::string text;
  std::string block(size_t{64} << 10, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) ||
         in.gcount() > 0) {
    text.append(block.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kMaxFileBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " has more than ", kMaxFileBytes, " bytes"));
    }
  }
  if (in.bad() || !in.eof()) {
    return absl::UnavailableError(
        absl::StrCat("cannot read ", path, ": ", strerror(errno)));
  }
  return ParseKafkaProperties(text, path);
}

}  // namespace windproof
