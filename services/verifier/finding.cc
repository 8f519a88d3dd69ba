#include "services/verifier/finding.h"

#include <simdjson.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

// Long enough for a record as people write them; a finding is no transport.
constexpr size_t kMaxShown = 2000;

}  // namespace

Finding MakeFinding(absl::string_view code, std::string expected,
                    std::string found, std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message = std::move(message);
  return finding;
}

absl::string_view NameOf(CheckName name) {
  switch (name) {
    case CheckName::kAnchor:
      return "ANCHOR";
    case CheckName::kCompleteness:
      return "COMPLETENESS";
    case CheckName::kCanonical:
      return "CANONICAL";
    case CheckName::kAnalytics:
      return "ANALYTICS";
    case CheckName::kChain:
      return "CHAIN";
    case CheckName::kAccounting:
      return "ACCOUNTING";
    case CheckName::kSignature:
      return "SIGNATURE";
    case CheckName::kReplay:
      return "REPLAY";
  }
  return "";
}

absl::string_view NameOf(CheckResult result) {
  switch (result) {
    case CheckResult::kPass:
      return "PASS";
    case CheckResult::kFail:
      return "FAIL";
    case CheckResult::kSkipped:
      return "SKIPPED";
  }
  return "";
}

absl::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kVerified:
      return "VERIFIED";
    case Verdict::kEmpty:
      return "EMPTY";
    case Verdict::kFailed:
      return "FAILED";
    case Verdict::kIncomplete:
      return "INCOMPLETE";
    case Verdict::kUnsupported:
      return "UNSUPPORTED";
  }
  return "";
}

CheckOutcome CheckOutcome::Skipped(std::string reason) {
  CheckOutcome outcome;
  outcome.reason = std::move(reason);
  return outcome;
}

CheckOutcome CheckOutcome::Of(std::vector<Finding> findings) {
  CheckOutcome outcome;
  outcome.reason.clear();
  outcome.result = findings.empty() ? CheckResult::kPass : CheckResult::kFail;
  if (findings.size() > kMaxFindings) {
    const size_t more = findings.size() - kMaxFindings;
    findings.resize(kMaxFindings);
    Finding finding;
    finding.code = "MORE_FINDINGS";
    finding.found = absl::StrCat(more);
    finding.message = absl::StrCat(more, " more are not listed");
    findings.push_back(std::move(finding));
  }
  outcome.findings = std::move(findings);
  return outcome;
}

void CheckOutcome::Add(const CheckOutcome& other) {
  if (other.failed()) {
    result = CheckResult::kFail;
  } else if (other.result == CheckResult::kSkipped && passed()) {
    result = CheckResult::kSkipped;
  }
  if (!other.reason.empty() && other.reason != reason) {
    absl::StrAppend(&reason, reason.empty() ? "" : "; ", other.reason);
  }
  findings.insert(findings.end(), other.findings.begin(), other.findings.end());
}

Verdict CheckTable::Decide(Verdict if_all_pass, bool unsupported) const {
  bool some = false;
  bool all_pass = true;
  for (size_t i = 0; i < kCheckCount; ++i) {
    if (!present_[i]) continue;
    some = true;
    if (outcomes_[i].failed()) return Verdict::kFailed;
    all_pass &= outcomes_[i].passed();
  }
  if (unsupported) return Verdict::kUnsupported;
  return some && all_pass ? if_all_pass : Verdict::kIncomplete;
}

std::string Shown(absl::string_view bytes) {
  size_t size = std::min(bytes.size(), kMaxShown);
  // Not in the middle of a character: continuation bytes are 10xxxxxx.
  while (size > 0 && size < bytes.size() &&
         (static_cast<unsigned char>(bytes[size]) & 0xC0) == 0x80) {
    --size;
  }
  const absl::string_view part = bytes.substr(0, size);
  const bool controls = std::any_of(part.begin(), part.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  std::string text =
      simdjson::validate_utf8(part.data(), part.size()) && !controls
          ? std::string(part)
          : absl::CHexEscape(part);
  if (size < bytes.size()) {
    absl::StrAppend(&text, "… (", bytes.size(), " bytes)");
  }
  return text;
}

}  // namespace windproof
