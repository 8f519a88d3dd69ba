#include "services/anchor/multichain/split_evidence.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/canonical/json_parser.h"
#include "common/crypto/sha256.h"

namespace windproof {
namespace {

void Member(absl::string_view name, absl::string_view text, std::string* out) {
  AppendQuoted(name, out);
  *out += ':';
  AppendQuoted(text, out);
}

// The raw transactions of the items, each asked for once.
class Transactions {
 public:
  explicit Transactions(StreamNode& node) : node_(node) {}

  void Append(const std::string& txid, std::string* out) {
    const auto known = raw_.find(txid);
    if (known != raw_.end()) {
      Member("transaction", known->second, out);
      return;
    }
    if (static_cast<int64_t>(raw_.size()) >= kSplitTransactions) {
      Member("transaction_left_out", "there are too many", out);
      return;
    }
    const absl::StatusOr<std::string> raw = node_.RawTransaction(txid);
    if (!raw.ok()) {
      Member("transaction_left_out", raw.status().message(), out);
      return;
    }
    const std::string& hex = raw_[txid] = absl::BytesToHexString(*raw);
    Member("transaction", hex, out);
  }

 private:
  StreamNode& node_;
  std::map<std::string, std::string> raw_;
};

// Items are as ChainSide gives them.
void AppendItems(const std::set<std::string>& items, int64_t height,
                 Transactions* transactions, std::string* out) {
  *out += ",\"items\":[";
  bool first = true;
  for (const std::string& item : items) {
    const std::vector<std::string> parts = absl::StrSplit(item, ' ');
    if (parts.size() != 3 || parts[0] != absl::StrCat(height)) continue;
    const std::vector<std::string> name = absl::StrSplit(parts[1], ':');
    if (name.size() != 2) continue;
    *out += first ? "{" : ",{";
    first = false;
    Member("txid", name[0], out);
    absl::StrAppend(out, ",\"vout\":", name[1], ",");
    Member("data_sha256", parts[2], out);
    *out += ',';
    transactions->Append(name[0], out);
    *out += '}';
  }
  *out += ']';
}

}  // namespace

std::string SplitViewJson(const Split& split, const std::string& url,
                          StreamNode& node, ChainSide& side) {
  std::string out = "{";
  Member("node", url, &out);
  const absl::StatusOr<int64_t> tip = side.Height();
  if (tip.ok()) absl::StrAppend(&out, ",\"tip\":", *tip);
  const int64_t end =
      std::min(tip.ok() ? *tip + 1 : split.height + 1,
               split.height + (split.of_items ? 1 : kSplitBlocks));
  const auto items = side.Items(split.height, end);
  if (!items.ok()) {
    out += ',';
    Member("items_left_out", items.status().message(), &out);
  }
  out += ",\"blocks\":[";
  Transactions transactions(node);
  for (int64_t height = split.height; height < end; ++height) {
    absl::StrAppend(&out, height == split.height ? "" : ",",
                    "{\"height\":", height, ",");
    const absl::StatusOr<std::string> hash = side.BlockHash(height);
    Member(hash.ok() ? "hash" : "left_out",
           hash.ok() ? absl::string_view(*hash) : hash.status().message(),
           &out);
    if (hash.ok()) {
      const absl::StatusOr<ChainBlock> block = node.Block(*hash);
      out += ',';
      Member(block.ok() ? "header" : "header_left_out",
             block.ok() ? absl::BytesToHexString(block->header)
                        : std::string(block.status().message()),
             &out);
    }
    if (items.ok()) AppendItems(*items, height, &transactions, &out);
    out += '}';
  }
  out += "]}";
  return out;
}

std::string SplitEvidenceJson(const MultiChainConfig& config,
                              const Split& split, int64_t seen_ms,
                              const std::string& ours,
                              const std::string& theirs) {
  std::string out = "{";
  Member("chain", config.chain, &out);
  out += ',';
  Member("genesis", config.genesis, &out);
  out += ',';
  Member("stream", config.stream, &out);
  absl::StrAppend(&out, ",\"height\":", split.height, ",\"seen\":", seen_ms,
                  ",\"views\":[", ours, ",\n", theirs, "]}\n");
  return out;
}

std::string SplitEvidenceName(const Split& split) {
  const std::string what =
      absl::StrCat(split.ours, " ", split.theirs, " ", split.only_ours, " ",
                   split.only_theirs);
  return absl::StrCat("split-", split.height, "-",
                      HexOf(Sha256Of(what)).substr(0, 16), ".json");
}

}  // namespace windproof
