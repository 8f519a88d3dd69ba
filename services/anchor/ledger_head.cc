#include "services/anchor/ledger_head.h"

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/ledger_entry.h"

namespace windproof {

std::string SignLedgerHead(absl::string_view name, uint64_t size,
                           const Digest& root, const Ed25519PrivateKey& key) {
  const absl::StatusOr<std::string> note =
      SignNote(FormatTreeHead({std::string(name), size, root, {}}), name, key);
  if (!note.ok()) std::abort();
  return *note;
}

absl::StatusOr<TreeHead> OpenLedgerHead(absl::string_view note,
                                        const VerifierKey& key) {
  const absl::StatusOr<std::string> text = OpenNote(note, key);
  if (!text.ok()) return text.status();
  absl::StatusOr<TreeHead> head = ParseTreeHead(*text);
  if (!head.ok()) return head.status();
  if (head->origin != key.name) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree head's origin is \"", absl::CHexEscape(head->origin),
                     "\"; \"", key.name, "\" is accepted"));
  }
  return head;
}

absl::Status CheckLedgerInclusion(absl::string_view entry,
                                  const InclusionProof& proof,
                                  const TreeHead& head) {
  if (proof.leaf_count != head.size) {
    return absl::InvalidArgumentError(
        absl::StrCat("inclusion proof is for a tree of ", proof.leaf_count,
                     " entries; the head has ", head.size));
  }
  const absl::StatusOr<Digest> root =
      RootFromInclusionProof(LedgerEntryHash(entry), proof);
  if (!root.ok()) return root.status();
  if (*root != head.root) {
    return absl::InvalidArgumentError(
        absl::StrCat("entry ", proof.leaf_index, " leads to root ",
                     HexOf(*root), "; the head's is ", HexOf(head.root)));
  }
  return absl::OkStatus();
}

}  // namespace windproof
