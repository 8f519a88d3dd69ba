#include "services/window_hash/payload_packing.h"

#include <lz4.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

// No protobuf message begins with a zero byte: there is no field 0.
constexpr char kPacked = 0;
constexpr size_t kSizeBytes = 4;
constexpr size_t kHeaderBytes = 1 + kSizeBytes;
// Leaf hashes, a third of a message, cannot be packed: LZ4 passes over such
// bytes more quickly with 4 than with 1, in little more than half of the time
// for a twentieth more bytes.
constexpr int kAcceleration = 4;
// LZ4 makes nothing smaller than a 255th.
constexpr size_t kLargestRatio = 255;

void PutSize(size_t size, char* out) {
  for (size_t i = kSizeBytes; i-- > 0; size >>= 8) {
    out[i] = static_cast<char>(size);
  }
}

size_t SizeAt(const char* in) {
  size_t size = 0;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    size = size << 8 | static_cast<unsigned char>(in[i]);
  }
  return size;
}

}  // namespace

absl::string_view PackPayload(absl::string_view message, std::string* scratch) {
  // Nothing smaller is worth it; nothing larger than LZ4 takes.
  if (message.size() > LZ4_MAX_INPUT_SIZE || message.size() <= kHeaderBytes) {
    return message;
  }
  const int size = static_cast<int>(message.size());
  const size_t bound = kHeaderBytes + LZ4_compressBound(size);
  if (scratch->size() < bound) scratch->resize(bound);
  char* const packed = scratch->data();
  packed[0] = kPacked;
  PutSize(message.size(), packed + 1);
  const int written = LZ4_compress_fast(
      message.data(), packed + kHeaderBytes, size,
      static_cast<int>(scratch->size() - kHeaderBytes), kAcceleration);
  const size_t packed_size = kHeaderBytes + static_cast<size_t>(written);
  if (written <= 0 || packed_size >= message.size()) return message;
  return absl::string_view(packed, packed_size);
}

absl::StatusOr<absl::string_view> UnpackPayload(absl::string_view stored,
                                                std::string* scratch) {
  if (stored.empty() || stored.front() != kPacked) return stored;
  const auto damaged = [&] {
    return absl::DataLossError(absl::StrCat("stored payload of ", stored.size(),
                                            " bytes cannot be unpacked"));
  };
  if (stored.size() <= kHeaderBytes) return damaged();
  const size_t size = SizeAt(stored.data() + 1);
  const absl::string_view block = stored.substr(kHeaderBytes);
  if (size > LZ4_MAX_INPUT_SIZE || block.size() > LZ4_MAX_INPUT_SIZE ||
      size / kLargestRatio > block.size()) {
    return damaged();
  }
  scratch->resize(size);
  const int written = LZ4_decompress_safe(block.data(), scratch->data(),
                                          static_cast<int>(block.size()),
                                          static_cast<int>(size));
  if (written < 0 || static_cast<size_t>(written) != size) return damaged();
  return absl::string_view(*scratch);
}

}  // namespace windproof
