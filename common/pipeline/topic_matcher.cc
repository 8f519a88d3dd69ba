// TopicMatcher of spec.h.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/spec_rules.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr size_t kTopicMax = 249;     // Kafka's own limit
constexpr size_t kPatternMax = 1000;  // std::regex compiles by recursion

bool IsTopicName(absl::string_view topic) {
  if (topic.empty() || topic.size() > kTopicMax || topic == "." ||
      topic == "..") {
    return false;
  }
  return std::all_of(topic.begin(), topic.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '_' || c == '-';
  });
}

bool IsPattern(absl::string_view topic) {
  return !topic.empty() && topic[0] == '^';
}

absl::StatusOr<std::regex> CompilePattern(absl::string_view member,
                                          absl::string_view pattern) {
  constexpr absl::string_view kAccepted =
      "a pattern is ^ and an ECMAScript regular expression, up to 1000 bytes";
  if (pattern.size() > kPatternMax) {
    return WrongInSpec(member, ShownText(pattern), kAccepted);
  }
  try {
    return std::regex(pattern.begin(), pattern.end(),
                      std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    return WrongInSpec(member, ShownText(pattern),
                       absl::StrCat(kAccepted, " (", error.what(), ")"));
  }
}

}  // namespace

struct TopicMatcher::Compiled {
  std::vector<std::string> names;
  std::vector<std::regex> patterns;
};

absl::StatusOr<TopicMatcher> TopicMatcher::Create(
    const std::vector<std::string>& topics) {
  if (topics.empty()) {
    return absl::InvalidArgumentError(
        "topics is empty; at least one topic name or ^pattern is accepted");
  }
  auto compiled = std::make_shared<Compiled>();
  for (size_t i = 0; i < topics.size(); ++i) {
    const std::string member = absl::StrCat("topics[", i, "]");
    if (IsPattern(topics[i])) {
      absl::StatusOr<std::regex> pattern = CompilePattern(member, topics[i]);
      if (!pattern.ok()) return pattern.status();
      compiled->patterns.push_back(*std::move(pattern));
    } else if (IsTopicName(topics[i])) {
      compiled->names.push_back(topics[i]);
    } else {
      return WrongInSpec(
          member, ShownText(topics[i]),
          "1 to 249 of a-z A-Z 0-9 . _ - (not . or ..), or a pattern "
          "that begins with ^, is accepted");
    }
  }
  TopicMatcher matcher;
  matcher.compiled_ = std::move(compiled);
  return matcher;
}

bool TopicMatcher::Matches(absl::string_view topic) const {
  // No topic has such a name, and a regular expression takes stack for each
  // character that it matches.
  if (!IsTopicName(topic)) return false;
  const auto& names = compiled_->names;
  if (std::find(names.begin(), names.end(), topic) != names.end()) return true;
  return std::any_of(compiled_->patterns.begin(), compiled_->patterns.end(),
                     [topic](const std::regex& pattern) {
                       try {
                         return std::regex_match(topic.begin(), topic.end(),
                                                 pattern);
                       } catch (const std::regex_error&) {
                         return false;  // too complex to match: not a match
                       }
                     });
}

}  // namespace windproof
