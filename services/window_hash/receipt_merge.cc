#include "services/window_hash/receipt_merge.h"

#include <cstddef>
#include <cstdint>

#include "services/window_hash/store.pb.h"

namespace windproof {
namespace {

// StoredCheckpoint's fields (number << 3 | type, where type 2 is a length with
// bytes).
constexpr char kCheckpoint = 1 << 3 | 2;
constexpr char kReceipt = 2 << 3 | 2;

class ReceiptMerge final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice&, const rocksdb::Slice* existing,
             const rocksdb::Slice& value, std::string* merged,
             rocksdb::Logger*) const override {
    if (existing != nullptr) {
      const absl::string_view kept =
          WithoutReceipt(absl::string_view(existing->data(), existing->size()));
      merged->assign(kept.data(), kept.size());
    } else {
      merged->clear();
    }
    merged->append(value.data(), value.size());
    return true;
  }

  const char* Name() const override { return "windproof.ReceiptMerge"; }
};

}  // namespace

void AppendReceipt(const v1::Receipt& receipt, std::string* out) {
  store::v1::StoredCheckpoint stored;
  *stored.mutable_receipt() = receipt;
  stored.AppendToString(out);
}

absl::string_view WithoutReceipt(absl::string_view stored) {
  size_t end = 0;  // of the checkpoint
  if (!stored.empty() && stored.front() == kCheckpoint) {
    uint64_t size = 0;
    bool ended = false;
    size_t at = 1;
    for (int shift = 0; shift < 64 && at < stored.size() && !ended;
         shift += 7) {
      const uint64_t byte = static_cast<unsigned char>(stored[at++]);
      size |= (byte & 0x7f) << shift;
      ended = byte < 0x80;
    }
    if (!ended || size > stored.size() - at) return stored;
    end = at + size;
  }
  if (end < stored.size() && stored[end] != kReceipt) return stored;
  return stored.substr(0, end);
}

std::shared_ptr<rocksdb::MergeOperator> NewReceiptMerge() {
  return std::make_shared<ReceiptMerge>();
}

}  // namespace windproof
