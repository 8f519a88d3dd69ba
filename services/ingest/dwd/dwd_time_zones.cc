#include "services/ingest/dwd/dwd_time_zones.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace windproof {
namespace {

using Zone = DwdTimeZones::Zone;

constexpr int32_t kForEver = 99'991'231;

// Whether `text` holds `word` with no letter right beside it.
bool HasWord(absl::string_view text, absl::string_view word) {
  for (size_t at = text.find(word); at != absl::string_view::npos;
       at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins =
        at == 0 || !absl::ascii_isalnum(static_cast<uint8_t>(text[at - 1]));
    const bool ends = end == text.size() ||
                      !absl::ascii_isalnum(static_cast<uint8_t>(text[end]));
    if (begins && ends) return true;
  }
  return false;
}

Zone ZoneFromText(absl::string_view text) {
  if (HasWord(text, "UTC") || HasWord(text, "GMT")) return Zone::kUtc;
  if (HasWord(text, "MEZ")) return Zone::kMez;
  if (HasWord(text, "GZ") || HasWord(text, "MESZ") || HasWord(text, "MOZ")) {
    return Zone::kOther;
  }
  return Zone::kUnsaid;
}

// Where the columns are.
struct Columns {
  std::optional<size_t> station;
  std::optional<size_t> first_day;
  std::optional<size_t> last_day;
  std::optional<size_t> parameter;
  std::optional<size_t> remark;
};

absl::Status FindColumns(absl::string_view header, Columns* columns) {
  const std::vector<absl::string_view> names = absl::StrSplit(header, ';');
  const struct {
    absl::string_view name;
    std::optional<size_t>* at;
  } kWanted[] = {
      {"Stations_ID", &columns->station}, {"Von_Datum", &columns->first_day},
      {"Bis_Datum", &columns->last_day},  {"Parameter", &columns->parameter},
      {"Zusatz-Info", &columns->remark},
  };
  for (const auto& wanted : kWanted) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(names[i]),
                                 wanted.name)) {
        *wanted.at = i;
      }
    }
    if (!wanted.at->has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "has no column ", wanted.name,
          "; Stations_ID, Von_Datum, Bis_Datum, Parameter and Zusatz-Info are "
          "accepted"));
    }
  }
  return absl::OkStatus();
}

std::optional<DwdTimeZones::Period> PeriodFromLine(absl::string_view line,
                                                   const Columns& columns) {
  const std::vector<absl::string_view> cells = absl::StrSplit(line, ';');
  const auto cell = [&cells](const std::optional<size_t>& at) {
    return *at < cells.size() ? absl::StripAsciiWhitespace(cells[*at])
                              : absl::string_view();
  };
  DwdTimeZones::Period period;
  if (!absl::SimpleAtoi(cell(columns.station), &period.station) ||
      !absl::SimpleAtoi(cell(columns.first_day), &period.first_day)) {
    return std::nullopt;
  }
  // A period that still runs may have no end.
  if (!absl::SimpleAtoi(cell(columns.last_day), &period.last_day)) {
    period.last_day = kForEver;
  }
  period.parameter = std::string(cell(columns.parameter));
  period.zone = ZoneFromText(cell(columns.remark));
  return period;
}

}  // namespace

absl::Status DwdTimeZones::Add(absl::string_view text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  Columns columns;
  absl::Status found = FindColumns(lines.front(), &columns);
  if (!found.ok()) return found;
  lines.erase(lines.begin());
  for (const absl::string_view line : lines) {
    std::optional<Period> period = PeriodFromLine(line, columns);
    if (period.has_value()) periods_.push_back(*std::move(period));
  }
  return absl::OkStatus();
}

std::vector<DwdTimeZones::Period> DwdTimeZones::PeriodsOf(
    int32_t station, absl::string_view parameter) const {
  std::vector<Period> found;
  for (const Period& period : periods_) {
    if (period.station == station && period.parameter == parameter) {
      found.push_back(period);
    }
  }
  return found;
}

DwdTimeZones::Zone DwdTimeZones::ZoneOf(const std::vector<Period>& periods,
                                        int32_t day) {
  const Period* newest = nullptr;
  for (const Period& period : periods) {
    if (day < period.first_day || day > period.last_day) continue;
    if (newest == nullptr || period.first_day >= newest->first_day) {
      newest = &period;
    }
  }
  return newest == nullptr ? Zone::kUnsaid : newest->zone;
}

}  // namespace windproof
