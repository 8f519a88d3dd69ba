// What two nodes show where they differ, as a file: for whoever has to judge
// which of them to believe.
//
// A JSON object: `chain`, `genesis`, `stream`, `height` (from which on they
// differ), `seen` (milliseconds since the epoch), and `views`: of each node its
// URL, `tip`, and `blocks` from that height on, each with height, hash, header
// (80 bytes in hex) and items of the stream: txid, vout, SHA-256 of the data
// and the raw transaction in hex. At most kSplitBlocks blocks and
// kSplitTransactions transactions of each.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_EVIDENCE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_EVIDENCE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/split_finder.h"
#include "services/anchor/multichain/stream_node.h"

namespace windproof {

inline constexpr int64_t kSplitBlocks = 50;
inline constexpr int64_t kSplitTransactions = 500;

// The view of one node, as JSON. What cannot be asked for is named in it: a
// node in the wrong is no reason to keep nothing.
std::string SplitViewJson(const Split& split, const std::string& url,
                          StreamNode& node, ChainSide& side);

// The whole.
std::string SplitEvidenceJson(const MultiChainConfig& config,
                              const Split& split, int64_t seen_ms,
                              const std::string& ours,
                              const std::string& theirs);

// Of the file: the same split has the same name.
std::string SplitEvidenceName(const Split& split);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_SPLIT_EVIDENCE_H_
