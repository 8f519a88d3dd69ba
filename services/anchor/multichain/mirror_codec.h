// The bytes in which a StreamMirror is kept.
//
//   "i" | position (8)              -> item: hash of the data (32), time (8),
//                                      vout (8), what the data are (1), txid,
//                                      publishers, keys, data
//   "s" | position (8)              -> where it stands: lost (1), height (8),
//                                      block hash
//   "u" | position (8)              -> nothing: neither confirmed nor lost
//   "n" | txid | vout (8)           -> position (8)
//   "k" | length (2) | key | position (8) -> nothing
//   "d" | hash of the data (32)     -> positions (8 each), in order
//   "h" | height (8) | position (8) -> hash of the data (32)
//   "f" | txid | vout (8)           -> nothing: an item of foreign publishers
//   "b" | height (8)                -> a block with listed items: index of the
//                                      first listed item behind it (8), hash
//   "m" | name                      -> progress and counters; texts
// Integers are big-endian, so that the order of bytes is theirs; texts within
// values have their length (4) before them. Pure.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MIRROR_CODEC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MIRROR_CODEC_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "services/anchor/multichain/stream_item.h"

namespace windproof {

// Of a number >= 0.
std::string MirrorNumber(int64_t number);
// `bytes` has 8 bytes.
int64_t MirrorNumberOf(absl::string_view bytes);

// Keys of the store.
std::string MirrorPositionKey(char kind, int64_t position);
std::string MirrorNameKey(char kind, absl::string_view txid, int64_t vout);
std::string MirrorIndexPrefix(absl::string_view key);
std::string MirrorHeightKey(int64_t height, int64_t position);
std::string MirrorDataKey(const Digest& hash);

// All of an item but where it stands.
std::string EncodeMirrorItem(const StreamItem& item, const Digest& hash);
// False where `bytes` are none.
bool DecodeMirrorItem(absl::string_view bytes, StreamItem* item, Digest* hash);

struct MirrorPlace {
  bool lost = false;
  int64_t height = -1;
  std::string block_hash;
};
std::string EncodeMirrorPlace(const MirrorPlace& place);
bool DecodeMirrorPlace(absl::string_view bytes, MirrorPlace* place);

// Reads from the front of bytes that must outlive it. After a read beyond the
// end ok() is false, and all that is read is 0 or empty.
class MirrorReader {
 public:
  explicit MirrorReader(absl::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  bool done() const { return bytes_.empty(); }
  absl::string_view Take(uint64_t count);
  int64_t Number();  // may be below 0
  absl::string_view Text();

 private:
  absl::string_view bytes_;
  bool ok_ = true;
};

void AppendMirrorNumber(int64_t number, std::string* out);
void AppendMirrorText(absl::string_view text, std::string* out);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MIRROR_CODEC_H_
