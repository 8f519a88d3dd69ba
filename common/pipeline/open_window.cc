#include "common/pipeline/open_window.h"

#include <limits>
#include <utility>

#include "common/crypto/sha256.h"

namespace windproof {

std::optional<absl::string_view> OpenWindow::Find(const Timestamp& time) const {
  // Most records come in order of time, behind all that are there.
  if (slots_.empty() || slots_.rbegin()->first < time) return std::nullopt;
  const auto found = slots_.find(time);
  if (found == slots_.end()) return std::nullopt;
  return absl::string_view(bytes_).substr(found->second.begin,
                                          found->second.size);
}

bool OpenWindow::Add(int64_t offset, const RecordReader::Result& record) {
  if (bytes_.size() + record.canonical.size() >
      std::numeric_limits<uint32_t>::max()) {
    return false;
  }
  slots_.emplace_hint(slots_.end(), record.time,
                      Slot{offset, static_cast<uint32_t>(bytes_.size()),
                           static_cast<uint32_t>(record.canonical.size())});
  bytes_.append(record.canonical.data(), record.canonical.size());
  aggregator_.Add(record.aggregated);
  return true;
}

WindowRecords OpenWindow::CopyRecords() const { return {Entries(), bytes_}; }

WindowRecords OpenWindow::TakeRecords() {
  WindowRecords records{Entries(), std::move(bytes_)};
  slots_.clear();
  bytes_.clear();
  return records;
}

std::vector<WindowRecords::Entry> OpenWindow::Entries() const {
  std::vector<WindowRecords::Entry> entries;
  entries.reserve(slots_.size());
  for (const auto& [time, slot] : slots_) {
    entries.push_back({slot.offset, slot.begin, slot.size, kZeroDigest});
  }
  return entries;
}

}  // namespace windproof
