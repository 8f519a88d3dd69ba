#include "services/ingest/dwd/dwd_file.h"

#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr int32_t kFirstUtcYearOf10Minutes = 2000;
constexpr int64_t kMezSeconds = 3600;
constexpr size_t kMaxDigits = 15;

// Takes the next line off `text`, without its line end: LF, CR LF, or CR CR LF
// as a text-mode download leaves it. False at the end.
bool TakeLine(absl::string_view* text, absl::string_view* line, bool* ended) {
  if (text->empty()) return false;
  const size_t end = text->find('\n');
  *ended = end != absl::string_view::npos;
  *line = text->substr(0, end);
  text->remove_prefix(*ended ? end + 1 : text->size());
  while (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  return true;
}

std::optional<int32_t> ParseDigits(absl::string_view text) {
  int32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// A time as the row has it, whatever its zone is.
struct LocalTime {
  int32_t day = 0;  // yyyymmdd
  int64_t seconds = 0;
};

std::optional<LocalTime> ParseLocalTime(absl::string_view text,
                                        DwdCadence cadence) {
  const size_t size = cadence == DwdCadence::kHourly ? 10 : 12;
  if (text.size() != size) return std::nullopt;
  const auto day = ParseDigits(text.substr(0, 8));
  const auto hour = ParseDigits(text.substr(8, 2));
  // Of no digits where there are only hours: 0.
  const auto minute = ParseDigits(text.substr(10));
  if (!day.has_value() || !hour.has_value() || !minute.has_value() ||
      *hour > 23 || *minute > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(*day / 10'000),
      std::chrono::month(static_cast<unsigned>(*day / 100 % 100)),
      std::chrono::day(static_cast<unsigned>(*day % 100))};
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return LocalTime{*day, days * 86'400 + *hour * 3'600 + *minute * 60};
}

enum class ValueKind { kNumber, kMissing, kBad };

// -?digits(.digits)? Takes superfluous zeros off the front, which JSON does not
// have.
ValueKind ParseValue(absl::string_view* text) {
  size_t i = 0;
  if (i < text->size() && (*text)[i] == '-') ++i;
  const size_t digits_begin = i;
  while (i < text->size() && absl::ascii_isdigit((*text)[i])) ++i;
  const size_t digits = i - digits_begin;
  if (digits == 0 || digits > kMaxDigits) return ValueKind::kBad;
  if (i < text->size()) {
    if ((*text)[i] != '.') return ValueKind::kBad;
    const size_t decimals_begin = ++i;
    while (i < text->size() && absl::ascii_isdigit((*text)[i])) ++i;
    const size_t decimals = i - decimals_begin;
    if (i < text->size() || decimals == 0 || decimals > kMaxDigits) {
      return ValueKind::kBad;
    }
  }
  if (absl::StartsWith(*text, "-999") &&
      text->find_first_not_of(".0", 4) == absl::string_view::npos &&
      digits == 3) {
    return ValueKind::kMissing;
  }
  return ValueKind::kNumber;
}

// Whether there is a zero in front of another digit.
bool HasSuperfluousZero(absl::string_view number) {
  absl::ConsumePrefix(&number, "-");
  return number.size() > 1 && number[0] == '0' && number[1] != '.';
}

// Reads the rows of one file.
class RowParser {
 public:
  RowParser(const DwdLayout& layout, const DwdTimeZones& zones)
      : layout_(layout), zones_(zones), cells_(layout.columns.size()) {
    row_.cadence = layout.cadence;
  }

  // Reads `line` into row(). False where it is rejected, and why.
  bool Parse(absl::string_view line, bool line_ended, std::string* reason) {
    return Split(line, line_ended, reason) && ParseStation(reason) &&
           ParseTime(reason) && ParseValues(reason);
  }

  const DwdRow& row() const { return row_; }

 private:
  // Splits into trimmed cells, as many as there are columns.
  bool Split(absl::string_view line, bool line_ended, std::string* reason) {
    size_t count = 0;
    absl::string_view rest = line;
    while (true) {
      const size_t end = rest.find(';');
      if (count < cells_.size())
        cells_[count] = TrimDwdCell(rest.substr(0, end));
      ++count;
      if (end == absl::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    const bool whole = count == cells_.size() &&
                       (!layout_.has_end || cells_.back() == kDwdEndColumn);
    if (whole) return true;
    if (count != cells_.size()) {
      *reason = absl::StrCat(!line_ended && count < cells_.size()
                                 ? "the file is cut off here: "
                                 : "",
                             "the row ", ShownText(line), " has ", count,
                             count == 1 ? " column; " : " columns; ",
                             cells_.size(), " are accepted, as in the header");
    } else {
      *reason = absl::StrCat(
          line_ended ? "" : "the file is cut off here: ", "the last column is ",
          ShownText(cells_.back()), "; eor (end of record) is accepted");
    }
    return false;
  }

  bool ParseStation(std::string* reason) {
    const absl::string_view cell = cells_[layout_.station];
    const auto station = cell.size() <= 5 ? ParseDigits(cell) : std::nullopt;
    if (cell.empty() || !station.has_value()) {
      *reason = absl::StrCat(kDwdStationColumn, " is ", ShownText(cell),
                             "; 1 to 5 digits are accepted");
      return false;
    }
    row_.station = *station;
    return true;
  }

  bool ParseTime(std::string* reason) {
    const absl::string_view cell = cells_[layout_.time];
    const auto local = ParseLocalTime(cell, layout_.cadence);
    if (!local.has_value()) {
      *reason =
          absl::StrCat(kDwdTimeColumn, " is ", ShownText(cell),
                       "; a date that exists is accepted, as ",
                       layout_.cadence == DwdCadence::kHourly ? "yyyymmddhh"
                                                              : "yyyymmddhhmi");
      return false;
    }
    row_.time_s = local->seconds;
    switch (ZoneAt(local->day)) {
      case DwdTimeZones::Zone::kMez:
        row_.time_s -= kMezSeconds;
        break;
      case DwdTimeZones::Zone::kOther:
        *reason = absl::StrCat(
            kDwdTimeColumn, " is ", cell,
            ", which the station's metadata give in a time zone other than "
            "UTC and MEZ; those are accepted");
        return false;
      case DwdTimeZones::Zone::kUtc:
      case DwdTimeZones::Zone::kUnsaid:
        break;
    }
    if (row_.time_s < kYear0Seconds) {
      *reason = absl::StrCat(kDwdTimeColumn, " is ", cell,
                             "; the years 0000 to 9999 of UTC are accepted");
      return false;
    }
    return true;
  }

  DwdTimeZones::Zone ZoneAt(int32_t day) {
    if (layout_.cadence == DwdCadence::kTenMinutes &&
        day < kFirstUtcYearOf10Minutes * 10'000) {
      return DwdTimeZones::Zone::kMez;
    }
    if (row_.station != periods_station_) {
      periods_ = zones_.PeriodsOf(row_.station, layout_.temperature);
      periods_station_ = row_.station;
    }
    return DwdTimeZones::ZoneOf(periods_, day);
  }

  bool ParseValues(std::string* reason) {
    for (size_t i = 0; i < kDwdFields; ++i) {
      row_.values[i] = absl::string_view();
      if (!layout_.fields[i].has_value()) continue;
      absl::string_view cell = cells_[*layout_.fields[i]];
      switch (ParseValue(&cell)) {
        case ValueKind::kMissing:
          break;
        case ValueKind::kNumber:
          row_.values[i] =
              HasSuperfluousZero(cell) ? WithoutZeros(i, cell) : cell;
          break;
        case ValueKind::kBad:
          *reason = absl::StrCat(
              layout_.columns[*layout_.fields[i]], " is ", ShownText(cell),
              "; a decimal number is accepted, or -999 where it is missing");
          return false;
      }
    }
    return true;
  }

  absl::string_view WithoutZeros(size_t field, absl::string_view number) {
    std::string& text = without_zeros_[field];
    text.clear();
    if (absl::ConsumePrefix(&number, "-")) text = "-";
    while (number.size() > 1 && number[0] == '0' && number[1] != '.') {
      number.remove_prefix(1);
    }
    absl::StrAppend(&text, number);
    return text;
  }

  const DwdLayout& layout_;
  const DwdTimeZones& zones_;
  std::vector<absl::string_view> cells_;
  int32_t periods_station_ = -1;
  std::vector<DwdTimeZones::Period> periods_;  // of that station
  std::array<std::string, kDwdFields> without_zeros_;
  DwdRow row_;
};

absl::string_view WithoutByteOrderMark(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xef\xbb\xbf");
  return text;
}

}  // namespace

bool LooksLikeDwdFile(absl::string_view text) {
  text = WithoutByteOrderMark(text);
  absl::string_view header;
  bool ended;
  return TakeLine(&text, &header, &ended) && LooksLikeDwdHeader(header);
}

absl::StatusOr<DwdFileSummary> ParseDwdFile(
    absl::string_view text, const DwdTimeZones& zones,
    absl::FunctionRef<void(const DwdRow&)> sink) {
  text = WithoutByteOrderMark(text);
  absl::string_view line;
  bool ended;
  if (!TakeLine(&text, &line, &ended)) {
    return absl::InvalidArgumentError(absl::StrCat("is empty; ", kDwdAccepted));
  }
  const absl::StatusOr<DwdLayout> layout = DwdLayoutFromHeader(line);
  if (!layout.ok()) return layout.status();

  DwdFileSummary summary;
  summary.cadence = layout->cadence;
  RowParser parser(*layout, zones);
  std::string reason;
  for (int64_t number = 2; TakeLine(&text, &line, &ended); ++number) {
    if (TrimDwdCell(line).empty()) continue;
    if (parser.Parse(line, ended, &reason)) {
      ++summary.rows;
      sink(parser.row());
      continue;
    }
    ++summary.rejected_rows;
    if (summary.rejected.size() < DwdFileSummary::kRejectedKept) {
      summary.rejected.push_back({number, reason});
    }
  }
  return summary;
}

}  // namespace windproof
