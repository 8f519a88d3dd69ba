#include "services/window_hash/outbox_items.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "services/window_hash/payload_codec.h"

namespace windproof {
namespace {

// About what an item takes beside its checkpoint's bytes.
constexpr size_t kItemBytes = 1024;

size_t BytesOf(const OutboxItem& item) {
  return kItemBytes + item.checkpoint.checkpoint().checkpoint().size();
}

// What the item's bytes say, unless that is known.
absl::Status Read(OutboxItem* item) {
  if (item->content.has_value()) return absl::OkStatus();
  const std::string& bytes = item->checkpoint.checkpoint().checkpoint();
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(bytes);
  if (!checkpoint.ok()) {
    return absl::DataLossError(
        absl::StrCat("stored checkpoint: ", checkpoint.status().message()));
  }
  if (checkpoint->seq != item->place.number ||
      checkpoint->key != item->place.key ||
      checkpoint->window_start_ms != item->window.start_ms ||
      checkpoint->revision != item->window.revision) {
    return absl::DataLossError(
        absl::StrCat("stored checkpoint is of key ", checkpoint->key, ", seq ",
                     checkpoint->seq, ", another window or revision"));
  }
  item->content = {.checkpoint = *std::move(checkpoint),
                   .hash = Sha256Of(bytes)};
  return absl::OkStatus();
}

}  // namespace

OutboxItem ItemOf(const PipelineSource& source, WrittenWindow* window,
                  std::string* signature, absl::string_view signer) {
  Checkpoint& checkpoint = window->checkpoint;
  OutboxItem item;
  item.place = {
      .source = source, .key = checkpoint.key, .number = checkpoint.seq};
  item.window = {.pipeline = source.pipeline,
                 .key = checkpoint.key,
                 .start_ms = checkpoint.window_start_ms,
                 .revision = checkpoint.revision,
                 .source = source.source};
  v1::SignedCheckpoint* const stored = item.checkpoint.mutable_checkpoint();
  stored->set_checkpoint(std::move(window->bytes));
  stored->set_signature(std::move(*signature));
  stored->set_signer(std::string(signer));
  item.content = {.checkpoint = std::move(checkpoint),
                  .hash = window->checkpoint_hash};
  return item;
}

absl::Status CheckItem(PayloadStore& store, OutboxItem* item) {
  absl::Status status = Read(item);
  if (status.ok()) {
    absl::StatusOr<WindowRecords> records = store.ReadRecords(item->window);
    status = records.ok() ? CheckRecords(item->content->checkpoint, &*records)
                          : records.status();
  }
  if (status.ok()) return status;
  return absl::DataLossError(absl::StrCat(
      "pipeline ", item->place.source.pipeline, ", key ", item->place.key,
      ", seq ", item->place.number, ": ", status.message()));
}

void FreshItems::Add(OutboxItem item) {
  const size_t bytes = BytesOf(item);
  if (bytes > room_) return;
  room_ -= bytes;
  items_.push_back(std::move(item));
}

std::deque<OutboxItem> FreshItems::Take(int64_t begin, int64_t end) {
  std::deque<OutboxItem> taken;
  while (!items_.empty() && items_.front().place.number < end) {
    room_ += BytesOf(items_.front());
    if (items_.front().place.number >= begin) {
      taken.push_back(std::move(items_.front()));
    }
    items_.pop_front();
  }
  return taken;
}

void FreshItems::Clear() {
  for (const OutboxItem& item : items_) room_ += BytesOf(item);
  items_.clear();
}

}  // namespace windproof
