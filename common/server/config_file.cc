#include "common/server/config_file.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace windproof {
namespace {

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '_';
}

// Reads the right-hand side of one line from its start.
class ValueReader {
 public:
  explicit ValueReader(absl::string_view text) : rest_(text) {}

  // Each returns what is wrong, or nothing.
  std::string Read(std::vector<std::string>* values) {
    SkipBlanks();
    std::string error;
    if (absl::ConsumePrefix(&rest_, "[")) {
      error = ReadArray(values);
    } else {
      values->emplace_back();
      error = ReadOne("", &values->back());
    }
    if (!error.empty()) return error;
    SkipBlanks();
    if (!rest_.empty() && rest_[0] != '#') {
      return absl::StrCat("there is more after the value: ",
                          absl::Utf8SafeCHexEscape(rest_));
    }
    return "";
  }

 private:
  void SkipBlanks() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }

  std::string ReadArray(std::vector<std::string>* values) {
    SkipBlanks();
    if (absl::ConsumePrefix(&rest_, "]")) return "";
    while (true) {
      values->emplace_back();
      std::string error = ReadOne(",]", &values->back());
      if (!error.empty()) return error;
      SkipBlanks();
      if (absl::ConsumePrefix(&rest_, "]")) return "";
      if (!absl::ConsumePrefix(&rest_, ",")) {
        return "an array ends with ] on its line";
      }
      SkipBlanks();
      if (absl::ConsumePrefix(&rest_, "]")) return "";
    }
  }

  // A quoted string, or a bare word up to one of `ends`, a comment or the end.
  std::string ReadOne(absl::string_view ends, std::string* value) {
    SkipBlanks();
    if (absl::ConsumePrefix(&rest_, "\"")) return ReadQuoted(value);
    size_t end = 0;
    while (end < rest_.size() && ends.find(rest_[end]) == ends.npos) {
      const bool blank_before =
          end == 0 || rest_[end - 1] == ' ' || rest_[end - 1] == '\t';
      if (rest_[end] == '#' && blank_before) break;
      ++end;
    }
    *value =
        std::string(absl::StripTrailingAsciiWhitespace(rest_.substr(0, end)));
    rest_.remove_prefix(end);
    if (value->empty()) return "there is no value; \"\" is the empty one";
    if (value->find('"') != std::string::npos) {
      return "a quote stands in a bare word; begin the value with it";
    }
    return "";
  }

  std::string ReadQuoted(std::string* value) {
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return "";
      if (c != '\\') {
        value->push_back(c);
        continue;
      }
      if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\\')) {
        return "after a backslash only \" and \\ are accepted";
      }
      value->push_back(rest_[0]);
      rest_.remove_prefix(1);
    }
    return "the closing quote is missing";
  }

  absl::string_view rest_;
};

// What is wrong with a line, or nothing.
std::string ParseLine(absl::string_view line, ConfigEntry* entry) {
  if (line[0] == '[') return "sections are not accepted";
  size_t end = 0;
  while (end < line.size() && IsNameCharacter(line[end])) ++end;
  entry->name = std::string(line.substr(0, end));
  line = absl::StripLeadingAsciiWhitespace(line.substr(end));
  if (entry->name.empty() || !absl::ConsumePrefix(&line, "=")) {
    return "the line is not `name = value`";
  }
  std::string error = ValueReader(line).Read(&entry->values);
  return error.empty() ? "" : absl::StrCat(entry->name, ": ", error);
}

}  // namespace

absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  std::vector<ConfigEntry> entries;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    ConfigEntry entry{.line = number, .name = "", .values = {}};
    const std::string error = ParseLine(line, &entry);
    if (!error.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", error));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace windproof
