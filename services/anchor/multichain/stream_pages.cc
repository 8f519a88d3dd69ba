#include "services/anchor/multichain/stream_pages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/crypto/sha256.h"
#include "services/anchor/multichain/stream_mirror.h"
#include "services/anchor/multichain/stream_publisher.h"

namespace windproof {
namespace {

// Takes keys and data out of `found`.
LedgerItem ItemFrom(int64_t position, int64_t tip, StreamMirror::Item& found) {
  StreamItem& item = found.item;
  LedgerItem out;
  out.position = position;
  out.txid = item.txid;
  out.vout = item.vout;
  out.keys = std::move(item.keys);
  out.data = std::move(item.data);
  out.publisher = absl::StrJoin(item.publishers, ",");
  out.confirmations = item.confirmed() ? tip - item.height + 1 : 0;
  out.time_ms = item.time_s * 1000;
  out.lost = found.lost;
  return out;
}

}  // namespace

StreamPages::StreamPages(const MultiChainConfig& config,
                         std::function<int64_t()> now_ms, SplitAt split_at,
                         StreamNode& node, StreamView& view,
                         IntentStore& intents)
    : config_(config),
      now_ms_(std::move(now_ms)),
      split_at_(std::move(split_at)),
      view_(view),
      intents_(intents),
      evidence_(node) {}

absl::Status StreamPages::Fill(const StreamMirror& mirror,
                               const LedgerQuery& query, const std::string* key,
                               LedgerPage* page,
                               std::vector<StreamItem>* places) const {
  const int64_t tip = mirror.progress().tip_height;
  int64_t bytes = 0;
  const auto take = [&](int64_t position, StreamMirror::Item& found) {
    if (!found.lost) {
      if (!page->items.empty() &&
          (static_cast<int64_t>(page->items.size()) >= query.max_items ||
           bytes >= query.max_bytes)) {
        page->at_end = false;
        return false;
      }
      page->items.push_back(ItemFrom(position, tip, found));
      places->push_back(std::move(found.item));
      bytes += static_cast<int64_t>(page->items.back().data.size());
    }
    page->next = position + 1;
    return true;
  };
  const absl::Status visited = mirror.Visit(query.first, key, take);
  if (page->at_end) page->next = std::max(page->next, mirror.size());
  return visited;
}

absl::Status StreamPages::AddEvidence(const LedgerQuery& query,
                                      const std::vector<StreamItem>& places,
                                      LedgerPage* page) {
  const std::string stream_txid = view_.create_txid();
  int64_t bytes = 0;
  for (size_t i = 0; i < page->items.size(); ++i) {
    LedgerItem& item = page->items[i];
    // The transaction is as large as all of its items.
    if (i > 0 && bytes >= query.max_bytes) {
      page->next = item.position;
      page->at_end = false;
      page->items.resize(i);
      break;
    }
    absl::StatusOr<ChainEvidence> shown = evidence_.Read(places[i]);
    if (!shown.ok()) return ForLedgerCaller(shown.status());
    shown->chain = config_.chain;
    shown->genesis = config_.genesis;
    shown->stream = config_.stream;
    shown->stream_txid = stream_txid;
    shown->seen_ms = now_ms_();
    if (split_at_ && shown->height >= 0) {
      shown->split = split_at_(shown->height);
    }
    bytes += static_cast<int64_t>(shown->transaction.size() + item.data.size() +
                                  32 * shown->branch.size());
    item.chain = *std::move(shown);
  }
  return absl::OkStatus();
}

absl::StatusOr<LedgerPage> StreamPages::Page(const LedgerQuery& query,
                                             const std::string* key) {
  absl::Status status = view_.Readable();
  if (!status.ok()) return status;
  LedgerPage page;
  page.next = query.first;
  std::vector<StreamItem> places;
  status = view_.Use([&](const StreamMirror& mirror) {
    return Fill(mirror, query, key, &page, &places);
  });
  if (!status.ok()) return status;
  if (query.with_inclusion) {
    status = AddEvidence(query, places, &page);
    if (!status.ok()) return status;
  }
  AddSignatures(&page.items);
  return page;
}

absl::StatusOr<LedgerChanges> StreamPages::Changes(int64_t first,
                                                   int64_t max_items) {
  LedgerChanges changes;
  changes.next = first;
  const std::vector<int64_t> positions =
      view_.Changes(max_items, &changes.next, &changes.missed, &changes.at_end);
  const absl::Status status = view_.Use([&](const StreamMirror& mirror) {
    const int64_t tip = mirror.progress().tip_height;
    for (const int64_t position : positions) {
      absl::StatusOr<StreamMirror::Item> found = mirror.at(position);
      if (!found.ok()) return found.status();
      changes.items.push_back(ItemFrom(position, tip, *found));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  AddSignatures(&changes.items);
  return changes;
}

void StreamPages::AddSignatures(std::vector<LedgerItem>* items) {
  for (LedgerItem& item : *items) {
    ItemSignature signature = intents_.Signature(Sha256Of(item.data));
    item.signer = std::move(signature.signer);
    item.signature = std::move(signature.signature);
  }
}

}  // namespace windproof
