#include "services/windproof/verdict_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/canonical/timestamp.h"
#include "services/windproof/count_text.h"

namespace windproof {
namespace {

absl::string_view ColourOf(v1::VerifyWindowResponse::Verdict verdict) {
  switch (verdict) {
    case v1::VerifyWindowResponse::VERIFIED:
    case v1::VerifyWindowResponse::EMPTY:
      return "\033[32m";  // green
    case v1::VerifyWindowResponse::FAILED:
      return "\033[31m";  // red
    default:
      return "\033[33m";  // yellow
  }
}

}  // namespace

std::string FindingText(const v1::Finding& finding) {
  std::string text = finding.code();
  if (finding.has_record()) {
    absl::StrAppend(&text, " record ", finding.record());
  }
  if (finding.has_offset()) {
    absl::StrAppend(&text, " offset ", finding.offset());
  }
  absl::StrAppend(&text, ": ", finding.message());
  if (!finding.expected().empty() || !finding.found().empty()) {
    const auto shown = [](const std::string& value) -> absl::string_view {
      return value.empty() ? "nothing" : absl::string_view(value);
    };
    absl::StrAppend(&text, " (expected ", shown(finding.expected()), ", found ",
                    shown(finding.found()), ")");
  }
  return text;
}

std::string VerdictText(const v1::VerifyWindowResponse& response,
                        bool colours) {
  const v1::WindowId& window = response.window();
  const std::string verdict =
      v1::VerifyWindowResponse::Verdict_Name(response.verdict());
  std::string text = absl::StrFormat(
      "%s%-11s%s %s/%s/%s", colours ? ColourOf(response.verdict()) : "",
      verdict, colours ? "\033[0m" : "", window.pipeline(), window.key(),
      FormatTimestamp({window.start().seconds(), window.start().nanos()}));
  if (response.revision() >= 0) {
    absl::StrAppend(&text, "  ", CountText(response.records(), "record"));
    if (response.revision() > 0) {
      absl::StrAppend(&text, ", revision ", response.revision());
    }
  }
  text += "\n";
  for (const v1::Check& check : response.checks()) {
    if (check.result() == v1::Check::PASS) continue;
    absl::StrAppend(&text, "            ", v1::Check::Name_Name(check.name()),
                    " ", v1::Check::Result_Name(check.result()),
                    check.reason().empty() ? "" : ": ", check.reason(), "\n");
    for (const v1::Finding& finding : check.findings()) {
      absl::StrAppend(&text, "              ", FindingText(finding), "\n");
    }
  }
  return text;
}

std::string TotalsText(const v1::VerifyTotals& totals) {
  const double seconds = static_cast<double>(totals.duration().seconds()) +
                         totals.duration().nanos() / 1e9;
  return absl::StrFormat(
      "%s, %s in %.2f s: %d verified, %d empty, %d failed, %d incomplete, %d "
      "unsupported\n",
      CountText(totals.windows(), "window"),
      CountText(totals.records(), "record"), seconds, totals.verified(),
      totals.empty(), totals.failed(), totals.incomplete(),
      totals.unsupported());
}

}  // namespace windproof
