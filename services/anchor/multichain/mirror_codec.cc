#include "services/anchor/multichain/mirror_codec.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kNumberBytes = 8;
constexpr size_t kLengthBytes = 4;

void AppendBig(uint64_t number, size_t bytes, std::string* out) {
  for (size_t i = bytes; i > 0; --i) {
    out->push_back(static_cast<char>(number >> (8 * (i - 1)) & 0xFF));
  }
}

uint64_t BigOf(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

void AppendTexts(const std::vector<std::string>& texts, std::string* out) {
  AppendMirrorNumber(static_cast<int64_t>(texts.size()), out);
  for (const std::string& text : texts) AppendMirrorText(text, out);
}

void TakeTexts(MirrorReader& reader, std::vector<std::string>* texts) {
  const int64_t count = reader.Number();
  for (int64_t i = 0; i < count && reader.ok(); ++i) {
    texts->emplace_back(reader.Text());
  }
}

}  // namespace

void AppendMirrorNumber(int64_t number, std::string* out) {
  AppendBig(static_cast<uint64_t>(number), kNumberBytes, out);
}

void AppendMirrorText(absl::string_view text, std::string* out) {
  AppendBig(text.size(), kLengthBytes, out);
  out->append(text.data(), text.size());
}

absl::string_view MirrorReader::Take(uint64_t count) {
  if (!ok_ || count > bytes_.size()) {
    ok_ = false;
    return {};
  }
  const absl::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

int64_t MirrorReader::Number() {
  return static_cast<int64_t>(BigOf(Take(kNumberBytes)));
}

absl::string_view MirrorReader::Text() {
  return Take(BigOf(Take(kLengthBytes)));
}

std::string MirrorNumber(int64_t number) {
  std::string out;
  AppendMirrorNumber(number, &out);
  return out;
}

int64_t MirrorNumberOf(absl::string_view bytes) {
  return static_cast<int64_t>(BigOf(bytes));
}

std::string MirrorPositionKey(char kind, int64_t position) {
  std::string key(1, kind);
  AppendMirrorNumber(position, &key);
  return key;
}

std::string MirrorNameKey(char kind, absl::string_view txid, int64_t vout) {
  std::string key(1, kind);
  key.append(txid.data(), txid.size());
  AppendMirrorNumber(vout, &key);
  return key;
}

std::string MirrorIndexPrefix(absl::string_view key) {
  std::string out("k");
  AppendBig(key.size(), 2, &out);
  out.append(key.data(), key.size());
  return out;
}

std::string MirrorHeightKey(int64_t height, int64_t position) {
  std::string key = MirrorPositionKey('h', height);
  AppendMirrorNumber(position, &key);
  return key;
}

std::string MirrorDataKey(const Digest& hash) {
  return absl::StrCat("d", BytesOf(hash));
}

std::string EncodeMirrorItem(const StreamItem& item, const Digest& hash) {
  std::string out(BytesOf(hash));
  AppendMirrorNumber(item.time_s, &out);
  AppendMirrorNumber(item.vout, &out);
  out.push_back(static_cast<char>(item.data_is));
  AppendMirrorText(item.txid, &out);
  AppendTexts(item.publishers, &out);
  AppendTexts(item.keys, &out);
  AppendMirrorText(item.data, &out);
  return out;
}

bool DecodeMirrorItem(absl::string_view bytes, StreamItem* item, Digest* hash) {
  MirrorReader reader(bytes);
  const absl::string_view digest = reader.Take(hash->size());
  std::copy(digest.begin(), digest.end(), hash->begin());
  item->time_s = reader.Number();
  item->vout = reader.Number();
  const absl::string_view data_is = reader.Take(1);
  if (!data_is.empty()) {
    item->data_is = static_cast<StreamItem::Data>(data_is[0]);
  }
  item->txid = std::string(reader.Text());
  TakeTexts(reader, &item->publishers);
  TakeTexts(reader, &item->keys);
  item->data = std::string(reader.Text());
  return reader.ok() && reader.done();
}

std::string EncodeMirrorPlace(const MirrorPlace& place) {
  std::string out(1, place.lost ? '\1' : '\0');
  AppendMirrorNumber(place.height, &out);
  AppendMirrorText(place.block_hash, &out);
  return out;
}

bool DecodeMirrorPlace(absl::string_view bytes, MirrorPlace* place) {
  MirrorReader reader(bytes);
  place->lost = reader.Take(1) == absl::string_view("\1", 1);
  place->height = reader.Number();
  place->block_hash = std::string(reader.Text());
  return reader.ok() && reader.done();
}

}  // namespace windproof
