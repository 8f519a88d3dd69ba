// A queue between threads that makes the faster side wait.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_BOUNDED_QUEUE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_BOUNDED_QUEUE_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe; any number of producers and consumers.
template <typename T>
class BoundedQueue {
 public:
  // At most `capacity` items wait, at least one.
  explicit BoundedQueue(size_t capacity)
      : capacity_(capacity > 0 ? capacity : 1) {}

  // Waits for room. False: the queue is closed and `item` was not taken.
  bool Push(T item) {
    MutexLock lock(mutex_);
    while (items_.size() >= capacity_ && !closed_) changed_.Wait(mutex_);
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.NotifyAll();
    return true;
  }

  // Waits for an item. Nothing: the queue is closed and empty.
  std::optional<T> Pop() {
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_) changed_.Wait(mutex_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.NotifyAll();
    return item;
  }

  // Takes nothing more; what waits can still be popped.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }

  size_t size() const {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_BOUNDED_QUEUE_H_
