// The flags with which a program is told which ledger to use.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_FLAGS_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/server/command_line.h"
#include "services/anchor/multichain/multichain_config.h"

namespace windproof {

struct MultiChainFlags {
  std::string ledger = "embedded";  // or "multichain"
  std::string config;

  bool read_only = false;
  std::string compare_with;

  // Adds --ledger and --multichain-config to a command.
  void AddTo(Command& command);
  // And --read-only and --compare-with, for who only looks.
  void AddAuditTo(Command& command);

  // Nothing: the embedded ledger. InvalidArgument: one flag without the other;
  // what is wrong in the file. NotFound: it is not there.
  absl::StatusOr<std::optional<MultiChainConfig>> Options() const;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_FLAGS_H_
