#include "services/windproof/tamper.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/canonical/json_value.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/server/data_dir.h"
#include "proto/windproof/v1/window.pb.h"
#include "services/anchor/embedded_ledger_tamper.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store.pb.h"

namespace windproof {
namespace {

using What = absl::StatusOr<std::string>;

void SetCanonical(std::string canonical, v1::PayloadRecord* record) {
  const Digest leaf = HashLeaf(canonical);
  record->set_leaf_hash(std::string(BytesOf(leaf)));
  record->set_canonical(std::move(canonical));
}

What TooSmall(absl::string_view way, absl::string_view needed) {
  return absl::InvalidArgumentError(
      absl::StrCat("--what ", way, " needs a window with ", needed));
}

// The leaf hash stays: it is what names the record.
What AlterValue(v1::WindowPayload* payload) {
  for (int i = payload->records_size() / 2; i < payload->records_size(); ++i) {
    v1::PayloadRecord& record = *payload->mutable_records(i);
    absl::StatusOr<JsonValue> json = ParseJson(record.canonical());
    if (!json.ok()) return json.status();
    for (auto& [name, value] : json->members) {
      if (value.kind != JsonValue::Kind::kNumber) continue;
      value.number += 1;
      const std::string old = record.canonical();
      record.set_canonical(CanonicalJson(*json));
      return absl::StrCat("record ", i, ", offset ", record.offset(), ": ", old,
                          " became ", record.canonical());
    }
  }
  return TooSmall("value", "a number in its later records");
}

What RemoveRecord(v1::WindowPayload* payload) {
  if (payload->records_size() < 2) return TooSmall("remove", "two records");
  const int middle = payload->records_size() / 2;
  const std::string what =
      absl::StrCat("record ", middle, ", offset ",
                   payload->records(middle).offset(), " was removed");
  payload->mutable_records()->DeleteSubrange(middle, 1);
  return what;
}

// A copy of the last record, a millisecond later, as if it had come next.
What AddRecord(const PipelineSpec& spec, v1::WindowPayload* payload) {
  const v1::PayloadRecord& last = payload->records(payload->records_size() - 1);
  absl::StatusOr<JsonValue> json = ParseJson(last.canonical());
  if (!json.ok()) return json.status();
  for (auto& [name, value] : json->members) {
    if (name != spec.timestamp_field) continue;
    const absl::StatusOr<Timestamp> time = TimestampFromText(value.string);
    if (!time.ok()) return time.status();
    Timestamp later = *time;
    later.nanos = std::min(later.nanos + 1'000'000, 999'999'999);
    value.string = FormatTimestamp(later);
  }
  int64_t offset = 0;
  for (const v1::PayloadRecord& record : payload->records()) {
    offset = std::max<int64_t>(offset, record.offset() + 1);
  }
  v1::PayloadRecord* added = payload->add_records();
  added->set_offset(offset);
  SetCanonical(CanonicalJson(*json), added);
  return absl::StrCat("record ", payload->records_size() - 1, ", offset ",
                      offset, " was added: ", added->canonical());
}

What SwapRecords(v1::WindowPayload* payload) {
  if (payload->records_size() < 2) return TooSmall("swap", "two records");
  const int second = payload->records_size() / 2;
  payload->mutable_records()->SwapElements(second - 1, second);
  return absl::StrCat("records ", second - 1, " and ", second,
                      " were exchanged");
}

What AlterOffset(v1::WindowPayload* payload) {
  const int middle = payload->records_size() / 2;
  v1::PayloadRecord& record = *payload->mutable_records(middle);
  const int64_t old = record.offset();
  record.set_offset(old + 1);
  return absl::StrCat("record ", middle, ": offset ", old, " became ", old + 1);
}

// In a checkpoint's bytes. The signature stays: an insider has no key.
What AlterAggregate(std::string* bytes) {
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(*bytes);
  if (!checkpoint.ok()) return checkpoint.status();
  if (checkpoint->aggregates.empty()) {
    return TooSmall("aggregate", "an aggregated field");
  }
  Checkpoint::Aggregate& aggregate = checkpoint->aggregates.front();
  aggregate.avg += 1;
  *bytes = EncodeCheckpoint(*checkpoint);
  return absl::StrCat("the average of ", aggregate.field, " became ",
                      aggregate.avg);
}

What AlterRoot(std::string* bytes) {
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(*bytes);
  if (!checkpoint.ok()) return checkpoint.status();
  const std::string old = HexOf(checkpoint->root);
  checkpoint->root[0] ^= 1;
  *bytes = EncodeCheckpoint(*checkpoint);
  return absl::StrCat("root ", old, " became ", HexOf(checkpoint->root));
}

class StoreTamper {
 public:
  static absl::StatusOr<StoreTamper> Open(const DataDir& dir,
                                          const WindowName& name) {
    absl::StatusOr<std::unique_ptr<PayloadStore>> store =
        PayloadStore::Open({.path = dir.Sub("window_hash")});
    if (!store.ok()) return store.status();
    absl::StatusOr<std::vector<WindowKey>> revisions =
        (*store)->Revisions(name.pipeline, name.key, name.start_ms);
    if (!revisions.ok()) return revisions.status();
    if (revisions->empty()) {
      return absl::NotFoundError(
          absl::StrCat("the store has no window ", WindowText(name)));
    }
    return StoreTamper(*std::move(store), revisions->back());
  }

  What AlterPayload(absl::string_view way) {
    absl::StatusOr<v1::WindowPayload> payload = store_->ReadPayload(window_);
    if (!payload.ok()) return payload.status();
    if (payload->records_size() == 0) return TooSmall(way, "a record");
    What what = way == "value"    ? AlterValue(&*payload)
                : way == "remove" ? RemoveRecord(&*payload)
                : way == "swap"   ? SwapRecords(&*payload)
                : way == "offset" ? AlterOffset(&*payload)
                                  : Add(&*payload);
    if (!what.ok()) return what;
    const absl::Status written = store_->OverwritePayload(window_, *payload);
    if (!written.ok()) return written;
    return absl::StrCat("payload: ", *what);
  }

  What AlterCheckpoint(absl::string_view way) {
    absl::StatusOr<store::v1::StoredCheckpoint> stored =
        store_->ReadCheckpoint(window_);
    if (!stored.ok()) return stored.status();
    std::string* bytes = stored->mutable_checkpoint()->mutable_checkpoint();
    What what = way == "aggregate" ? AlterAggregate(bytes) : AlterRoot(bytes);
    if (!what.ok()) return what;
    const absl::Status written = store_->OverwriteCheckpoint(window_, *stored);
    if (!written.ok()) return written;
    return absl::StrCat("stored checkpoint: ", *what);
  }

 private:
  StoreTamper(std::unique_ptr<PayloadStore> store, WindowKey window)
      : store_(std::move(store)), window_(std::move(window)) {}

  What Add(v1::WindowPayload* payload) {
    const absl::StatusOr<std::vector<PipelineSpec>> specs =
        store_->StoredPipelines();
    if (!specs.ok()) return specs.status();
    for (const PipelineSpec& spec : *specs) {
      if (spec.name == window_.pipeline) return AddRecord(spec, payload);
    }
    return absl::NotFoundError(
        absl::StrCat("the store has no pipeline ", window_.pipeline));
  }

  std::unique_ptr<PayloadStore> store_;
  WindowKey window_;
};

// Replaces the checkpoint in the window's last ledger entry.
What AlterLedger(const DataDir& dir, const WindowName& window) {
  absl::StatusOr<std::unique_ptr<PayloadStore>> store =
      PayloadStore::Open({.path = dir.Sub("window_hash"), .read_only = true});
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::vector<WindowKey>> revisions =
      (*store)->Revisions(window.pipeline, window.key, window.start_ms);
  if (!revisions.ok()) return revisions.status();
  if (revisions->empty()) {
    return absl::NotFoundError(
        absl::StrCat("the store has no window ", WindowText(window)));
  }
  const auto stored = (*store)->ReadCheckpoint(revisions->back());
  if (!stored.ok()) return stored.status();
  std::string bytes = stored->checkpoint().checkpoint();
  What what = AlterAggregate(&bytes);
  if (!what.ok()) what = AlterRoot(&bytes);
  if (!what.ok()) return what;

  absl::StatusOr<std::unique_ptr<EmbeddedLedgerTamper>> ledger =
      EmbeddedLedgerTamper::Open(dir.Sub("ledger"));
  if (!ledger.ok()) return ledger.status();
  const absl::StatusOr<std::vector<int64_t>> positions =
      (*ledger)->Find(WindowText(window));
  if (!positions.ok()) return positions.status();
  if (positions->empty()) {
    return absl::NotFoundError(
        absl::StrCat("the ledger has no window ", WindowText(window)));
  }
  const absl::Status replaced =
      (*ledger)->ReplaceEntryData(positions->back(), bytes);
  if (!replaced.ok()) return replaced;
  return absl::StrCat("ledger entry ", positions->back(), ": ", *what);
}

}  // namespace

const std::vector<std::string>& TamperWays() {
  static const auto& ways = *new std::vector<std::string>{
      "value",     "remove", "add",        "swap",
      "aggregate", "offset", "checkpoint", "ledger"};
  return ways;
}

absl::StatusOr<std::string> Tamper(const std::string& data_dir,
                                   const WindowName& window,
                                   absl::string_view way) {
  const std::vector<std::string>& ways = TamperWays();
  if (std::find(ways.begin(), ways.end(), way) == ways.end()) {
    return absl::InvalidArgumentError(absl::StrCat("--what ", way,
                                                   " is unknown; accepted are ",
                                                   absl::StrJoin(ways, ", ")));
  }
  // kRead first: it makes no folder where there is none.
  for (const DataDir::Use use : {DataDir::Use::kRead, DataDir::Use::kWrite}) {
    const auto dir = DataDir::Open(data_dir, use);
    if (!dir.ok()) return dir.status();
    if (use == DataDir::Use::kRead) continue;
    if (way == "ledger") return AlterLedger(**dir, window);
    absl::StatusOr<StoreTamper> store = StoreTamper::Open(**dir, window);
    if (!store.ok()) return store.status();
    return way == "aggregate" || way == "checkpoint"
               ? store->AlterCheckpoint(way)
               : store->AlterPayload(way);
  }
  return absl::InternalError("no use of the folder");
}

}  // namespace windproof
