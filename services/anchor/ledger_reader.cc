#include "services/anchor/ledger_reader.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/checkpoint.h"
#include "services/anchor/ledger_keys.h"

namespace windproof {
namespace {

// More revisions and claims of one window than anybody needs to see at once.
constexpr int64_t kMaxWindowItems = 1000;

// Key texts may hold slashes, so `pipeline/key` of one key can be
// `pipeline/key/start` of another: whether an item carries `text` only as a
// name of the kind that was not asked for.
bool IsNamesake(const LedgerItem& item, absl::string_view text,
                bool window_asked) {
  // The usual item carries both names, the stream's a beginning of the
  // window's, and needs not be parsed.
  for (const std::string& key : item.keys) {
    const absl::string_view shorter = window_asked ? key : text;
    const absl::string_view longer = window_asked ? text : key;
    if (longer.size() > shorter.size() && absl::StartsWith(longer, shorter) &&
        longer[shorter.size()] == '/') {
      return false;
    }
  }
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(item.data);
  if (!checkpoint.ok()) return false;
  const std::string stream =
      LedgerStreamKey(checkpoint->pipeline, checkpoint->key);
  const std::string window = LedgerWindowKey(
      checkpoint->pipeline, checkpoint->key, checkpoint->window_start_ms);
  return window_asked ? stream == text : window == text;
}

template <typename Keep>
void KeepIf(LedgerPage& page, Keep keep) {
  page.items.erase(
      std::remove_if(page.items.begin(), page.items.end(),
                     [&](const LedgerItem& item) { return !keep(item); }),
      page.items.end());
}

}  // namespace

bool Matches(const LedgerFilter& filter, const LedgerItem& item) {
  if (filter.pipeline.empty() && filter.key.empty()) return true;
  if (item.keys.empty()) return true;
  if (!filter.pipeline.empty()) {
    const std::string stream = LedgerStreamKey(filter.pipeline, filter.key);
    for (const std::string& key : item.keys) {
      if (filter.key.empty()
              ? absl::StartsWith(key, stream)
              : key == stream && !IsNamesake(item, stream, false)) {
        return true;
      }
    }
  }
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(item.data);
  return checkpoint.ok() &&
         (filter.pipeline.empty() || checkpoint->pipeline == filter.pipeline) &&
         (filter.key.empty() || checkpoint->key == filter.key);
}

absl::StatusOr<LedgerPage> ReadWindow(Ledger& ledger,
                                      absl::string_view pipeline,
                                      absl::string_view key, int64_t start_ms,
                                      int64_t min_confirmations) {
  const std::string window = LedgerWindowKey(pipeline, key, start_ms);
  LedgerQuery query;
  query.max_items = kMaxWindowItems;
  query.with_inclusion = true;
  query.min_confirmations = min_confirmations;
  absl::StatusOr<LedgerPage> page = ledger.Find(window, query);
  if (!page.ok()) return page.status();
  KeepIf(*page, [&](const LedgerItem& item) {
    return !IsNamesake(item, window, true);
  });
  return page;
}

absl::StatusOr<LedgerPage> ReadMatching(Ledger& ledger,
                                        const LedgerFilter& filter,
                                        LedgerQuery query) {
  const bool one_key = !filter.pipeline.empty() && !filter.key.empty();
  if (one_key) {
    const std::string stream = LedgerStreamKey(filter.pipeline, filter.key);
    absl::StatusOr<LedgerPage> page = ledger.Find(stream, query);
    if (!page.ok()) return page.status();
    KeepIf(*page, [&](const LedgerItem& item) {
      return !IsNamesake(item, stream, false);
    });
    return page;
  }
  absl::StatusOr<LedgerPage> page = ledger.Read(query);
  if (!page.ok()) return page.status();
  KeepIf(*page, [&](const LedgerItem& item) { return Matches(filter, item); });
  return page;
}

}  // namespace windproof
