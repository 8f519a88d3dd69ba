#include "common/server/metrics_page.h"

#include <grpcpp/support/status.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using testing::HasSubstr;

TEST(MetricsPageTest, MetricsOfOneNameAreOneFamily) {
  const std::string page = MetricsPage({{.name = "windproof_b",
                                         .help = "B.",
                                         .labels = {{"topic", "a\"b"}},
                                         .value = 2},
                                        {.name = "windproof_a_total",
                                         .help = "A.",
                                         .type = Metric::Type::kCounter,
                                         .value = 3},
                                        {.name = "windproof_b",
                                         .help = "B.",
                                         .labels = {{"topic", "c"}},
                                         .value = 1}},
                                       {});
  EXPECT_THAT(page, HasSubstr("# HELP windproof_a_total A.\n"
                              "# TYPE windproof_a_total counter\n"
                              "windproof_a_total 3\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE windproof_b gauge\n"
                              "windproof_b{topic=\"a\\\"b\"} 2\n"
                              "windproof_b{topic=\"c\"} 1\n"));
}

TEST(MetricsPageTest, CallsAreCountedByMethodAndCode) {
  RpcStats::Snapshot calls;
  calls.active = 4;
  calls.calls[{"/s/M", grpc::StatusCode::NOT_FOUND}] = 2;
  RpcStats::Latency& latency = calls.latencies["/s/M"];
  latency.counts[1] = 1;
  latency.counts.back() = 1;
  latency.sum_seconds = 40.5;
  const std::string page = MetricsPage({}, calls);
  EXPECT_THAT(page, HasSubstr("windproof_rpc_active 4\n"));
  EXPECT_THAT(page,
              HasSubstr("windproof_rpc_calls_total{method=\"/s/M\",code=\"NOT_"
                        "FOUND\"} 2\n"));
  EXPECT_THAT(page,
              HasSubstr("windproof_rpc_seconds_count{method=\"/s/M\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("le=\"0.001\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("le=\"30\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("le=\"+Inf\"} 2\n"));
}

TEST(MetricsPageTest, TheProcessIsMeasured) {
  const std::string page = MetricsPage(ProcessMetrics(), {});
  for (const char* name :
       {"process_resident_memory_bytes ", "process_cpu_seconds_total ",
        "process_open_fds ", "windproof_build_info{version="}) {
    EXPECT_THAT(page, HasSubstr(name));
  }
}

}  // namespace
}  // namespace windproof
