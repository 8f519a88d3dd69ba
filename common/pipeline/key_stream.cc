#include "common/pipeline/key_stream.h"

namespace windproof {

int64_t& KeyStream::CountOf(DropReason reason) {
  switch (reason) {
    case DropReason::kDuplicate:
      return counts.duplicate;
    case DropReason::kConflict:
      return counts.conflict;
    case DropReason::kLate:
      return counts.late;
    case DropReason::kInvalid:
      break;
  }
  return counts.invalid;
}

KeyState KeyStream::State() const {
  KeyState state;
  state.key = name;
  state.watermark = watermark;
  state.seq = seq;
  state.prev = prev;
  state.begin = begin;
  state.seen_at_begin = seen_at_begin;
  state.counts = counts;
  state.records_in_open = records_in_open;
  state.waiting.reserve(waiting.size());
  for (const WaitingRecord& record : waiting) {
    state.waiting.push_back(record.saved);
  }
  return state;
}

}  // namespace windproof
