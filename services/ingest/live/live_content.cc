#include "services/ingest/live/live_content.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/ingest/dwd/dwd_archive.h"
#include "services/ingest/dwd/dwd_file.h"
#include "services/ingest/dwd/dwd_time_zones.h"

namespace windproof {
namespace {

// 500 days of 10-minute values unpack to 5 MB.
constexpr DwdArchiveLimits kLimits = {.file_bytes_max = 128 << 20,
                                      .zip_members_max = 1'000};

absl::string_view CadenceName(DwdCadence cadence) {
  return cadence == DwdCadence::kHourly ? "hourly" : "10-minute";
}

absl::Status OfMember(const std::string& name, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(name, " ", why));
}

absl::Status ReadProduct(const DwdMember& member, int32_t station,
                         DwdCadence cadence, const DwdTimeZones& zones,
                         LiveContent* content) {
  if (!member.text.ok()) {
    return OfMember(member.name, member.text.status().message());
  }
  int32_t other = -1;
  absl::StatusOr<DwdFileSummary> summary =
      ParseDwdFile(*member.text, zones, [&](const DwdRow& row) {
        if (row.station == station) {
          content->rows.Add(row);
        } else {
          other = row.station;
        }
      });
  if (!summary.ok()) {
    return OfMember(member.name, summary.status().message());
  }
  if (other >= 0) {
    return OfMember(member.name,
                    absl::StrCat("has rows of station ", other, "; station ",
                                 content->rows.id(), " is accepted"));
  }
  if (summary->cadence != cadence) {
    return OfMember(
        member.name,
        absl::StrCat("has ", CadenceName(summary->cadence), " rows; ",
                     CadenceName(cadence), " ones are accepted"));
  }
  content->rejected_rows += summary->rejected_rows;
  for (const DwdRejectedRow& row : summary->rejected) {
    if (content->rejected.size() == LiveContent::kRejectedShown) break;
    content->rejected.push_back(
        absl::StrCat(member.name, ":", row.line, ": ", row.reason));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LiveContent> ReadLiveContent(absl::string_view zip,
                                            absl::string_view station,
                                            DwdCadence cadence) {
  int32_t number = 0;
  if (!absl::SimpleAtoi(station, &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat("station is ", station, "; five digits are accepted"));
  }
  LiveContent content(number);
  DwdTimeZones zones;
  absl::Status first_error;
  const absl::Status read = ReadDwdZipBytes(
      zip, kLimits,
      [&](DwdMember member) {
        absl::Status added = member.text.status();
        if (added.ok()) added = zones.Add(*member.text);
        if (first_error.ok() && !added.ok()) {
          first_error = OfMember(member.name, added.message());
        }
      },
      [&](DwdMember member) {
        if (first_error.ok()) {
          first_error = ReadProduct(member, number, cadence, zones, &content);
        }
      });
  if (!read.ok()) return read;
  if (!first_error.ok()) return first_error;
  content.rows.Sort();
  return content;
}

}  // namespace windproof
