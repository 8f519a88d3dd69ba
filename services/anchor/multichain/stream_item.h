// Items of a MultiChain stream: to and from the node's JSON. Pure.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_ITEM_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_ITEM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/canonical/json_value.h"
#include "services/anchor/ledger.h"

namespace windproof {

// Of one call of publishmultifrom.
inline constexpr size_t kStreamItemsPerCall = 32;
inline constexpr size_t kStreamBytesPerCall = size_t{2} << 20;
inline constexpr size_t kStreamKeyBytesMax = 256;

// An item as a verbose list shows it.
struct StreamItem {
  enum class Data {
    kHere,       // `data` has the bytes
    kElsewhere,  // too large for a list: asked for by txid and vout
    kOther,      // JSON, or not available: no checkpoint
    kNone,       // the list could not be read at this item; all else is empty
  };

  std::string txid;  // 64 lower-case hex digits
  int64_t vout = 0;
  std::vector<std::string> keys;
  std::vector<std::string> publishers;
  Data data_is = Data::kNone;
  std::string data;
  bool valid = true;
  int64_t time_s = 0;      // published, or of the block
  std::string block_hash;  // empty while unconfirmed
  int64_t height = -1;     // -1 while unconfirmed

  bool confirmed() const { return height >= 0; }
};

// A page of a verbose list. InvalidArgument names the member that is not as it
// should be.
absl::StatusOr<std::vector<StreamItem>> StreamItemsFrom(const JsonValue& list);

// What `data` of an item, or gettxoutdata, stands for.
void TakeStreamData(const JsonValue& data, StreamItem* item);

// Whether a stream can keep the item as it is. InvalidArgument says why not;
// `index` is for the message.
absl::Status CheckStreamDraft(const LedgerDraft& draft, size_t index);

// How many of the first drafts go into one call: at least 1, where there is
// one.
size_t StreamCallSize(absl::Span<const LedgerDraft> drafts);

// The parameters of publishmultifrom. Data that are UTF-8 go as text, others as
// hex: both are kept byte by byte.
std::string PublishParams(const std::string& address, const std::string& stream,
                          absl::Span<const LedgerDraft> drafts);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_ITEM_H_
