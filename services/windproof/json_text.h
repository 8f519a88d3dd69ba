// What commands print with --output json: one compact object a line.
//
// Pure.
#ifndef WINDPROOF_SERVICES_WINDPROOF_JSON_TEXT_H_
#define WINDPROOF_SERVICES_WINDPROOF_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "proto/windproof/v1/checkpoint.pb.h"
#include "proto/windproof/v1/verifier.pb.h"
#include "proto/windproof/v1/window.pb.h"

namespace windproof {

// `text` as a JSON string, quotes included. Bytes that are no UTF-8 become
// '*'.
std::string JsonText(absl::string_view text);

// {"pipeline":"…","key":"…","start":"…"}
std::string JsonOf(const v1::WindowId& window);

// {"checkpoint_sha256":"…","confirmations":1,"ledger":"…",…}
std::string JsonOf(const v1::Receipt& receipt);

// {"window":{…},"verdict":"VERIFIED","checks":[…]}
std::string JsonOf(const v1::VerifyWindowResponse& response);

// {"code":"…","record":0,"offset":17,"expected":"…","found":"…","message":"…"};
// record and offset are null where no record is concerned.
std::string JsonOf(const v1::Finding& finding);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_JSON_TEXT_H_
