#include "services/window_hash/testing/fake_group.h"

#include <deque>

namespace windproof {

class FakeGroup::Member final : public PartitionGroup {
 public:
  explicit Member(FakeGroup& group) : group_(group) {}

  absl::StatusOr<std::optional<Change>> Wait(
      std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const MutexLock lock(group_.mutex_);
    while (changes_.empty() && !woken_ && !shut_out_) {
      if (!group_.changed_.WaitUntil(group_.mutex_, deadline)) break;
    }
    woken_ = false;
    if (changes_.empty() && shut_out_) {
      return absl::FailedPreconditionError("shut out of the group");
    }
    if (changes_.empty()) return std::nullopt;
    return changes_.front();
  }

  void Done() override {
    const MutexLock lock(group_.mutex_);
    changes_.pop_front();
    group_.changed_.NotifyAll();
  }

  void Wake() override {
    const MutexLock lock(group_.mutex_);
    woken_ = true;
    group_.changed_.NotifyAll();
  }

  void CommitPositions(
      absl::Span<const std::pair<TopicPartition, int64_t>> positions) override {
    const MutexLock lock(group_.mutex_);
    for (const auto& [source, position] : positions) {
      group_.positions_[source] = position;
    }
  }

  absl::StatusOr<std::map<TopicPartition, std::string>> Owners() override {
    const MutexLock lock(group_.mutex_);
    return group_.owners_;
  }

  void Leave() override {
    const MutexLock lock(group_.mutex_);
    left_ = true;
    group_.changed_.NotifyAll();
  }

 private:
  friend class FakeGroup;

  FakeGroup& group_;
  // Under the group's mutex.
  std::deque<Change> changes_;
  bool woken_ = false;
  bool left_ = false;
  bool shut_out_ = false;
};

FakeGroup::FakeGroup() = default;
FakeGroup::~FakeGroup() = default;

PartitionGroup* FakeGroup::Join(const std::string& address) {
  const MutexLock lock(mutex_);
  std::unique_ptr<Member>& member = members_[address];
  member = std::make_unique<Member>(*this);
  return member.get();
}

void FakeGroup::Move(const TopicPartition& source, const std::string& address) {
  const MutexLock lock(mutex_);
  const auto owner = owners_.find(source);
  if (owner != owners_.end()) {
    Member& member = *members_.at(owner->second);
    owners_.erase(owner);
    member.changes_.push_back({.revoked = {source}});
    changed_.NotifyAll();
    while (!member.changes_.empty() && !member.left_) changed_.Wait(mutex_);
  }
  if (address.empty()) return;
  owners_[source] = address;
  members_.at(address)->changes_.push_back({.assigned = {source}});
  changed_.NotifyAll();
}

void FakeGroup::Steal(const TopicPartition& source,
                      const std::string& address) {
  const MutexLock lock(mutex_);
  owners_[source] = address;
  members_.at(address)->changes_.push_back({.assigned = {source}});
  changed_.NotifyAll();
}

void FakeGroup::ShutOut(const std::string& address) {
  const MutexLock lock(mutex_);
  Member& member = *members_.at(address);
  PartitionGroup::Change change;
  change.lost = true;
  for (const auto& [source, owner] : owners_) {
    if (owner == address) change.revoked.push_back(source);
  }
  for (const TopicPartition& source : change.revoked) owners_.erase(source);
  member.changes_.push_back(std::move(change));
  member.shut_out_ = true;
  changed_.NotifyAll();
}

std::map<TopicPartition, int64_t> FakeGroup::positions() const {
  const MutexLock lock(mutex_);
  return positions_;
}

}  // namespace windproof
