// Where a StreamMirror keeps what it knows: bytes under keys, in order of the
// keys' bytes, written all together or not at all.
//
// RocksMirrorStore and testing/memory_mirror_store.h implement it.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MIRROR_STORE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MIRROR_STORE_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// Thread-compatible. Reads see what was written, also before Commit(). Errors:
// Unavailable, DataLoss: what the disk says.
class MirrorStore {
 public:
  virtual ~MirrorStore() = default;

  // Nothing: there is no such key.
  virtual absl::StatusOr<std::optional<std::string>> Get(
      absl::string_view key) const = 0;

  // Calls `visit` with each key that begins with `prefix` and is not below
  // `from`, a whole key, until it is false. `visit` must not write.
  virtual absl::Status Scan(
      absl::string_view prefix, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const = 0;

  // The last key that begins with `prefix`, whose next byte is below 0xFF.
  virtual absl::StatusOr<std::optional<std::pair<std::string, std::string>>>
  Last(absl::string_view prefix) const = 0;

  virtual void Put(absl::string_view key, absl::string_view value) = 0;
  virtual void Delete(absl::string_view key) = 0;

  // Keeps what was written since the last time: all of it, or nothing.
  virtual absl::Status Commit() = 0;
  // Forgets what was written since then.
  virtual void Discard() = 0;
  // Leaves nothing.
  virtual absl::Status Clear() = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MIRROR_STORE_H_
