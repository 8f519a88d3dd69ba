#include "services/verifier/replay_moment.h"

namespace windproof {
namespace {

// Whether `next` goes on with the writing moment of `self`.
bool Continues(const Checkpoint& self, const Checkpoint& next) {
  return next.scan_begin == next.scan_end && next.scan_end == self.scan_end &&
         next.seq - 1 == self.seq;
}

}  // namespace

std::optional<Moment> MomentOf(const KeyChain& chain, size_t link) {
  Moment moment{link, link};
  const auto checkpoint = [&](size_t index) -> const Checkpoint& {
    return chain.link(index).checkpoint;
  };
  while (checkpoint(moment.first).scan_begin ==
         checkpoint(moment.first).scan_end) {
    if (moment.first == 0 ||
        !Continues(checkpoint(moment.first - 1), checkpoint(moment.first))) {
      return std::nullopt;
    }
    --moment.first;
  }
  while (moment.last + 1 < chain.size() &&
         Continues(checkpoint(moment.last), checkpoint(moment.last + 1))) {
    ++moment.last;
  }
  return moment;
}

}  // namespace windproof
