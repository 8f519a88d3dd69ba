#include "services/ingest/dwd/dwd_station.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

// Of each DwdField, with all that stands between it and what comes before.
constexpr absl::string_view kFieldPrefixes[kDwdFields] = {
    ",\"temperature\":", ",\"humidity\":", ",\"dew_point\":", ",\"pressure\":",
    ",\"ground_temperature\":"};

}  // namespace

DwdStation::DwdStation(int32_t number)
    : id_(absl::StrFormat("%05d", number)),
      topic_(absl::StrCat("weather.", id_)),
      prefix_(absl::StrCat("{\"station_id\":\"", id_, "\",\"timestamp\":\"")) {}

void DwdStation::Add(const DwdRow& row) {
  Row compact;
  compact.time_s = row.time_s;
  compact.begin = numbers_.size();
  for (size_t i = 0; i < kDwdFields; ++i) {
    // ParseDwdFile() gives no number of more than 32 characters.
    compact.sizes[i] = static_cast<uint8_t>(row.values[i].size());
    numbers_.append(row.values[i].data(), row.values[i].size());
  }
  rows_.push_back(compact);
  ++of_cadence_[static_cast<size_t>(row.cadence)];
}

void DwdStation::Sort() {
  const auto earlier = [](const Row& a, const Row& b) {
    return a.time_s < b.time_s;
  };
  if (std::is_sorted(rows_.begin(), rows_.end(), earlier)) return;
  std::stable_sort(rows_.begin(), rows_.end(), earlier);
}

void DwdStation::AppendRecord(size_t row, std::string* out) const {
  const Row& compact = rows_[row];
  out->append(prefix_);
  AppendTimestamp(Timestamp{compact.time_s, 0}, out);
  out->push_back('"');
  size_t begin = compact.begin;
  for (size_t i = 0; i < kDwdFields; ++i) {
    if (compact.sizes[i] == 0) continue;
    out->append(kFieldPrefixes[i].data(), kFieldPrefixes[i].size());
    out->append(numbers_, begin, compact.sizes[i]);
    begin += compact.sizes[i];
  }
  out->push_back('}');
}

}  // namespace windproof
