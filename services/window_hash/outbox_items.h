// Checkpoints on their way to the anchor: as they were just committed, or as
// read from the store; and how they are checked before they leave.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_OUTBOX_ITEMS_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_OUTBOX_ITEMS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/window_engine.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

// What PayloadStore::ReadOutbox() would give of a window that was committed,
// and what it says. Takes `window` (but for its records) and `signature` over.
OutboxItem ItemOf(const PipelineSource& source, WrittenWindow* window,
                  std::string* signature, absl::string_view signer);

// Computes root, positions and offsets anew from the window's records, as they
// are in the store, and compares them with what the checkpoint says. Fills in
// `content` where it is missing. DataLoss names what differs.
absl::Status CheckItem(PayloadStore& store, OutboxItem* item);

// Checkpoints of one key that were just committed, in order of seq, as long as
// there is room. What is missing is in the store. Single-owner.
class FreshItems {
 public:
  // `room`: the bytes that are left for all of them; must outlive this.
  explicit FreshItems(size_t* room) : room_(*room) {}
  ~FreshItems() { Clear(); }
  FreshItems(const FreshItems&) = delete;
  FreshItems& operator=(const FreshItems&) = delete;

  void Add(OutboxItem item);

  // Those with seq in [begin, end); those before go, too.
  std::deque<OutboxItem> Take(int64_t begin, int64_t end);

  void Clear();

 private:
  size_t& room_;
  std::deque<OutboxItem> items_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_OUTBOX_ITEMS_H_
