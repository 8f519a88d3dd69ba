// How long to wait before another try: doubling, with jitter, so that many who
// failed together do not come back together. Pure.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_BACKOFF_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_BACKOFF_H_

#include <algorithm>
#include <cstdint>

namespace windproof {

struct BackoffRange {
  int64_t first_ms = 100;
  int64_t most_ms = 10'000;
};

// Before try number `failures` + 1, where `failures` >= 1 tries failed in a
// row. `random` is in [0, 1): the wait lies between half of the doubled one and
// all of it.
inline int64_t BackoffMs(const BackoffRange& range, int failures,
                         double random) {
  int64_t wait = range.first_ms;
  for (int i = 1; i < failures && wait < range.most_ms; ++i) wait *= 2;
  wait = std::min(wait, range.most_ms);
  const int64_t least = wait / 2;
  return least +
         static_cast<int64_t>(static_cast<double>(wait - least) * random);
}

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_BACKOFF_H_
