#include "services/anchor/ledger_entry.h"

#include <cassert>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/merkle/tree.h"

namespace windproof {
namespace {

constexpr uint8_t kVersion = 1;

void AppendInteger(uint64_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

void AppendText(absl::string_view text, int length_bytes, std::string* out) {
  assert(text.size() >> (8 * length_bytes) == 0);
  AppendInteger(text.size(), length_bytes, out);
  out->append(text.data(), text.size());
}

// Takes fields off the front; the first that does not fit leaves a status.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : all_(bytes), rest_(bytes) {}

  uint64_t Integer(int bytes, absl::string_view name) {
    uint64_t value = 0;
    for (const char c : Bytes(bytes, name)) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }

  // 63 bits: positions and times are never negative.
  int64_t Number(absl::string_view name) {
    const uint64_t value = Integer(8, name);
    if (value > std::numeric_limits<int64_t>::max()) {
      Fail(name, absl::StrCat(" is ", value, "; below 2^63 is accepted"));
      return 0;
    }
    return static_cast<int64_t>(value);
  }

  absl::string_view Text(int length_bytes, absl::string_view name) {
    return Bytes(Integer(length_bytes, name), name);
  }

  absl::string_view Bytes(uint64_t size, absl::string_view name) {
    if (!status_.ok()) return {};
    if (size > rest_.size()) {
      Fail(name, absl::StrCat(" needs ", size, " bytes at byte ", position(),
                              "; ", rest_.size(), " are left"));
      return {};
    }
    const absl::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  void Fail(absl::string_view name, absl::string_view what) {
    if (!status_.ok()) return;
    status_ =
        absl::InvalidArgumentError(absl::StrCat("ledger entry: ", name, what));
  }

  size_t position() const { return all_.size() - rest_.size(); }
  size_t left() const { return rest_.size(); }
  const absl::Status& status() const { return status_; }

 private:
  const absl::string_view all_;
  absl::string_view rest_;
  absl::Status status_;
};

}  // namespace

std::string EncodeLedgerEntry(const LedgerEntry& entry) {
  std::string out;
  out.reserve(128 + entry.publisher.size() + 64 * entry.keys.size() +
              entry.data.size() + entry.signer.size() + entry.signature.size());
  AppendInteger(kVersion, 1, &out);
  out.append(BytesOf(entry.prev).data(), entry.prev.size());
  AppendInteger(static_cast<uint64_t>(entry.position), 8, &out);
  AppendInteger(static_cast<uint64_t>(entry.time_ms), 8, &out);
  AppendText(entry.publisher, 2, &out);
  assert(entry.keys.size() <= 0xFFFF);
  AppendInteger(entry.keys.size(), 2, &out);
  for (const absl::string_view key : entry.keys) AppendText(key, 2, &out);
  AppendText(entry.data, 4, &out);
  AppendText(entry.signer, 2, &out);
  AppendText(entry.signature, 2, &out);
  return out;
}

absl::StatusOr<LedgerEntry> ParseLedgerEntry(absl::string_view bytes) {
  Reader reader(bytes);
  LedgerEntry entry;
  const uint64_t version = reader.Integer(1, "version");
  if (reader.status().ok() && version != kVersion) {
    reader.Fail("version", absl::StrCat(" is ", version, "; 1 is accepted"));
  }
  const absl::string_view prev = reader.Bytes(32, "previous hash");
  if (reader.status().ok()) entry.prev = *DigestFromBytes(prev);
  entry.position = reader.Number("position");
  entry.time_ms = reader.Number("time");
  entry.publisher = reader.Text(2, "publisher");
  const uint64_t keys = reader.Integer(2, "number of keys");
  for (uint64_t i = 0; i < keys && reader.status().ok(); ++i) {
    entry.keys.push_back(reader.Text(2, "key"));
  }
  entry.data = reader.Text(4, "data");
  entry.signer = reader.Text(2, "signer");
  entry.signature = reader.Text(2, "signature");
  if (reader.status().ok() && reader.left() > 0) {
    reader.Fail("end", absl::StrCat(" is at byte ", reader.position(), "; ",
                                    reader.left(), " bytes follow"));
  }
  if (!reader.status().ok()) return reader.status();
  return entry;
}

Digest LedgerEntryHash(absl::string_view bytes) { return HashLeaf(bytes); }

}  // namespace windproof
