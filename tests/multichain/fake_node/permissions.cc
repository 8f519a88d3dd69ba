#include "tests/multichain/fake_node/permissions.h"

namespace windproof::fake_node {
namespace {

constexpr PermissionName kChain[] = {
    {"connect", 0x01},         {"send", kPermitSend},
    {"receive", 0x04},         {"issue", 0x10},
    {"create", kPermitCreate}, {"mine", kPermitMine},
    {"admin", kPermitAdmin},   {"activate", kPermitActivate},
};

constexpr PermissionName kStream[] = {
    {"admin", kPermitAdmin},
    {"activate", kPermitActivate},
    {"write", kPermitWrite},
    {"read", 0x40},
};

bool InForce(const Permissions::Entry& entry, uint32_t height) {
  return entry.from <= height && height < entry.to;
}

}  // namespace

absl::Span<const PermissionName> ChainPermissions() { return kChain; }
absl::Span<const PermissionName> StreamPermissions() { return kStream; }

uint32_t PermissionType(absl::string_view name, bool of_stream) {
  for (const PermissionName& permission :
       of_stream ? StreamPermissions() : ChainPermissions()) {
    if (permission.name == name) return permission.type;
  }
  return 0;
}

void Permissions::Apply(const PermissionScript& script,
                        absl::string_view admin) {
  for (uint32_t type = 1; type != 0; type <<= 1) {
    if ((script.type & type) == 0) continue;
    std::vector<Entry>& entries = entries_[{script.entity, type}];
    Entry* found = nullptr;
    for (Entry& entry : entries) {
      if (entry.hash == script.public_key_hash) found = &entry;
    }
    if (found == nullptr) found = &entries.emplace_back();
    *found = {script.public_key_hash, script.from, script.to,
              std::string(admin)};
  }
}

bool Permissions::Has(absl::string_view entity, absl::string_view hash,
                      uint32_t type, uint32_t height) const {
  const auto entries = entries_.find({std::string(entity), type});
  if (entries == entries_.end()) return false;
  for (const Entry& entry : entries->second) {
    if (entry.hash == hash) return InForce(entry, height);
  }
  return false;
}

std::vector<Permissions::Entry> Permissions::List(absl::string_view entity,
                                                  uint32_t type,
                                                  uint32_t height) const {
  std::vector<Entry> list;
  const auto entries = entries_.find({std::string(entity), type});
  if (entries == entries_.end()) return list;
  for (const Entry& entry : entries->second) {
    if (InForce(entry, height)) list.push_back(entry);
  }
  return list;
}

}  // namespace windproof::fake_node
