#include "services/window_hash/store_changes.h"

#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/window_hash/store_keys.h"

namespace windproof {
namespace {

// Numbers of the families in a changelog; they never change.
std::optional<Family> FamilyOf(int32_t number) {
  switch (number) {
    case 1:
      return Family::kPayloads;
    case 2:
      return Family::kCheckpoints;
    case 3:
      return Family::kOutbox;
    case 4:
      return Family::kDropped;
    case 5:
      return Family::kOpen;
    case 6:
      return Family::kState;
    default:
      return std::nullopt;
  }
}

class Collector final : public rocksdb::WriteBatch::Handler {
 public:
  Collector(const Database& database, store::v1::Changes* changes)
      : changes_(*changes) {
    for (int32_t number = 1; FamilyOf(number).has_value(); ++number) {
      numbers_[database.family(*FamilyOf(number))->GetID()] = number;
    }
  }

  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    store::v1::Changes::Change* change = Add(family, key);
    if (change == nullptr) return rocksdb::Status::NotSupported();
    change->set_value(value.data(), value.size());
    return rocksdb::Status::OK();
  }

  rocksdb::Status DeleteCF(uint32_t family,
                           const rocksdb::Slice& key) override {
    return Add(family, key) != nullptr ? rocksdb::Status::OK()
                                       : rocksdb::Status::NotSupported();
  }

 private:
  store::v1::Changes::Change* Add(uint32_t family, const rocksdb::Slice& key) {
    const auto number = numbers_.find(family);
    if (number == numbers_.end()) return nullptr;
    store::v1::Changes::Change* change = changes_.add_changes();
    change->set_family(number->second);
    change->set_key(key.data(), key.size());
    return change;
  }

  store::v1::Changes& changes_;
  std::map<uint32_t, int32_t> numbers_;
};

// Whether an entry of `family` under `key` belongs to the partition.
bool BelongsTo(const PipelineSource& source, Family family,
               absl::string_view key) {
  switch (family) {
    case Family::kPayloads:
    case Family::kCheckpoints: {
      const std::optional<WindowKey> window = DecodeWindowKey(key);
      return window.has_value() && window->pipeline == source.pipeline &&
             window->source == source.source;
    }
    case Family::kOutbox:
    case Family::kDropped: {
      const std::optional<KeyedNumber> place = DecodeKeyedNumber(key);
      return place.has_value() && place->source == source;
    }
    case Family::kOpen: {
      const std::optional<OpenWindowKey> window = DecodeOpenWindowKey(key);
      return window.has_value() && window->source == source;
    }
    case Family::kState:
      return key == PartitionStateKey(source) ||
             DecodeKeyStateKey(KeyStatePrefix(source), key).has_value();
  }
  return false;
}

}  // namespace

absl::StatusOr<store::v1::Changes> ChangesOf(const PreparedCommit& commit,
                                             const Database& database) {
  store::v1::Changes changes;
  Collector collector(database, &changes);
  const rocksdb::Status status = commit.batch.Iterate(&collector);
  if (!status.ok()) {
    return absl::InternalError(
        absl::StrCat("a commit as a changelog record: ", status.ToString()));
  }
  return changes;
}

absl::StatusOr<PreparedCommit> CommitOf(const PipelineSource& source,
                                        const store::v1::Changes& changes,
                                        const Database& database) {
  PreparedCommit commit;
  commit.source = source;
  for (const store::v1::Changes::Change& change : changes.changes()) {
    const std::optional<Family> family = FamilyOf(change.family());
    if (!family.has_value() || !BelongsTo(source, *family, change.key())) {
      return absl::DataLossError(absl::StrCat(
          "a change of family ", change.family(),
          " is not one of this partition; families 1 to 6 with its keys are "
          "accepted"));
    }
    if (change.has_value()) {
      commit.batch.Put(database.family(*family), SliceOf(change.key()),
                       SliceOf(change.value()));
    } else {
      commit.batch.Delete(database.family(*family), SliceOf(change.key()));
    }
  }
  return commit;
}

}  // namespace windproof
