// A window's payload as it is stored: packed with LZ4, where that makes it
// smaller. Done to the value and not left to RocksDB, so that the write-ahead
// log, the memtable and the changelog have less to carry, too, and it is done
// once.
//
// Source: docs/formats/window-store.md ("Payloads").
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_PACKING_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_PACKING_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// What is stored for the bytes of a WindowPayload message: a view of `message`,
// or of `scratch`, which is overwritten and keeps its memory.
absl::string_view PackPayload(absl::string_view message, std::string* scratch);

// The message again: a view into `stored`, or into `scratch`, which is
// overwritten. DataLoss where `stored` cannot be unpacked.
absl::StatusOr<absl::string_view> UnpackPayload(absl::string_view stored,
                                                std::string* scratch);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_PACKING_H_
