#include "services/anchor/multichain/multichain_flags.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace windproof {

void MultiChainFlags::AddTo(Command& command) {
  command.Choice("ledger", &ledger, {"embedded", "multichain"},
                 "The ledger: this process's own, or a MultiChain stream.");
  command.Flag("multichain-config", &config, "FILE",
               "With --ledger multichain: node.urls, chain, genesis, stream, "
               "address and the like, a KEY=VALUE each line.");
}

void MultiChainFlags::AddAuditTo(Command& command) {
  command.Flag("read-only", &read_only,
               "With --ledger multichain: publish nothing; no address and no "
               "permissions are needed, and submissions are refused.");
  command.Flag("compare-with", &compare_with, "URL,...",
               "With --ledger multichain: RPC addresses of other nodes of the "
               "chain, which are to show the same; beside compare.urls of the "
               "file, which holds their user and password, too.");
}

absl::StatusOr<std::optional<MultiChainConfig>> MultiChainFlags::Options()
    const {
  const bool multichain = ledger == "multichain";
  if (!multichain && (read_only || !compare_with.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        read_only ? "--read-only" : "--compare-with", " is set, but --ledger ",
        "is ", ledger, "; it goes with --ledger multichain"));
  }
  if (multichain && config.empty()) {
    return absl::InvalidArgumentError(
        "--ledger multichain needs --multichain-config FILE, which names the "
        "node: node.urls=http://HOST:PORT");
  }
  if (!multichain) {
    if (config.empty()) return std::optional<MultiChainConfig>();
    return absl::InvalidArgumentError(
        absl::StrCat("--multichain-config is ", config, ", but --ledger is ",
                     ledger, "; it goes with --ledger multichain"));
  }
  absl::StatusOr<MultiChainConfig> read = ReadMultiChainConfig(config);
  if (!read.ok()) return read.status();
  for (const absl::string_view url :
       absl::StrSplit(compare_with, ',', absl::SkipEmpty())) {
    // An @ may stand before a password that is not to be shown.
    if (!IsNodeUrl(url)) {
      return absl::InvalidArgumentError(
          "--compare-with is no http://HOST:PORT or https://HOST:PORT, or some "
          "with commas between; user and password are compare.user and "
          "compare.password of the file");
    }
    read->compare_urls.emplace_back(url);
  }
  if (read_only && read->batched) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--read-only is set, and mode is batched in ", config,
        ": its checkpoints stand in the log of the anchor that publishes; mode "
        "= direct is accepted"));
  }
  if (read_only) {
    read->address.clear();
    read->create_stream = false;
    return std::optional<MultiChainConfig>(*std::move(read));
  }
  if (read->address.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        config,
        ": address is missing; the publishing address is accepted, "
        "and none is needed with --read-only"));
  }
  return std::optional<MultiChainConfig>(*std::move(read));
}

}  // namespace windproof
