#include "services/verifier/report_proto.h"

namespace windproof {
namespace {

v1::Check::Name NameOfCheck(CheckName name) {
  switch (name) {
    case CheckName::kAnchor:
      return v1::Check::ANCHOR;
    case CheckName::kCompleteness:
      return v1::Check::COMPLETENESS;
    case CheckName::kCanonical:
      return v1::Check::CANONICAL;
    case CheckName::kAnalytics:
      return v1::Check::ANALYTICS;
    case CheckName::kChain:
      return v1::Check::CHAIN;
    case CheckName::kAccounting:
      return v1::Check::ACCOUNTING;
    case CheckName::kSignature:
      return v1::Check::SIGNATURE;
    case CheckName::kReplay:
      return v1::Check::REPLAY;
  }
  return v1::Check::NAME_UNSPECIFIED;
}

v1::Check::Result ResultOfCheck(CheckResult result) {
  switch (result) {
    case CheckResult::kPass:
      return v1::Check::PASS;
    case CheckResult::kFail:
      return v1::Check::FAIL;
    case CheckResult::kSkipped:
      return v1::Check::SKIPPED;
  }
  return v1::Check::RESULT_UNSPECIFIED;
}

v1::VerifyWindowResponse::Verdict VerdictOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kVerified:
      return v1::VerifyWindowResponse::VERIFIED;
    case Verdict::kEmpty:
      return v1::VerifyWindowResponse::EMPTY;
    case Verdict::kFailed:
      return v1::VerifyWindowResponse::FAILED;
    case Verdict::kIncomplete:
      return v1::VerifyWindowResponse::INCOMPLETE;
    case Verdict::kUnsupported:
      return v1::VerifyWindowResponse::UNSUPPORTED;
  }
  return v1::VerifyWindowResponse::VERDICT_UNSPECIFIED;
}

}  // namespace

google::protobuf::Duration ToProto(std::chrono::nanoseconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(duration.count() % 1'000'000'000));
  return proto;
}

void ToProto(const WindowReport& report, v1::VerifyWindowResponse* response) {
  *response->mutable_window() = ToProto(report.window);
  response->set_verdict(VerdictOf(report.verdict));
  response->set_revision(report.revision);
  response->set_records(report.records);
  for (const int64_t position : report.evidence) {
    response->add_evidence(position);
  }
  for (size_t i = 0; i < kCheckCount; ++i) {
    const CheckName name = static_cast<CheckName>(i);
    const CheckOutcome* outcome = report.checks.Find(name);
    if (outcome == nullptr) continue;
    v1::Check* check = response->add_checks();
    check->set_name(NameOfCheck(name));
    check->set_result(ResultOfCheck(outcome->result));
    check->set_reason(outcome->reason);
    *check->mutable_duration() = ToProto(report.durations[i]);
    for (const Finding& finding : outcome->findings) {
      v1::Finding* out = check->add_findings();
      out->set_code(finding.code);
      if (finding.record.has_value()) out->set_record(*finding.record);
      if (finding.offset.has_value()) out->set_offset(*finding.offset);
      out->set_expected(finding.expected);
      out->set_found(finding.found);
      out->set_message(finding.message);
    }
  }
}

void AddVerdict(Verdict verdict, v1::VerifyTotals* totals) {
  switch (verdict) {
    case Verdict::kVerified:
      totals->set_verified(totals->verified() + 1);
      break;
    case Verdict::kEmpty:
      totals->set_empty(totals->empty() + 1);
      break;
    case Verdict::kFailed:
      totals->set_failed(totals->failed() + 1);
      break;
    case Verdict::kIncomplete:
      totals->set_incomplete(totals->incomplete() + 1);
      break;
    case Verdict::kUnsupported:
      totals->set_unsupported(totals->unsupported() + 1);
      break;
  }
}

}  // namespace windproof
