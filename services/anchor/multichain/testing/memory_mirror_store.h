// A MirrorStore in memory, for tests.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_MEMORY_MIRROR_STORE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_MEMORY_MIRROR_STORE_H_

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "services/anchor/multichain/mirror_store.h"

namespace windproof {

class MemoryMirrorStore final : public MirrorStore {
 public:
  absl::StatusOr<std::optional<std::string>> Get(
      absl::string_view key) const override {
    const auto found = now_.find(std::string(key));
    if (found == now_.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }

  absl::Status Scan(
      absl::string_view prefix, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const override {
    for (auto it = now_.lower_bound(std::string(std::max(prefix, from)));
         it != now_.end() && absl::StartsWith(it->first, prefix); ++it) {
      if (!visit(it->first, it->second)) break;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::pair<std::string, std::string>>> Last(
      absl::string_view prefix) const override {
    std::optional<std::pair<std::string, std::string>> last;
    auto it = now_.lower_bound(std::string(prefix) + '\xFF');
    if (it != now_.begin() && absl::StartsWith((--it)->first, prefix)) {
      last = *it;
    }
    return last;
  }

  void Put(absl::string_view key, absl::string_view value) override {
    now_[std::string(key)] = std::string(value);
  }
  void Delete(absl::string_view key) override { now_.erase(std::string(key)); }
  absl::Status Commit() override {
    if (fail_commits_) return absl::UnavailableError("the disk is full");
    kept_ = now_;
    return absl::OkStatus();
  }
  void Discard() override { now_ = kept_; }
  absl::Status Clear() override {
    now_.clear();
    return Commit();
  }

  void FailCommits(bool fail) { fail_commits_ = fail; }

 private:
  std::map<std::string, std::string> now_;
  std::map<std::string, std::string> kept_;
  bool fail_commits_ = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_MEMORY_MIRROR_STORE_H_
