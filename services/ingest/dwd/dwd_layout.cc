#include "services/ingest/dwd/dwd_layout.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

// Of real ones it has about 70; a longer one is no header, and not worth the
// memory of its columns.
constexpr size_t kMaxHeaderBytes = 4096;

std::optional<DwdField> FieldOf(absl::string_view column) {
  if (column == "TT_10" || column == "TT_TU" || column == "LUFTTEMPERATUR") {
    return DwdField::kTemperature;
  }
  if (absl::StartsWith(column, "RF_") || column == "REL_FEUCHTE") {
    return DwdField::kHumidity;
  }
  if (column == "TD_10") return DwdField::kDewPoint;
  if (column == "PP_10") return DwdField::kPressure;
  if (column == "TM5_10") return DwdField::kGroundTemperature;
  return std::nullopt;
}

std::vector<std::string> HeaderColumns(absl::string_view header) {
  std::vector<std::string> columns;
  if (header.size() > kMaxHeaderBytes) return columns;
  for (const absl::string_view name : absl::StrSplit(header, ';')) {
    columns.emplace_back(TrimDwdCell(name));
  }
  return columns;
}

std::optional<size_t> Find(const std::vector<std::string>& columns,
                           absl::string_view name) {
  const auto it = std::find(columns.begin(), columns.end(), name);
  if (it == columns.end()) return std::nullopt;
  return static_cast<size_t>(it - columns.begin());
}

}  // namespace

absl::string_view TrimDwdCell(absl::string_view cell) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) {
    cell.remove_prefix(1);
  }
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) {
    cell.remove_suffix(1);
  }
  return cell;
}

absl::string_view DwdFieldName(DwdField field) {
  switch (field) {
    case DwdField::kTemperature:
      return "temperature";
    case DwdField::kHumidity:
      return "humidity";
    case DwdField::kDewPoint:
      return "dew_point";
    case DwdField::kPressure:
      return "pressure";
    case DwdField::kGroundTemperature:
      return "ground_temperature";
  }
  return "";
}

bool LooksLikeDwdHeader(absl::string_view line) {
  const std::vector<std::string> columns = HeaderColumns(line);
  return Find(columns, kDwdStationColumn).has_value() &&
         Find(columns, kDwdTimeColumn).has_value();
}

absl::StatusOr<DwdLayout> DwdLayoutFromHeader(absl::string_view header) {
  DwdLayout layout;
  layout.columns = HeaderColumns(header);
  const auto station = Find(layout.columns, kDwdStationColumn);
  const auto time = Find(layout.columns, kDwdTimeColumn);
  if (!station.has_value() || !time.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is no DWD product file: its first line is ",
                     ShownText(header), "; ", kDwdAccepted));
  }
  layout.station = *station;
  layout.time = *time;
  layout.has_end = layout.columns.back() == kDwdEndColumn;
  for (size_t i = 0; i < layout.columns.size(); ++i) {
    const std::optional<DwdField> field = FieldOf(layout.columns[i]);
    if (!field.has_value()) continue;
    std::optional<size_t>& at = layout.fields[static_cast<size_t>(*field)];
    if (at.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("has two columns for ", DwdFieldName(*field), ", ",
                       layout.columns[*at], " and ", layout.columns[i],
                       "; one is accepted"));
    }
    at = i;
  }
  const auto temperature =
      layout.fields[static_cast<size_t>(DwdField::kTemperature)];
  if (!temperature.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is another product: it has no temperature among its columns ",
        ShownText(absl::StrJoin(layout.columns, ";")), "; ", kDwdAccepted));
  }
  layout.temperature = layout.columns[*temperature];
  layout.cadence = layout.temperature == "TT_10" ? DwdCadence::kTenMinutes
                                                 : DwdCadence::kHourly;
  return layout;
}

}  // namespace windproof
