#include "common/pipeline/open_window.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/crypto/sha256.h"

namespace windproof {

OpenWindow::OpenWindow(size_t aggregated, int64_t low_offset, const Room& room)
    : low_offset_(low_offset), aggregator_(aggregated) {
  in_order_.reserve(room.records);
  bytes_.reserve(room.bytes);
}

std::optional<absl::string_view> OpenWindow::Find(const Timestamp& time) const {
  // Nothing lies behind the last one in order.
  if (in_order_.empty() || in_order_.back().time < time) return std::nullopt;
  const auto slot = std::lower_bound(
      in_order_.begin(), in_order_.end(), time,
      [](const Slot& a, const Timestamp& b) { return a.time < b; });
  const Slot* found = nullptr;
  if (slot->time == time) {
    found = &*slot;
  } else if (const auto behind = behind_.find(time); behind != behind_.end()) {
    found = &behind->second;
  }
  if (found == nullptr) return std::nullopt;
  return absl::string_view(bytes_).substr(found->begin, found->size);
}

bool OpenWindow::Add(int64_t offset, const RecordReader::Result& record) {
  if (bytes_.size() + record.canonical.size() >
      std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  const Slot slot{record.time, offset, static_cast<uint32_t>(bytes_.size()),
                  static_cast<uint32_t>(record.canonical.size())};
  if (in_order_.empty() || in_order_.back().time < record.time) {
    in_order_.push_back(slot);
  } else {
    behind_.emplace(record.time, slot);
  }
  bytes_.append(record.canonical.data(), record.canonical.size());
  aggregator_.Add(record.aggregated);
  return true;
}

OpenWindow::Room OpenWindow::UsedRoom() const {
  constexpr size_t kRecordsMax = 1024;
  constexpr size_t kBytesMax = size_t{1} << 16;
  return {std::min(in_order_.size(), kRecordsMax),
          std::min(bytes_.size(), kBytesMax)};
}

WindowRecords OpenWindow::CopyRecords() const { return {Entries(), bytes_}; }

WindowRecords OpenWindow::TakeRecords() {
  WindowRecords records{Entries(), std::move(bytes_)};
  in_order_.clear();
  behind_.clear();
  bytes_.clear();
  return records;
}

std::vector<WindowRecords::Entry> OpenWindow::Entries() const {
  std::vector<WindowRecords::Entry> entries;
  entries.reserve(size());
  const auto put = [&entries](const Slot& slot) {
    entries.push_back({slot.offset, slot.begin, slot.size, kZeroDigest});
  };
  auto behind = behind_.begin();
  for (const Slot& slot : in_order_) {
    for (; behind != behind_.end() && behind->first < slot.time; ++behind) {
      put(behind->second);
    }
    put(slot);
  }
  return entries;
}

}  // namespace windproof
