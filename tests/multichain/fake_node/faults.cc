#include "tests/multichain/fake_node/faults.h"

#include <algorithm>
#include <utility>

namespace windproof::fake_node {

absl::optional<Fault::Kind> FaultKind(absl::string_view name) {
  constexpr std::pair<absl::string_view, Fault::Kind> kKinds[] = {
      {"lose_reply", Fault::Kind::kLoseReply},
      {"drop_request", Fault::Kind::kDropRequest},
      {"delay", Fault::Kind::kDelay},
      {"duplicate", Fault::Kind::kDuplicate},
      {"refuse", Fault::Kind::kRefuse},
      {"html", Fault::Kind::kHtml},
      {"half", Fault::Kind::kHalf},
      {"over_long", Fault::Kind::kOverLong},
      {"non_json", Fault::Kind::kNonJson},
      {"slow", Fault::Kind::kSlow},
      {"wrong_id", Fault::Kind::kWrongId},
      {"error", Fault::Kind::kError},
  };
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return absl::nullopt;
}

void Faults::Add(Fault fault) {
  MutexLock lock(mutex_);
  faults_.push_back(std::move(fault));
}

void Faults::Clear() {
  MutexLock lock(mutex_);
  faults_.clear();
}

std::vector<Fault> Faults::Take(const std::vector<std::string>& methods) {
  MutexLock lock(mutex_);
  std::vector<Fault> taken;
  for (Fault& fault : faults_) {
    if (fault.count == 0) continue;
    if (!fault.method.empty() && std::find(methods.begin(), methods.end(),
                                           fault.method) == methods.end()) {
      continue;
    }
    // Two of one kind come one after the other.
    if (FindFault(taken, fault.kind) != nullptr) continue;
    if (fault.count > 0) --fault.count;
    taken.push_back(fault);
  }
  std::erase_if(faults_, [](const Fault& fault) { return fault.count == 0; });
  return taken;
}

const Fault* FindFault(const std::vector<Fault>& faults, Fault::Kind kind) {
  for (const Fault& fault : faults) {
    if (fault.kind == kind) return &fault;
  }
  return nullptr;
}

}  // namespace windproof::fake_node
