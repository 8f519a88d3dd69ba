#include "services/ingest/live/live_product.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr absl::string_view kClimate =
    "/climate_environment/CDC/observations_germany/climate/";

absl::Status BadBaseUrl(absl::string_view url, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "base URL is ", ShownText(url), ", ", why,
      "; accepted: http://HOST[:PORT][/PATH] or https://..., below which "
      "climate_environment/CDC/ is"));
}

bool IsStation(absl::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

}  // namespace

absl::string_view LiveFileKindName(LiveFileKind kind) {
  return kind == LiveFileKind::kNow ? "now" : "recent";
}

std::vector<LiveFile> LiveFilesOf(absl::string_view base_url,
                                  DwdCadence cadence,
                                  absl::string_view station) {
  if (cadence == DwdCadence::kHourly) {
    return {{LiveFileKind::kRecent,
             absl::StrCat(base_url, kClimate,
                          "hourly/air_temperature/recent/stundenwerte_TU_",
                          station, "_akt.zip")}};
  }
  return {
      {LiveFileKind::kRecent,
       absl::StrCat(base_url, kClimate,
                    "10_minutes/air_temperature/recent/10minutenwerte_TU_",
                    station, "_akt.zip")},
      {LiveFileKind::kNow,
       absl::StrCat(base_url, kClimate,
                    "10_minutes/air_temperature/now/10minutenwerte_TU_",
                    station, "_now.zip")},
  };
}

absl::StatusOr<std::string> CheckLiveBaseUrl(absl::string_view url) {
  absl::string_view rest = url;
  if (absl::StartsWithIgnoreCase(rest, "http://")) {
    rest.remove_prefix(7);
  } else if (absl::StartsWithIgnoreCase(rest, "https://")) {
    rest.remove_prefix(8);
  } else {
    return BadBaseUrl(url, "which is neither http nor https");
  }
  for (const char c : rest) {
    if (c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '<' || c == '>') {
      return BadBaseUrl(url, "which has a character that no URL has");
    }
    // They would be in front of the paths, and in every log line.
    if (c == '?' || c == '#') return BadBaseUrl(url, "with a query");
    if (c == '@') return BadBaseUrl(url, "with a user");
  }
  const absl::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty() || host[0] == ':') {
    return BadBaseUrl(url, "which names no host");
  }
  while (absl::EndsWith(url, "/")) url.remove_suffix(1);
  return std::string(url);
}

absl::StatusOr<std::vector<std::string>> ParseLiveStations(
    const std::vector<std::string>& values) {
  std::vector<std::string> stations;
  for (const std::string& value : values) {
    for (absl::string_view text : absl::StrSplit(value, ',')) {
      text = absl::StripAsciiWhitespace(text);
      if (!IsStation(text)) {
        return absl::InvalidArgumentError(
            absl::StrCat("station is ", ShownText(text),
                         "; accepted: a number of five digits, as 00433, or "
                         "several with commas in between"));
      }
      if (std::find(stations.begin(), stations.end(), text) != stations.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("station ", text, " is there twice"));
      }
      stations.emplace_back(text);
    }
  }
  return stations;
}

int64_t CadenceSeconds(DwdCadence cadence) {
  return cadence == DwdCadence::kHourly ? 3'600 : 600;
}

}  // namespace windproof
