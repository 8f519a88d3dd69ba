// The last changes of a stream's items, by number, in memory. Pure.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHANGE_LOG_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHANGE_LOG_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace windproof {

// Thread-compatible.
class ChangeLog {
 public:
  explicit ChangeLog(size_t most) : most_(most) {}

  void Add(int64_t position) {
    positions_.push_back(position);
    if (positions_.size() <= most_) return;
    positions_.pop_front();
    ++first_;
  }

  int64_t first() const { return first_; }  // the oldest that is kept
  int64_t end() const {
    return first_ + static_cast<int64_t>(positions_.size());
  }

  // The positions of up to `count` changes from number `from` on, which is not
  // below first().
  std::vector<int64_t> Some(int64_t from, int64_t count) const {
    const int64_t to = std::min(end(), from + std::max<int64_t>(count, 0));
    if (from >= to) return {};
    return {positions_.begin() + (from - first_),
            positions_.begin() + (to - first_)};
  }

 private:
  const size_t most_;
  int64_t first_ = 0;
  std::deque<int64_t> positions_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHANGE_LOG_H_
