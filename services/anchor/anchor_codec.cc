#include "services/anchor/anchor_codec.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "google/protobuf/timestamp.pb.h"

namespace windproof {
namespace {

constexpr int kMaxSubmissions = 1000;
constexpr size_t kMaxCheckpointBytes = 1 << 18;
constexpr size_t kMaxSignerBytes = 256;
constexpr size_t kTokenCheckBytes = 8;

void SetTime(int64_t millis, google::protobuf::Timestamp* time) {
  const Timestamp value = TimestampFromMillis(millis);
  time->set_seconds(value.seconds);
  time->set_nanos(value.nanos);
}

// Ties a token to its list; not a secret.
std::string TokenCheck(const LedgerFilter& filter, absl::string_view position) {
  const Digest digest = Sha256Of({"windproof anchor page\n", filter.pipeline,
                                  "\n", filter.key, "\n", position});
  return std::string(BytesOf(digest).substr(0, kTokenCheckBytes));
}

}  // namespace

v1::ChainEvidence ToProto(const ChainEvidence& evidence) {
  v1::ChainEvidence out;
  out.set_chain(evidence.chain);
  out.set_genesis(evidence.genesis);
  out.set_stream(evidence.stream);
  out.set_stream_txid(evidence.stream_txid);
  out.set_transaction(evidence.transaction);
  SetTime(evidence.seen_ms, out.mutable_seen());
  if (evidence.split.has_value()) {
    v1::SplitView* const split = out.mutable_split_view();
    split->set_height(evidence.split->height);
    split->set_block_hash(evidence.split->block_hash);
    split->set_other_block_hash(evidence.split->other_block_hash);
    split->set_other_node(evidence.split->node);
    split->set_what(evidence.split->what);
    SetTime(evidence.split->seen_ms, split->mutable_seen());
  }
  if (evidence.block_hash.empty()) return out;
  out.set_block_hash(evidence.block_hash);
  out.set_height(evidence.height);
  out.set_header(evidence.header);
  out.set_index(evidence.index);
  for (const Digest& beside : evidence.branch) {
    out.add_branch(beside.data(), beside.size());
  }
  return out;
}

v1::ChainStatus ToProto(const ChainState& state) {
  v1::ChainStatus out;
  out.set_chain(state.chain);
  out.set_genesis(state.genesis);
  out.set_height(state.height);
  out.set_stream(state.stream);
  out.set_mode(state.mode);
  out.set_confirmed(state.confirmed);
  out.set_unconfirmed(state.unconfirmed);
  out.set_oldest_unconfirmed_ms(state.oldest_unconfirmed_ms);
  out.set_alarm_after_ms(state.alarm_after_ms);
  out.set_foreign(state.foreign);
  out.set_doubles(state.doubles);
  out.set_lost(state.lost);
  out.set_unpublished(state.unpublished);
  out.set_oldest_unpublished_ms(state.oldest_unpublished_ms);
  out.set_split_view(state.split_view);
  out.set_split_views(state.split_views);
  out.set_agreed_height(state.agreed_height);
  return out;
}

v1::LedgerStatus ToProto(const LedgerState& state) {
  v1::LedgerStatus out;
  out.set_kind(state.kind);
  out.set_ledger(state.name);
  out.set_size(state.size);
  if (state.head.has_value()) *out.mutable_head() = ToProto(*state.head);
  out.set_broken(state.broken);
  if (state.chain.has_value()) *out.mutable_chain() = ToProto(*state.chain);
  out.set_problem(state.problem);
  out.set_pending(state.pending);
  return out;
}

v1::LedgerItem ToProto(const LedgerItem& item) {
  v1::LedgerItem out;
  out.set_position(item.position);
  out.set_txid(item.txid);
  for (const std::string& key : item.keys) {
    // A proto string is UTF-8; keys of others may be anything, and their bytes
    // are in the entry.
    out.add_keys(absl::Utf8SafeCHexEscape(key));
  }
  out.set_checkpoint(item.data);
  out.set_publisher(absl::Utf8SafeCHexEscape(item.publisher));
  out.set_confirmations(item.confirmations);
  SetTime(item.time_ms, out.mutable_time());
  out.set_entry(item.entry);
  if (item.inclusion.has_value()) {
    v1::LedgerInclusion* inclusion = out.mutable_inclusion();
    inclusion->set_leaf_index(static_cast<int64_t>(item.inclusion->leaf_index));
    inclusion->set_tree_size(static_cast<int64_t>(item.inclusion->leaf_count));
    for (const Digest& sibling : item.inclusion->siblings) {
      inclusion->add_siblings(sibling.data(), sibling.size());
    }
  }
  out.set_vout(item.vout);
  if (item.chain.has_value()) {
    *out.mutable_chain() = ToProto(*item.chain);
    out.set_signer(absl::Utf8SafeCHexEscape(item.signer));
    out.set_signature(item.signature);
  }
  return out;
}

v1::Receipt::State StateOf(const LedgerItem& item,
                           int64_t confirmations_required) {
  if (item.lost) return v1::Receipt::LOST;
  return item.confirmations >= confirmations_required ? v1::Receipt::ANCHORED
                                                      : v1::Receipt::PUBLISHED;
}

v1::LedgerItem ToProto(const LedgerItem& item, int64_t confirmations_required) {
  v1::LedgerItem out = ToProto(item);
  out.set_state(StateOf(item, confirmations_required));
  return out;
}

v1::LedgerHead ToProto(const LedgerHead& head) {
  v1::LedgerHead out;
  out.set_note(head.note);
  out.set_tree_size(head.size);
  out.set_root(head.root.data(), head.root.size());
  if (head.item.has_value()) *out.mutable_item() = ToProto(*head.item);
  return out;
}

v1::Receipt ToProto(const AnchorReceipt& receipt) {
  v1::Receipt out;
  out.set_checkpoint_sha256(receipt.checkpoint_sha256.data(),
                            receipt.checkpoint_sha256.size());
  out.set_state(receipt.state == AnchorReceipt::State::kAnchored
                    ? v1::Receipt::ANCHORED
                    : v1::Receipt::PUBLISHED);
  out.set_txid(receipt.txid);
  out.set_vout(receipt.vout);
  out.set_position(receipt.position);
  out.set_confirmations(receipt.confirmations);
  SetTime(receipt.time_ms, out.mutable_time());
  out.set_ledger(receipt.ledger);
  return out;
}

absl::StatusOr<std::vector<Submission>> SubmissionsFrom(
    const v1::SubmitCheckpointsRequest& request) {
  const int count = request.checkpoints_size();
  if (count < 1 || count > kMaxSubmissions) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoints has ", count, " elements; 1 to ",
                     kMaxSubmissions, " are accepted"));
  }
  std::vector<Submission> submissions;
  submissions.reserve(count);
  for (int i = 0; i < count; ++i) {
    const v1::SignedCheckpoint& in = request.checkpoints(i);
    const std::string name = absl::StrCat("checkpoints[", i, "].");
    if (in.checkpoint().empty() ||
        in.checkpoint().size() > kMaxCheckpointBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, "checkpoint has ", in.checkpoint().size(),
                       " bytes; 1 to ", kMaxCheckpointBytes, " are accepted"));
    }
    if (in.signature().size() != 64) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, "signature has ", in.signature().size(),
                       " bytes; 64 are accepted"));
    }
    if (in.signer().empty() || in.signer().size() > kMaxSignerBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, "signer has ", in.signer().size(), " bytes; 1 to ",
                       kMaxSignerBytes, " are accepted"));
    }
    submissions.push_back({in.checkpoint(), in.signature(), in.signer()});
  }
  return submissions;
}

absl::StatusOr<int64_t> WindowStartFrom(const v1::WindowId& window) {
  if (window.pipeline().empty()) {
    return absl::InvalidArgumentError("window.pipeline is empty");
  }
  if (window.key().empty()) {
    return absl::InvalidArgumentError("window.key is empty");
  }
  if (!window.has_start()) {
    return absl::InvalidArgumentError("window.start is missing");
  }
  const int64_t seconds = window.start().seconds();
  const int32_t nanos = window.start().nanos();
  if (seconds < kYear0Seconds || seconds >= kYear10000Seconds || nanos < 0 ||
      nanos >= 1'000'000'000 || nanos % 1'000'000 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "window.start is ", seconds, " s and ", nanos,
        " ns; a whole millisecond in the years 0000 to 9999 is accepted"));
  }
  return seconds * 1000 + nanos / 1'000'000;
}

std::string PageTokenFor(const LedgerFilter& filter, int64_t position) {
  const std::string text = absl::StrCat(position);
  return absl::WebSafeBase64Escape(TokenCheck(filter, text) + text);
}

absl::StatusOr<int64_t> PositionFromPageToken(const LedgerFilter& filter,
                                              absl::string_view token) {
  if (token.empty()) return 0;
  std::string bytes;
  int64_t position = 0;
  if (absl::WebSafeBase64Unescape(token, &bytes) &&
      bytes.size() > kTokenCheckBytes) {
    const absl::string_view text =
        absl::string_view(bytes).substr(kTokenCheckBytes);
    if (TokenCheck(filter, text) == bytes.substr(0, kTokenCheckBytes) &&
        absl::SimpleAtoi(text, &position) && position >= 0) {
      return position;
    }
  }
  return absl::InvalidArgumentError(
      "page_token is not of this list; the next_page_token of the same "
      "pipeline and key, or nothing, is accepted");
}

}  // namespace windproof
