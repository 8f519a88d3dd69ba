#include "services/anchor/ledger_keys.h"

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"

namespace windproof {

std::string LedgerStreamKey(absl::string_view pipeline, absl::string_view key) {
  return absl::StrCat(pipeline, "/", key);
}

std::string LedgerWindowKey(absl::string_view pipeline, absl::string_view key,
                            int64_t start_ms) {
  std::string text = absl::StrCat(pipeline, "/", key, "/");
  AppendTimestamp(TimestampFromMillis(start_ms), &text);
  return text;
}

std::string LedgerHeadsKey(absl::string_view origin) {
  return absl::StrCat("head:", origin);
}

}  // namespace windproof
