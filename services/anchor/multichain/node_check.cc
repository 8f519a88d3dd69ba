#include "services/anchor/multichain/node_check.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

// 2.0 has the first protocol with all that is used here; MultiChain 3 would be
// another one that nobody has tried.
constexpr int64_t kProtocolLeast = 20'001;
constexpr int64_t kProtocolBeyond = 30'000;

template <typename... Parts>
absl::Status NotAsMeant(const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(parts...));
}

absl::Status CheckChain(const MultiChainConfig& config, StreamNode& node) {
  const absl::StatusOr<ChainInfo> info = node.Info();
  if (!info.ok()) return info.status();
  if (info->chain != config.chain) {
    return NotAsMeant("the node's chain is ", info->chain,
                      "; chain is configured as ", config.chain);
  }
  const absl::StatusOr<std::string> genesis = node.BlockHash(0);
  if (!genesis.ok()) return genesis.status();
  if (*genesis != config.genesis) {
    return NotAsMeant("the chain ", config.chain, " of this node begins with ",
                      *genesis, "; genesis is configured as ", config.genesis);
  }
  if (info->protocol < kProtocolLeast || info->protocol >= kProtocolBeyond) {
    return NotAsMeant("the chain has protocol version ", info->protocol, "; ",
                      kProtocolLeast, " to ", kProtocolBeyond - 1,
                      " (MultiChain 2) is accepted");
  }
  if (config.any_confirmations) return absl::OkStatus();
  const absl::StatusOr<int64_t> rounds = node.MineEmptyRounds();
  if (!rounds.ok()) return rounds.status();
  if (*rounds >= 0 && config.confirmations > *rounds) {
    return NotAsMeant(
        "confirmations is ", config.confirmations,
        ", but an idle chain stops after mine-empty-rounds = ", *rounds,
        " empty blocks: the last checkpoints would wait for ever. Lower it, or "
        "set confirmations-above-mine-empty-rounds=true");
  }
  return absl::OkStatus();
}

absl::StatusOr<StreamInfo> FindStream(const MultiChainConfig& config,
                                      StreamNode& node) {
  absl::StatusOr<StreamInfo> stream = node.Stream();
  if (!absl::IsNotFound(stream.status())) return stream;
  if (!config.create_stream || config.address.empty()) {
    return NotAsMeant("the chain ", config.chain, " has no stream ",
                      config.stream, "; create it, or set create-stream=true");
  }
  const absl::Status created = node.Create();
  // Somebody else may have been quicker.
  if (!created.ok() && !absl::IsAlreadyExists(created)) {
    return NotAsMeant("the stream ", config.stream,
                      " is missing and cannot be created by ", config.address,
                      ": ", created.message());
  }
  return node.Stream();
}

absl::Status CheckPermissions(const MultiChainConfig& config,
                              const StreamInfo& stream, StreamNode& node) {
  absl::StatusOr<bool> send = node.HasPermission("send");
  if (send.ok() && !*send) send = node.AnyoneMaySend();
  if (!send.ok()) return send.status();
  if (!*send) {
    return NotAsMeant("the publishing address ", config.address,
                      " has no send permission; `multichain-cli ", config.chain,
                      " grant ", config.address, " send` gives it");
  }
  if (stream.open) return absl::OkStatus();
  const std::string write = absl::StrCat(config.stream, ".write");
  const absl::StatusOr<bool> may_write = node.HasPermission(write);
  if (!may_write.ok()) return may_write.status();
  if (!*may_write) {
    return NotAsMeant("the publishing address ", config.address,
                      " has no write permission on the stream ", config.stream,
                      "; `multichain-cli ", config.chain, " grant ",
                      config.address, " ", write, "` gives it");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StreamInfo> CheckNode(const MultiChainConfig& config,
                                     StreamNode& node) {
  absl::Status status = CheckChain(config, node);
  if (!status.ok()) return status;
  absl::StatusOr<StreamInfo> stream = FindStream(config, node);
  if (!stream.ok()) return stream;
  if (!stream->subscribed) {
    status = node.Subscribe();
    if (!status.ok()) return status;
    stream = node.Stream();
    if (!stream.ok()) return stream;
  }
  if (!stream->subscribed || !stream->synchronized) {
    return absl::UnavailableError(absl::StrCat(
        "the node still reads the chain for the stream ", config.stream));
  }
  if (!config.address.empty()) {
    status = CheckPermissions(config, *stream, node);
    if (!status.ok()) return status;
  }
  return stream;
}

}  // namespace windproof
