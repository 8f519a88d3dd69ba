// What the requests of WindowHashService have in common: pages, ranges, and
// what is stored as the messages of the API.
//
// Pure; safe from any thread. InvalidArgument names the field, the value found
// and what is accepted.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_SERVICE_REQUESTS_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_SERVICE_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "proto/windproof/v1/window_hash.pb.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store.pb.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

// Where a page or a chunk ends, whatever was asked for: well below the 4 MiB
// that a gRPC client takes unless told otherwise.
inline constexpr size_t kPageBytes = (size_t{2} << 20) - (size_t{64} << 10);

// 0: 100; 1 to 1,000.
absl::StatusOr<int> PageSize(int32_t page_size);

// A page token is the store key of the last entry of the page before.
std::string PageToken(absl::string_view store_key);
// Empty for the first page.
absl::StatusOr<std::string> WindowPageStart(const WindowRange& range,
                                            absl::string_view token);
absl::StatusOr<std::optional<KeyedNumber>> DropPageStart(
    absl::string_view pipeline, absl::string_view key, absl::string_view token);

// Empty is accepted where a key is not `required`.
absl::Status CheckKeyField(absl::string_view key, bool required);

absl::StatusOr<WindowRange> RangeOf(const v1::ListWindowsRequest& request);

// Everything but checkpoint, receipt and payload.
v1::Window DescribeWindow(const WindowKey& window, const PipelineSpec& spec);
void MoveCheckpoint(store::v1::StoredCheckpoint stored, v1::Window* window);

// DataLoss where the raw record is none.
absl::StatusOr<v1::DroppedRecord> DescribeDrop(
    int64_t offset, const store::v1::StoredDrop& drop);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_SERVICE_REQUESTS_H_
