// Whether a node is the one that the configuration means, and lets us work: the
// questions asked at start, and again after a failure that they may explain.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_NODE_CHECK_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_NODE_CHECK_H_

#include "absl/status/statusor.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/stream_node.h"

namespace windproof {

// In this order: the node answers, chain name, genesis, protocol version,
// confirmations that an idle chain gives, the stream (created, where that is
// allowed), subscribed and its index complete, send and write permission of the
// publishing address (where there is one). Each failure is one message that
// says what to do; all of them can go away, so the caller asks again later.
absl::StatusOr<StreamInfo> CheckNode(const MultiChainConfig& config,
                                     StreamNode& node);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_NODE_CHECK_H_
