#include "services/ingest/live/dwd_live_flags.h"

#include <algorithm>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bazel/version.h"
#include "common/pipeline/text.h"
#include "services/ingest/live/live_product.h"

namespace windproof {
namespace {

constexpr absl::string_view kNever = "never";
constexpr int64_t kFirstBackoffMs = 5'000;
constexpr int64_t kMaxBodyBytes = int64_t{1} << 30;

absl::Status Bad(absl::string_view flag, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", message));
}

// A duration from `min` to `max`, in milliseconds.
absl::StatusOr<int64_t> Duration(absl::string_view flag,
                                 const std::string& text, absl::Duration min,
                                 absl::Duration max) {
  absl::Duration duration;
  // A bare 0 is a duration to absl; a bare 5 is none.
  if (!absl::ParseDuration(text, &duration) || duration < min ||
      duration > max) {
    return Bad(flag, absl::StrCat(ShownText(text), " is given; from ",
                                  absl::FormatDuration(min), " to ",
                                  absl::FormatDuration(max),
                                  " is accepted, as 90s, 5m or 2h30m"));
  }
  return absl::ToInt64Milliseconds(duration);
}

absl::Status CheckReadable(absl::string_view flag, const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    return Bad(flag, absl::StrCat(ShownText(path),
                                  " cannot be read; a file of certificates "
                                  "(PEM) is accepted"));
  }
  std::fclose(file);
  return absl::OkStatus();
}

}  // namespace

void DwdLiveFlags::AddTo(Command& command) {
  command.Flag("dwd-live", &stations, "STATIONS",
               "Follow these DWD stations, five digits each, with commas in "
               "between: new rows of air temperature go into topic "
               "weather.STATION; needs --dwd-base-url.");
  command.Flag("dwd-base-url", &base_url, "URL",
               "With --dwd-live: the open-data server, http or https, below "
               "which climate_environment/CDC/... is.");
  command.Choice("dwd-product", &product, {"auto", "ten-minutes", "hourly"},
                 "Which values; auto: hourly where the pipeline weather-hourly "
                 "runs, else every ten minutes.");
  command.Flag("dwd-silent-after", &silent_after, "DURATION",
               "How late a row may appear on the server and still be on time. "
               "A station that shows no new row for longer gets a watermark "
               "that far behind the server's last answer, so that its windows "
               "close; never: none. By default 3h, hourly 72h.");
  command.Flag("dwd-poll-every", &poll_every, "DURATION",
               "How often each file is asked for, by conditional requests.");
  command.Flag("dwd-backoff-max", &backoff_max, "DURATION",
               "The longest wait after errors, which doubles from 5s on.");
  command.Flag("dwd-connect-timeout", &connect_timeout, "DURATION",
               "How long a connection may take.");
  command.Flag("dwd-timeout", &timeout, "DURATION",
               "How long a whole download may take.");
  command.Flag("dwd-body-bytes-max", &body_bytes_max, 1, kMaxBodyBytes, "BYTES",
               "The largest file that is accepted.");
  command.Flag("dwd-ca", &ca_path, "FILE",
               "Certificates (PEM) that the server's must lead to, in the "
               "place of the system's.");
}

absl::StatusOr<std::optional<DwdLiveOptions>> DwdLiveFlags::Options() const {
  if (stations.empty()) {
    if (base_url.empty()) return std::nullopt;
    return Bad("--dwd-base-url",
               "is given without --dwd-live, the stations to follow");
  }
  DwdLiveOptions options;
  auto parsed = ParseLiveStations(stations);
  if (!parsed.ok()) return Bad("--dwd-live", parsed.status().message());
  options.stations = *std::move(parsed);
  if (base_url.empty()) {
    return Bad("--dwd-base-url",
               "is missing; with --dwd-live it names the server");
  }
  auto checked = CheckLiveBaseUrl(base_url);
  if (!checked.ok()) return Bad("--dwd-base-url", checked.status().message());
  options.base_url = *std::move(checked);
  if (product == "hourly") options.cadence = DwdCadence::kHourly;
  if (product == "ten-minutes") options.cadence = DwdCadence::kTenMinutes;

  if (absl::AsciiStrToLower(silent_after) == kNever) {
    options.state_watermarks = false;
  } else if (!silent_after.empty()) {
    const auto ms = Duration("--dwd-silent-after", silent_after,
                             absl::Seconds(1), absl::Hours(24 * 366));
    if (!ms.ok()) return ms.status();
    options.silent_after_ms = *ms;
  }
  const struct {
    absl::string_view flag;
    const std::string& text;
    absl::Duration min;
    absl::Duration max;
    int64_t* ms;
  } kDurations[] = {
      {"--dwd-poll-every", poll_every, absl::Milliseconds(10), absl::Hours(24),
       &options.poll_ms},
      {"--dwd-backoff-max", backoff_max, absl::Milliseconds(10),
       absl::Hours(24), &options.backoff.max_ms},
      {"--dwd-connect-timeout", connect_timeout, absl::Milliseconds(10),
       absl::Hours(1), &options.http.connect_timeout_ms},
      {"--dwd-timeout", timeout, absl::Milliseconds(10), absl::Hours(1),
       &options.http.timeout_ms},
  };
  for (const auto& one : kDurations) {
    const auto ms = Duration(one.flag, one.text, one.min, one.max);
    if (!ms.ok()) return ms.status();
    *one.ms = *ms;
  }
  options.backoff.first_ms =
      std::min({kFirstBackoffMs, options.backoff.max_ms, options.poll_ms});
  options.http.body_bytes_max = body_bytes_max;
  options.http.user_agent = absl::StrCat("windproof/", VersionString());
  if (!ca_path.empty()) {
    const absl::Status readable = CheckReadable("--dwd-ca", ca_path);
    if (!readable.ok()) return readable;
    options.http.ca_path = ca_path;
  }
  return options;
}

}  // namespace windproof
