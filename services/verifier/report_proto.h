// Reports of the verifier as messages. Pure.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPORT_PROTO_H_
#define WINDPROOF_SERVICES_VERIFIER_REPORT_PROTO_H_

#include <google/protobuf/duration.pb.h>

#include <chrono>

#include "proto/windproof/v1/verifier.pb.h"
#include "services/verifier/window_report.h"

namespace windproof {

google::protobuf::Duration ToProto(std::chrono::nanoseconds duration);
void ToProto(const WindowReport& report, v1::VerifyWindowResponse* response);

// Counts a verdict in `totals`.
void AddVerdict(Verdict verdict, v1::VerifyTotals* totals);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPORT_PROTO_H_
