// Who may do what on a chain and in its streams.
//
// Thread-compatible.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_PERMISSIONS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_PERMISSIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/multichain/fake_node/script.h"

namespace windproof::fake_node {

struct PermissionName {
  absl::string_view name;
  uint32_t type;
};

// In the order in which the node lists them.
absl::Span<const PermissionName> ChainPermissions();
absl::Span<const PermissionName> StreamPermissions();

// 0 for a name that is none. `of_stream` chooses between the two lists.
uint32_t PermissionType(absl::string_view name, bool of_stream);

inline constexpr uint32_t kPermitSend = 0x02;
inline constexpr uint32_t kPermitWrite = 0x08;
inline constexpr uint32_t kPermitCreate = 0x20;
inline constexpr uint32_t kPermitMine = 0x100;
inline constexpr uint32_t kPermitAdmin = 0x1000;
inline constexpr uint32_t kPermitActivate = 0x2000;
inline constexpr uint32_t kForever = 0xFFFFFFFF;

class Permissions {
 public:
  struct Entry {
    std::string hash;  // of the public key
    uint32_t from = 0;
    uint32_t to = 0;
    std::string admin;  // who granted it
  };

  void Clear() { entries_.clear(); }

  // `script.type` may have several bits. Replaces what was said before.
  void Apply(const PermissionScript& script, absl::string_view admin);

  // `entity` is empty for a permission of the chain.
  bool Has(absl::string_view entity, absl::string_view hash, uint32_t type,
           uint32_t height) const;

  // Those in force at `height`, in the order of the grants.
  std::vector<Entry> List(absl::string_view entity, uint32_t type,
                          uint32_t height) const;

 private:
  std::map<std::pair<std::string, uint32_t>, std::vector<Entry>> entries_;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_PERMISSIONS_H_
