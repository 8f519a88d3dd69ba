// Between the anchor's values and their messages. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_ANCHOR_CODEC_H_
#define WINDPROOF_SERVICES_ANCHOR_ANCHOR_CODEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/windproof/v1/anchor.pb.h"
#include "proto/windproof/v1/checkpoint.pb.h"
#include "proto/windproof/v1/window.pb.h"
#include "services/anchor/anchorer.h"
#include "services/anchor/ledger.h"
#include "services/anchor/ledger_reader.h"

namespace windproof {

v1::ChainEvidence ToProto(const ChainEvidence& evidence);
v1::ChainStatus ToProto(const ChainState& state);
// Without what the ledger does not know of: the anchorer's counts.
v1::LedgerStatus ToProto(const LedgerState& state);
// Without and with its state.
v1::LedgerItem ToProto(const LedgerItem& item);
v1::LedgerItem ToProto(const LedgerItem& item, int64_t confirmations_required);
v1::Receipt::State StateOf(const LedgerItem& item,
                           int64_t confirmations_required);
v1::LedgerHead ToProto(const LedgerHead& head);
v1::Receipt ToProto(const AnchorReceipt& receipt);

// InvalidArgument names index and field. What is inside the checkpoints is the
// anchorer's matter.
absl::StatusOr<std::vector<Submission>> SubmissionsFrom(
    const v1::SubmitCheckpointsRequest& request);

// A window's start in milliseconds since the epoch. InvalidArgument: pipeline
// or key is missing, or start is no whole millisecond of the years 0000 to
// 9999.
absl::StatusOr<int64_t> WindowStartFrom(const v1::WindowId& window);

// Page tokens hold the position to go on from and what the list is of, so that
// a token of another list is refused.
std::string PageTokenFor(const LedgerFilter& filter, int64_t position);
// An empty token is position 0.
absl::StatusOr<int64_t> PositionFromPageToken(const LedgerFilter& filter,
                                              absl::string_view token);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_ANCHOR_CODEC_H_
