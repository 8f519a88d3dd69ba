#include "services/windproof/json_text.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/timestamp.h"
#include "common/server/utf8.h"

namespace windproof {
namespace {

std::string TimeText(const google::protobuf::Timestamp& time) {
  return JsonText(FormatTimestamp({time.seconds(), time.nanos()}));
}

}  // namespace

std::string JsonText(absl::string_view text) {
  std::string json;
  AppendQuoted(MaskInvalidUtf8(text), &json);
  return json;
}

std::string JsonOf(const v1::WindowId& window) {
  return absl::StrCat("{\"pipeline\":", JsonText(window.pipeline()),
                      ",\"key\":", JsonText(window.key()),
                      ",\"start\":", TimeText(window.start()), "}");
}

std::string JsonOf(const v1::Receipt& receipt) {
  return absl::StrCat("{\"checkpoint_sha256\":\"",
                      absl::BytesToHexString(receipt.checkpoint_sha256()),
                      "\",\"confirmations\":", receipt.confirmations(),
                      ",\"ledger\":", JsonText(receipt.ledger()),
                      ",\"position\":", receipt.position(), ",\"state\":\"",
                      v1::Receipt::State_Name(receipt.state()),
                      "\",\"time\":", TimeText(receipt.time()),
                      ",\"txid\":", JsonText(receipt.txid()), "}");
}

std::string JsonOf(const v1::Finding& finding) {
  return absl::StrCat(
      "{\"code\":", JsonText(finding.code()), ",\"record\":",
      finding.has_record() ? absl::StrCat(finding.record()) : "null",
      ",\"offset\":",
      finding.has_offset() ? absl::StrCat(finding.offset()) : "null",
      ",\"expected\":", JsonText(finding.expected()),
      ",\"found\":", JsonText(finding.found()),
      ",\"message\":", JsonText(finding.message()), "}");
}

std::string JsonOf(const v1::VerifyWindowResponse& response) {
  std::string json =
      absl::StrCat("{\"window\":", JsonOf(response.window()), ",\"verdict\":\"",
                   v1::VerifyWindowResponse::Verdict_Name(response.verdict()),
                   "\",\"checks\":[");
  for (int i = 0; i < response.checks_size(); ++i) {
    const v1::Check& check = response.checks(i);
    absl::StrAppend(&json, i > 0 ? "," : "", "{\"name\":\"",
                    v1::Check::Name_Name(check.name()), "\",\"result\":\"",
                    v1::Check::Result_Name(check.result()), "\"");
    if (!check.reason().empty()) {
      absl::StrAppend(&json, ",\"reason\":", JsonText(check.reason()));
    }
    json += ",\"findings\":[";
    for (int f = 0; f < check.findings_size(); ++f) {
      absl::StrAppend(&json, f > 0 ? "," : "", JsonOf(check.findings(f)));
    }
    json += "]}";
  }
  return json + "]}";
}

}  // namespace windproof
