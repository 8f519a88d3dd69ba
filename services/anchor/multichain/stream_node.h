// One stream of a MultiChain chain, through a node: the calls that the ledger
// makes, typed. Holds no state.
//
// What is dangerous on MultiChain 2.3.3 is not here: gettxoutdata is asked only
// for what a verbose list of the node itself has shown.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_NODE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_NODE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/stream_item.h"

namespace windproof {

struct ChainTip {
  std::string hash;  // as shown
  int64_t height = 0;
};

struct ChainInfo {
  std::string chain;
  int64_t protocol = 0;
  int64_t height = 0;
  std::string problems;  // what the node says is wrong
};

struct StreamInfo {
  std::string create_txid;
  bool open = false;  // anybody with send permission may write
  bool subscribed = false;
  bool synchronized = false;
  int64_t items = 0;  // only once subscribed
};

struct ChainBlock {
  std::string header;         // 80 bytes
  std::vector<Digest> txids;  // in the block's order
};

// Thread-safe, as its JsonRpc is. Errors are those of the replies.
class StreamNode {
 public:
  // `rpc` must outlive it. `address` may be empty: then nothing is published.
  StreamNode(JsonRpc& rpc, std::string stream, std::string address);

  absl::StatusOr<ChainInfo> Info();
  absl::StatusOr<ChainTip> Tip();
  // NotFound: the chain is shorter.
  absl::StatusOr<std::string> BlockHash(int64_t height);
  absl::StatusOr<int64_t> MineEmptyRounds();

  // NotFound: there is no such stream.
  absl::StatusOr<StreamInfo> Stream();
  absl::Status Create();
  // Blocks while the node reads the chain again.
  absl::Status Subscribe();
  // Whether the address has `permission`: `send`, or `STREAM.write`.
  absl::StatusOr<bool> HasPermission(const std::string& permission);
  absl::StatusOr<bool> AnyoneMaySend();

  // Up to `count` items of the stream from index `start` on, in the chain's
  // order, those not confirmed last; fewer only at the end. Items are as they
  // stand in the list, also twice. Where an item cannot be read it stands as
  // Data::kNone.
  absl::StatusOr<std::vector<StreamItem>> Items(int64_t start, int64_t count);
  // The items of a transaction; empty where the node has none.
  absl::StatusOr<std::vector<StreamItem>> ItemsOf(const std::string& txid);

  // Publishes all of them in one transaction, or none: up to
  // kStreamItemsPerCall. The result is the txid.
  RpcReply Publish(absl::Span<const LedgerDraft> drafts);

  absl::StatusOr<std::string> RawTransaction(const std::string& txid);
  absl::StatusOr<ChainBlock> Block(const std::string& hash);

 private:
  absl::Status FetchData(StreamItem* item);

  JsonRpc& rpc_;
  const std::string stream_;
  const std::string address_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_NODE_H_
