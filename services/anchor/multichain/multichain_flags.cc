#include "services/anchor/multichain/multichain_flags.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {

void MultiChainFlags::AddTo(Command& command) {
  command.Choice("ledger", &ledger, {"embedded", "multichain"},
                 "The ledger: this process's own, or a MultiChain stream.");
  command.Flag("multichain-config", &config, "FILE",
               "With --ledger multichain: node.urls, chain, genesis, stream, "
               "address and the like, a KEY=VALUE each line.");
}

absl::StatusOr<std::optional<MultiChainConfig>> MultiChainFlags::Options()
    const {
  const bool multichain = ledger == "multichain";
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
  if (read->address.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        config, ": address is missing; the publishing address is accepted"));
  }
  return std::optional<MultiChainConfig>(*std::move(read));
}

}  // namespace windproof
