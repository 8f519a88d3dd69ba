#include "services/verifier/anchor_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/canonical/json_value.h"
#include "common/canonical/timestamp.h"
#include "common/merkle/tree.h"
#include "services/anchor/ledger_head.h"

namespace windproof {
namespace {

// The first member, in RFC 8785 order, whose values differ: its path, and both
// values as JSON. Empty path: the documents have the same values.
struct Difference {
  std::string path;
  std::string first;
  std::string second;
};

// A text as it is, anything else as JSON; a text beside something else as JSON
// too, so that "1" and 1 look different.
std::string TextOf(const JsonValue* value, const JsonValue* beside) {
  if (value == nullptr) return "";
  const auto is_text = [](const JsonValue& one) {
    return one.kind == JsonValue::Kind::kString;
  };
  if (is_text(*value) && (beside == nullptr || is_text(*beside))) {
    return value->string;
  }
  return CanonicalJson(*value);
}

Difference FirstDifference(const JsonValue& first, const JsonValue& second,
                           const std::string& path) {
  const bool objects = first.kind == JsonValue::Kind::kObject &&
                       second.kind == JsonValue::Kind::kObject;
  if (!objects) {
    std::string a = TextOf(&first, &second);
    std::string b = TextOf(&second, &first);
    if (a == b) return {};
    return {path.empty() ? "checkpoint" : path, std::move(a), std::move(b)};
  }
  std::vector<absl::string_view> names;
  for (const JsonValue* object : {&first, &second}) {
    for (const auto& [name, value] : object->members) names.push_back(name);
  }
  std::sort(names.begin(), names.end(), Utf16Less);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const absl::string_view name : names) {
    const JsonValue* a = first.Find(name);
    const JsonValue* b = second.Find(name);
    const std::string member =
        absl::StrCat(path, path.empty() ? "" : ".", Shown(name));
    if (a == nullptr || b == nullptr) {
      return {member, TextOf(a, b), TextOf(b, a)};
    }
    Difference difference = FirstDifference(*a, *b, member);
    if (!difference.path.empty()) return difference;
  }
  return {};
}

// Names the first member in which two checkpoints differ.
Finding DifferenceFinding(absl::string_view code, absl::string_view expected,
                          absl::string_view found, absl::string_view what) {
  const absl::StatusOr<JsonValue> first = ParseJson(expected);
  const absl::StatusOr<JsonValue> second = ParseJson(found);
  if (first.ok() && second.ok()) {
    const Difference difference = FirstDifference(*first, *second, "");
    if (!difference.path.empty()) {
      return MakeFinding(code, Shown(difference.first),
                         Shown(difference.second),
                         absl::StrCat(difference.path, ": ", what));
    }
  }
  const size_t size = std::min(expected.size(), found.size());
  size_t at = 0;
  while (at < size && expected[at] == found[at]) ++at;
  return MakeFinding(code, Shown(expected.substr(at, 80)),
                     Shown(found.substr(at, 80)),
                     absl::StrCat("byte ", at, ": ", what));
}

std::string KeysText(const std::vector<absl::string_view>& keys) {
  return Shown(absl::StrJoin(keys, ", "));
}

}  // namespace

CheckedHead CheckHead(const ServedHead& served, const VerifierKey& ledger) {
  CheckedHead checked;
  absl::StatusOr<TreeHead> head = OpenLedgerHead(served.note, ledger);
  if (!head.ok()) {
    checked.outcome = CheckOutcome::Of({MakeFinding(
        "HEAD_INVALID", absl::StrCat("a head signed by ", ledger.name),
        Shown(served.note), Shown(head.status().message()))});
    return checked;
  }
  std::vector<Finding> findings;
  if (head->size != static_cast<uint64_t>(served.size) ||
      served.root != BytesOf(head->root)) {
    findings.push_back(MakeFinding(
        "HEAD_MISMATCH", absl::StrCat(head->size, " ", HexOf(head->root)),
        absl::StrCat(served.size, " ", absl::BytesToHexString(served.root)),
        "size or root beside the signed head are not those of the head"));
  }
  checked.outcome = CheckOutcome::Of(std::move(findings));
  checked.head = *std::move(head);
  return checked;
}

CheckedItem CheckItem(const ServedItem& item, const CheckedHead& head,
                      const VerifierKey& ledger) {
  CheckedItem checked;
  std::vector<Finding> findings = head.outcome.findings;
  const std::string where =
      absl::StrCat("the ledger item at position ", item.position);

  absl::StatusOr<LedgerEntry> entry = ParseLedgerEntry(item.entry);
  if (!entry.ok()) {
    findings.push_back(
        MakeFinding("ENTRY_MALFORMED", "a ledger entry",
                    absl::StrCat(item.entry.size(), " bytes"),
                    absl::StrCat(where, ": ", entry.status().message())));
  } else {
    const auto compare = [&](absl::string_view member, std::string in_entry,
                             std::string shown) {
      if (in_entry == shown) return;
      findings.push_back(
          MakeFinding("ENTRY_MISMATCH", Shown(in_entry), Shown(shown),
                      absl::StrCat(where, " shows another ", member,
                                   " than its entry bytes")));
    };
    compare("position", absl::StrCat(entry->position),
            absl::StrCat(item.position));
    compare("txid", HexOf(LedgerEntryHash(item.entry)), std::string(item.txid));
    compare("publisher", std::string(entry->publisher),
            std::string(item.publisher));
    if (entry->keys != item.keys) {
      findings.push_back(MakeFinding(
          "ENTRY_MISMATCH", KeysText(entry->keys), KeysText(item.keys),
          absl::StrCat(where, " shows other keys than its entry bytes")));
    }
    if (entry->data != item.checkpoint) {
      findings.push_back(DifferenceFinding(
          "ENTRY_MISMATCH", entry->data, item.checkpoint,
          absl::StrCat(where, " shows another checkpoint than its entry")));
    }
    if (entry->publisher != ledger.name) {
      findings.push_back(MakeFinding(
          "PUBLISHER_UNTRUSTED", ledger.name, Shown(entry->publisher),
          absl::StrCat(where, " is not published by the trusted ledger")));
    }
    checked.entry = *std::move(entry);
  }

  bool unconfirmed = false;
  if (head.head.has_value()) {
    if (item.position < 0 ||
        static_cast<uint64_t>(item.position) >= head.head->size) {
      unconfirmed = true;
    } else if (!item.inclusion.has_value()) {
      findings.push_back(MakeFinding(
          "PROOF_MISSING",
          absl::StrCat("a proof to the head of size ", head.head->size), "",
          absl::StrCat(where, " comes without an inclusion proof")));
    } else if (item.inclusion->leaf_index !=
                   static_cast<uint64_t>(item.position) ||
               item.inclusion->leaf_count != head.head->size) {
      findings.push_back(MakeFinding(
          "PROOF_INVALID",
          absl::StrCat("leaf ", item.position, " of ", head.head->size),
          absl::StrCat("leaf ", item.inclusion->leaf_index, " of ",
                       item.inclusion->leaf_count),
          absl::StrCat(where, ": its proof is of another leaf or tree")));
    } else {
      const absl::StatusOr<Digest> root =
          RootFromInclusionProof(LedgerEntryHash(item.entry), *item.inclusion);
      if (!root.ok() || *root != head.head->root) {
        findings.push_back(MakeFinding(
            "PROOF_INVALID", HexOf(head.head->root),
            root.ok() ? HexOf(*root) : std::string(root.status().message()),
            absl::StrCat(where, " does not lead to the signed head: the entry ",
                         "or its proof was altered")));
      }
    }
  }
  if (findings.empty() && unconfirmed) {
    checked.outcome = CheckOutcome::Skipped(
        absl::StrCat(where, " is not confirmed: the signed head has ",
                     head.head->size, " entries"));
    return checked;
  }
  // A head that nobody could check shows nothing.
  if (findings.empty() && !head.outcome.passed()) {
    checked.outcome = CheckOutcome::Skipped(
        absl::StrCat(where, " is not confirmed: ", head.outcome.reason));
    return checked;
  }
  checked.outcome = CheckOutcome::Of(std::move(findings));
  return checked;
}

CheckOutcome CheckServedCheckpoint(absl::string_view anchored,
                                   absl::string_view served) {
  if (anchored == served) return CheckOutcome::Of({});
  return CheckOutcome::Of({DifferenceFinding(
      "CHECKPOINT_DIFFERS", anchored, served,
      "the checkpoint that window-hash serves is not the anchored one")});
}

std::optional<Finding> NameAlteredEntry(const ServedItem& item,
                                        absl::string_view served_checkpoint,
                                        const TreeHead& head) {
  absl::StatusOr<LedgerEntry> entry = ParseLedgerEntry(item.entry);
  if (!entry.ok() || !item.inclusion.has_value() ||
      entry->data == served_checkpoint) {
    return std::nullopt;
  }
  const std::string altered(entry->data);
  entry->data = served_checkpoint;
  if (!CheckLedgerInclusion(EncodeLedgerEntry(*entry), *item.inclusion, head)
           .ok()) {
    return std::nullopt;
  }
  return DifferenceFinding(
      "ENTRY_ALTERED", served_checkpoint, altered,
      absl::StrCat("the ledger entry at position ", item.position,
                   " was altered: with the checkpoint that window-hash serves ",
                   "it leads to the signed head"));
}

Finding Equivocation(const Checkpoint& checkpoint, int64_t first_position,
                     const Digest& first, int64_t other_position,
                     const Digest& other) {
  return MakeFinding(
      "EQUIVOCATION", HexOf(first), HexOf(other),
      absl::StrCat(
          "revision ", checkpoint.revision, " of the window ",
          FormatTimestamp(TimestampFromMillis(checkpoint.window_start_ms)),
          " is on the ledger twice with different content: at ", "positions ",
          first_position, " and ", other_position));
}

}  // namespace windproof
