#include "common/pipeline/open_windows.h"

namespace windproof {

OpenWindow& OpenWindows::At(KeyStream* key, int64_t start_ms, int64_t offset) {
  const auto [place, made] = key->open.try_emplace(
      start_ms, spec_.aggregated.size(), offset, key->room);
  OpenWindow& window = place->second;
  if (made) {
    key->lows.insert(offset);
    key->next_close = ClosesAt(key->open.begin()->first);
    Hold(key, start_ms, &window, offset);
    size_ += 1;
  }
  return window;
}

bool OpenWindows::Put(KeyStream* key, OpenWindow* window, int64_t offset,
                      const RecordReader::Result& read) {
  if (!window->Add(offset, read)) return false;
  key->records_in_open += 1;
  if (window->spilled_at.has_value() && !window->hold.has_value()) {
    Hold(key, read.window_start_ms, window, offset);
  }
  return true;
}

void OpenWindows::CloseAll(KeyStream* key, std::vector<Writing>* writings) {
  while (!key->open.empty() && key->HasPassed(key->next_close)) {
    const auto first = key->open.begin();
    writings->push_back(Close(key, first->first, &first->second));
    key->open.erase(first);
    key->next_close =
        key->open.empty() ? kNever : ClosesAt(key->open.begin()->first);
  }
}

Writing OpenWindows::Close(KeyStream* key, int64_t start_ms,
                           OpenWindow* window) {
  Writing writing;
  writing.start_ms = start_ms;
  writing.aggregates = window->Aggregates(spec_.aggregated);
  key->records_in_open -= static_cast<int64_t>(window->size());
  key->room = window->UsedRoom();
  writing.records = window->TakeRecords();
  key->lows.erase(window->low_offset());
  Release(window);
  if (window->spilled_at.has_value()) EndSpill(*key, start_ms);
  size_ -= 1;
  return writing;
}

std::vector<Spill> OpenWindows::TakeSpills(int64_t position, int64_t max_lag) {
  std::vector<Spill> spills;
  while (!holds_.empty() && position - holds_.begin()->first > max_lag) {
    const auto [key, start_ms] = holds_.begin()->second;
    OpenWindow& window = key->open.at(start_ms);
    Spill& spill = spills.emplace_back();
    spill.key = key->name;
    spill.window_start_ms = start_ms;
    spill.position = position;
    spill.records = window.CopyRecords();
    MarkSpilled(&window, position);
  }
  return spills;
}

void OpenWindows::MarkSpilled(OpenWindow* window, int64_t position) {
  window->spilled_at = position;
  Release(window);
}

void OpenWindows::Hold(KeyStream* key, int64_t start_ms, OpenWindow* window,
                       int64_t offset) {
  window->hold = offset;
  holds_.emplace(offset, std::make_pair(key, start_ms));
}

void OpenWindows::Release(OpenWindow* window) {
  if (!window->hold.has_value()) return;
  holds_.erase(*window->hold);
  window->hold.reset();
}

}  // namespace windproof
