#include "common/pipeline/text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "simdjson.h"

namespace windproof {

bool IsValidUtf8(absl::string_view bytes) {
  return bytes.empty() || simdjson::validate_utf8(bytes.data(), bytes.size());
}

std::string ShownText(absl::string_view bytes) {
  constexpr size_t kShown = 80;
  absl::string_view shown = bytes.substr(0, kShown);
  // Does not cut a character in two.
  for (int i = 0; i < 3 && shown.size() < bytes.size() && !IsValidUtf8(shown);
       ++i) {
    shown.remove_suffix(1);
  }
  return absl::StrCat("\"",
                      IsValidUtf8(shown) ? absl::Utf8SafeCHexEscape(shown)
                                         : absl::CHexEscape(shown),
                      shown.size() < bytes.size() ? "...\"" : "\"");
}

}  // namespace windproof
