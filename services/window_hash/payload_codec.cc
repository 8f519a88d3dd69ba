#include "services/window_hash/payload_codec.h"

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/leaves.h"

namespace windproof {
namespace {

// Field numbers and wire types (protobuf encoding): number << 3 | type, where
// type 0 is a varint and 2 a length with bytes.
constexpr char kPayloadRecords = 1 << 3 | 2;
constexpr char kRecordOffset = 1 << 3 | 0;
constexpr char kRecordCanonical = 2 << 3 | 2;
constexpr char kRecordLeafHash = 3 << 3 | 2;

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) {
    out->push_back(static_cast<char>(value | 0x80));
  }
  out->push_back(static_cast<char>(value));
}

void AppendBytes(char tag, absl::string_view bytes, std::string* out) {
  out->push_back(tag);
  AppendVarint(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

// As the generated code does, fields with the default value are left out.
size_t RecordSize(uint64_t offset, size_t canonical_size) {
  size_t size = 1 + VarintSize(kZeroDigest.size()) + kZeroDigest.size();
  if (offset != 0) size += 1 + VarintSize(offset);
  if (canonical_size != 0) {
    size += 1 + VarintSize(canonical_size) + canonical_size;
  }
  return size;
}

bool TakeVarint(absl::string_view* bytes, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const uint64_t byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    *value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool TakeTag(char tag, absl::string_view* bytes) {
  if (bytes->empty() || bytes->front() != tag) return false;
  bytes->remove_prefix(1);
  return true;
}

bool TakeBytes(char tag, absl::string_view* bytes, absl::string_view* field) {
  uint64_t size = 0;
  if (!TakeTag(tag, bytes) || !TakeVarint(bytes, &size) ||
      size > bytes->size()) {
    return false;
  }
  *field = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return true;
}

struct RecordView {
  int64_t offset = 0;
  absl::string_view canonical;
  absl::string_view leaf_hash;
};

// Takes a record as AppendWindowPayload() writes it, each field where that puts
// it. False where anything else is there.
bool TakeRecord(absl::string_view* bytes, RecordView* view) {
  absl::string_view record;
  uint64_t offset = 0;
  if (!TakeBytes(kPayloadRecords, bytes, &record) ||
      !TakeTag(kRecordOffset, &record) || !TakeVarint(&record, &offset) ||
      !TakeBytes(kRecordCanonical, &record, &view->canonical) ||
      !TakeBytes(kRecordLeafHash, &record, &view->leaf_hash)) {
    return false;
  }
  view->offset = static_cast<int64_t>(offset);
  return record.empty();
}

bool TakeRecords(absl::string_view bytes, WindowRecords* records) {
  if (bytes.size() > std::numeric_limits<int>::max()) return false;
  records->bytes.reserve(bytes.size());
  RecordView view;
  while (!bytes.empty()) {
    if (!TakeRecord(&bytes, &view)) return false;
    const absl::StatusOr<Digest> digest = DigestFromBytes(view.leaf_hash);
    if (!digest.ok()) return false;
    records->entries.push_back(
        {.offset = view.offset,
         .begin = static_cast<uint32_t>(records->bytes.size()),
         .size = static_cast<uint32_t>(view.canonical.size()),
         .leaf_hash = *digest});
    records->bytes.append(view.canonical.data(), view.canonical.size());
  }
  return true;
}

}  // namespace

void AppendWindowPayload(const WindowRecords& records, std::string* out) {
  // Tags, lengths and a leaf hash come to less than 64 bytes a record.
  out->reserve(out->size() + records.bytes.size() +
               64 * records.entries.size());
  for (const WindowRecords::Entry& entry : records.entries) {
    const uint64_t offset = static_cast<uint64_t>(entry.offset);
    const absl::string_view canonical = records.Canonical(entry);
    out->push_back(kPayloadRecords);
    AppendVarint(RecordSize(offset, canonical.size()), out);
    if (offset != 0) {
      out->push_back(kRecordOffset);
      AppendVarint(offset, out);
    }
    if (!canonical.empty()) AppendBytes(kRecordCanonical, canonical, out);
    AppendBytes(kRecordLeafHash, BytesOf(entry.leaf_hash), out);
  }
}

absl::StatusOr<v1::WindowPayload> ParseWindowPayload(absl::string_view bytes) {
  v1::WindowPayload payload;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        absl::StrCat("stored payload of ", bytes.size(),
                     " bytes is no windproof.v1.WindowPayload message"));
  }
  return payload;
}

bool IsWindowPayload(absl::string_view bytes) {
  absl::string_view rest = bytes;
  RecordView record;
  while (!rest.empty()) {
    // Other bytes can be such a message, too.
    if (!TakeRecord(&rest, &record)) return ParseWindowPayload(bytes).ok();
  }
  return true;
}

std::optional<absl::string_view> TakeWholeRecords(size_t max_bytes,
                                                  absl::string_view* bytes) {
  absl::string_view rest = *bytes;
  absl::string_view record;
  size_t taken = 0;
  while (!rest.empty()) {
    if (!TakeBytes(kPayloadRecords, &rest, &record)) {
      if (taken == 0) return std::nullopt;
      break;
    }
    const size_t end = bytes->size() - rest.size();
    if (taken > 0 && end > max_bytes) break;
    taken = end;
  }
  const absl::string_view records = bytes->substr(0, taken);
  bytes->remove_prefix(taken);
  return records;
}

absl::StatusOr<WindowRecords> WindowRecordsOf(
    const v1::WindowPayload& payload) {
  WindowRecords records;
  records.entries.reserve(payload.records_size());
  for (const v1::PayloadRecord& record : payload.records()) {
    const absl::StatusOr<Digest> leaf_hash =
        DigestFromBytes(record.leaf_hash());
    if (!leaf_hash.ok()) {
      return absl::DataLossError(absl::StrCat(
          "stored payload: leaf_hash of record ", records.entries.size(),
          " has ", record.leaf_hash().size(), " bytes; 32 are accepted"));
    }
    if (records.bytes.size() + record.canonical().size() >
        std::numeric_limits<uint32_t>::max()) {
      return absl::DataLossError(
          "stored payload: its canonical records exceed 4 GiB");
    }
    records.entries.push_back(
        {.offset = record.offset(),
         .begin = static_cast<uint32_t>(records.bytes.size()),
         .size = static_cast<uint32_t>(record.canonical().size()),
         .leaf_hash = *leaf_hash});
    records.bytes += record.canonical();
  }
  return records;
}

absl::StatusOr<WindowRecords> ParseWindowRecords(absl::string_view bytes) {
  WindowRecords records;
  if (TakeRecords(bytes, &records)) return records;
  // Other bytes can be such a message, too; if not, this says why.
  const absl::StatusOr<v1::WindowPayload> payload = ParseWindowPayload(bytes);
  if (!payload.ok()) return payload.status();
  return WindowRecordsOf(*payload);
}

absl::Status CheckRecords(const Checkpoint& checkpoint,
                          WindowRecords* records) {
  const auto differs = [](absl::string_view member, const auto& expected,
                          const auto& found) {
    return absl::DataLossError(absl::StrCat("stored payload gives ", member,
                                            " ", found, ", its checkpoint has ",
                                            expected));
  };
  const int64_t count = static_cast<int64_t>(records->entries.size());
  if (count != checkpoint.records || count == 0) {
    return differs("records", checkpoint.records, count);
  }
  const LeafSummary leaves = HashLeaves(records);
  if (leaves.root != checkpoint.root) {
    return differs("root", HexOf(checkpoint.root), HexOf(leaves.root));
  }
  if (leaves.positions_sha256 != checkpoint.positions_sha256) {
    return differs("positions_sha256", HexOf(checkpoint.positions_sha256),
                   HexOf(leaves.positions_sha256));
  }
  if (leaves.lowest_offset != checkpoint.offsets_begin) {
    return differs("offsets.begin", checkpoint.offsets_begin,
                   leaves.lowest_offset);
  }
  if (leaves.highest_offset != checkpoint.offsets_end - 1) {
    return differs("highest offset", checkpoint.offsets_end - 1,
                   leaves.highest_offset);
  }
  return absl::OkStatus();
}

}  // namespace windproof
