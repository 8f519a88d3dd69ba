#include "services/verifier/key_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/server/grpc_status.h"
#include "services/verifier/chain_item_check.h"
#include "services/verifier/served_item.h"
#include "services/verifier/signature_check.h"

namespace windproof {
namespace {

constexpr int32_t kPageSize = 1000;

// The start of the window of a key that an item's index keys name, if any does.
std::optional<int64_t> StartByKeys(const std::vector<absl::string_view>& keys,
                                   absl::string_view pipeline,
                                   absl::string_view key) {
  for (const absl::string_view text : keys) {
    const absl::StatusOr<WindowName> name = ParseWindowText(text);
    if (name.ok() && name->pipeline == pipeline && name->key == key) {
      return name->start_ms;
    }
  }
  return std::nullopt;
}

absl::Status WithSource(absl::string_view source, const grpc::Status& status) {
  const absl::Status converted = FromGrpcStatus(status);
  return absl::Status(converted.code(),
                      absl::StrCat(source, ": ", converted.message()));
}

}  // namespace

struct KeyLedgerReader::KeyState {
  absl::string_view pipeline;
  absl::string_view key;
  const std::function<bool(int64_t)>* is_asked = nullptr;
  KeyLedger ledger;
  std::vector<ChainLink> links;
  std::vector<UnusableItem> unusable;
};

KeyLedgerReader::KeyLedgerReader(const Peers& peers, HeadBook& head_book,
                                 const LedgerTrust& ledger,
                                 const std::vector<VerifierKey>& producers,
                                 const MonotonicClock& now)
    : peers_(peers),
      heads_(peers, head_book, ledger),
      ledger_(ledger),
      producers_(producers),
      now_(now) {}

CheckedItem KeyLedgerReader::Check(const v1::LedgerItem& item,
                                   const ServedItem& served,
                                   const CheckedHead& head) const {
  if (ledger_.key.has_value()) return CheckItem(served, head, *ledger_.key);
  return CheckChainItem(served, ServedPlaceOf(item), *ledger_.chain);
}

void KeyLedgerReader::TakeItem(const v1::LedgerItem& item,
                               const CheckedHead& head, KeyState* state) {
  const std::chrono::nanoseconds begin = now_();
  const ServedItem served = ServedItemOf(item);
  CheckedItem checked = Check(item, served, head);
  const absl::string_view data =
      checked.entry.has_value() ? checked.entry->data : served.checkpoint;

  AnchoredRevision revision;
  revision.position = item.position();
  revision.hash = Sha256Of(data);
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(data);
  // The keys are only an index: what an item is about, it says itself. Unless
  // it cannot be believed or read: then they are all there is to go by.
  std::optional<int64_t> start_ms;
  if (!checkpoint.ok() || checked.outcome.failed()) {
    start_ms = StartByKeys(served.keys, state->pipeline, state->key);
  }
  if (checkpoint.ok()) {
    const bool is_ours = checkpoint->pipeline == state->pipeline &&
                         checkpoint->key == state->key;
    if (!is_ours && !start_ms.has_value()) return;
    if (is_ours && start_ms.value_or(checkpoint->window_start_ms) ==
                       checkpoint->window_start_ms) {
      start_ms = checkpoint->window_start_ms;
      revision.revision = checkpoint->revision;
    }
  } else {
    revision.unusable =
        absl::StrCat("the ledger item at position ", item.position(),
                     " cannot be read: ", checkpoint.status().message());
    revision.unsupported = absl::IsUnimplemented(checkpoint.status());
    if (!revision.unsupported && !checked.outcome.failed()) {
      Finding finding;
      finding.code = "ITEM_MALFORMED";
      finding.expected = "a checkpoint";
      finding.found = Shown(data.substr(0, 200));
      finding.message = Shown(revision.unusable);
      checked.outcome.Add(CheckOutcome::Of({std::move(finding)}));
    }
  }
  revision.anchor = std::move(checked.outcome);

  if (revision.anchor.failed() || !checkpoint.ok()) {
    UnusableItem unusable;
    unusable.position = item.position();
    unusable.why =
        checkpoint.ok() ? "does not stand up to its check" : "cannot be read";
    state->unusable.push_back(std::move(unusable));
    if (revision.unusable.empty()) {
      revision.unusable =
          absl::StrCat("the ledger item at position ", item.position(),
                       " does not stand up to its check, see ANCHOR");
    }
  } else if (!revision.anchor.passed()) {
    revision.unusable = revision.anchor.reason;
  }
  if (!start_ms.has_value()) return;

  std::vector<AnchoredRevision>& window = state->ledger.windows[*start_ms];
  const auto same = std::find_if(
      window.begin(), window.end(),
      [&](const auto& other) { return other.revision == revision.revision; });
  if (same != window.end() && revision.revision >= 0) {
    // The first one counts; the very same again changes nothing.
    if (same->hash != revision.hash) {
      same->anchor.Add(CheckOutcome::Of(
          {Equivocation(*checkpoint, same->position, same->hash,
                        revision.position, revision.hash)}));
    }
    return;
  }

  if (revision.anchor.passed() && checkpoint.ok()) {
    state->links.push_back(
        {*std::move(checkpoint), revision.hash, revision.position});
  }
  revision.anchor_time = now_() - begin;
  if (checked.entry.has_value()) {
    revision.signature_bytes = std::string(checked.entry->signature);
  }
  if (!checked.entry.has_value()) {
    revision.signature =
        CheckOutcome::Skipped("the ledger entry cannot be read");
  } else if (ledger_.chain.has_value() && revision.signature_bytes.empty()) {
    revision.signature_elsewhere = true;
    revision.signature =
        CheckOutcome::Skipped("the ledger item holds no signature");
  } else if ((*state->is_asked)(*start_ms)) {
    const std::chrono::nanoseconds signature_begin = now_();
    revision.signature = CheckSignature(data, checked.entry->signature,
                                        checked.entry->signer, producers_);
    revision.signature_time = now_() - signature_begin;
  }
  window.push_back(std::move(revision));
}

absl::StatusOr<KeyLedger> KeyLedgerReader::ReadKey(
    absl::string_view pipeline, absl::string_view key,
    const std::function<bool(int64_t start_ms)>& is_asked) {
  KeyState state;
  state.pipeline = pipeline;
  state.key = key;
  state.is_asked = &is_asked;

  v1::ListCheckpointsRequest request;
  request.set_pipeline(std::string(pipeline));
  request.set_key(std::string(key));
  request.set_page_size(kPageSize);
  request.set_confirmations(heads_.confirmations());
  do {
    v1::ListCheckpointsResponse page;
    const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
    const grpc::Status status =
        peers_.anchor.ListCheckpoints(context.get(), request, &page);
    if (!status.ok()) return WithSource("anchor", status);
    if (page.items_size() > 0) {
      const CheckedHead& head = heads_.Of(page);
      for (const v1::LedgerItem& item : page.items()) {
        TakeItem(item, head, &state);
      }
    }
    if (!page.next_page_token().empty() &&
        page.next_page_token() == request.page_token()) {
      return absl::DataLossError("anchor: its list of checkpoints has no end");
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());

  KeyLedger ledger = std::move(state.ledger);
  ledger.chain = KeyChain(std::move(state.links), std::move(state.unusable));
  for (auto& [start_ms, revisions] : ledger.windows) {
    std::stable_sort(
        revisions.begin(), revisions.end(),
        [](const auto& a, const auto& b) { return a.revision < b.revision; });
    const std::vector<size_t>* links = ledger.chain.Window(start_ms);
    if (links == nullptr) continue;
    for (const size_t link : *links) {
      for (AnchoredRevision& revision : revisions) {
        if (revision.position == ledger.chain.link(link).position) {
          revision.link = link;
        }
      }
    }
  }
  return ledger;
}

absl::StatusOr<std::map<std::string, int64_t>> KeyLedgerReader::ReadKeys(
    absl::string_view pipeline,
    const std::function<bool(int64_t start_ms)>& is_asked) {
  std::map<std::string, int64_t> keys;
  const std::string prefix = absl::StrCat(pipeline, "/");
  v1::ListCheckpointsRequest request;
  request.set_pipeline(std::string(pipeline));
  request.set_page_size(kPageSize);
  do {
    v1::ListCheckpointsResponse page;
    const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
    const grpc::Status status =
        peers_.anchor.ListCheckpoints(context.get(), request, &page);
    if (!status.ok()) return WithSource("anchor", status);
    for (const v1::LedgerItem& item : page.items()) {
      // The shortest one names pipeline and key, the other the window too.
      absl::string_view name;
      absl::string_view window;
      for (const std::string& key : item.keys()) {
        absl::string_view rest = key;
        if (!absl::ConsumePrefix(&rest, prefix)) continue;
        if (name.empty() || rest.size() < name.size()) name = rest;
        if (key.size() > window.size()) window = key;
      }
      if (name.empty()) continue;
      const absl::StatusOr<WindowName> parsed = ParseWindowText(window);
      keys[std::string(name)] += parsed.ok() && is_asked(parsed->start_ms);
    }
    if (!page.next_page_token().empty() &&
        page.next_page_token() == request.page_token()) {
      return absl::DataLossError("anchor: its list of checkpoints has no end");
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return keys;
}

absl::StatusOr<KeyLedgerReader::Refetched> KeyLedgerReader::Refetch(
    const WindowName& window, int64_t position, absl::string_view served) {
  v1::GetCheckpointRequest request;
  *request.mutable_window() = ToProto(window);
  request.set_confirmations(heads_.confirmations());
  v1::GetCheckpointResponse response;
  const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
  const grpc::Status status =
      peers_.anchor.GetCheckpoint(context.get(), request, &response);
  if (!status.ok()) return WithSource("anchor", status);
  for (const v1::LedgerItem& item : response.items()) {
    if (item.position() != position) continue;
    const CheckedHead& head = heads_.Of(response);
    const ServedItem view = ServedItemOf(item);
    const CheckedItem checked = Check(item, view, head);
    Refetched refetched;
    refetched.data = std::string(checked.entry.has_value() ? checked.entry->data
                                                           : view.checkpoint);
    if (head.head.has_value() && !served.empty()) {
      refetched.altered = NameAlteredEntry(view, served, *head.head);
    }
    return refetched;
  }
  return absl::NotFoundError(
      absl::StrCat("anchor: the ledger item at position ", position,
                   " is not listed for its window"));
}

absl::StatusOr<bool> KeyLedgerReader::HasWindow(const WindowName& window) {
  v1::GetCheckpointRequest request;
  *request.mutable_window() = ToProto(window);
  v1::GetCheckpointResponse response;
  const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
  const grpc::Status status =
      peers_.anchor.GetCheckpoint(context.get(), request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return false;
  if (!status.ok()) return WithSource("anchor", status);
  return response.items_size() > 0;
}

}  // namespace windproof
