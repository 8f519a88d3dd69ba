// What the demo does, step by step, on a stack of its own in this process: it
// is a client like any other.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_DEMO_RUN_H_
#define WINDPROOF_SERVICES_WINDPROOF_DEMO_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "proto/windproof/v1/verifier.pb.h"
#include "proto/windproof/v1/window_hash.pb.h"
#include "services/ingest/dwd/dwd_collector.h"
#include "services/windproof/record_sender.h"
#include "services/windproof/servers.h"
#include "services/windproof/stack.h"

namespace windproof {

class DemoRun {
 public:
  struct Counts {
    int64_t records = 0;   // written into the log, without control records
    int64_t rejected = 0;  // rows, and files, that never got there
    int64_t windows = 0;
    int64_t anchored = 0;
    int64_t verified = 0;
    int64_t failed = 0;  // FAILED, INCOMPLETE and UNSUPPORTED
    ScanCounts dropped;  // duplicate, conflict, late, invalid
  };

  // `tell` gets lines for people.
  explicit DemoRun(std::function<void(const std::string&)> tell);
  ~DemoRun();

  // Opens a new store at `data_dir` with the pipelines that `deliveries` need:
  // `weather-hourly` for hourly rows, `weather` for 10-minute rows. Where there
  // are both, each reads only its own stations; the spec files that say so go
  // to `spec_dir`.
  absl::Status Open(const std::string& data_dir, const std::string& spec_dir,
                    const std::vector<DwdCollection>& deliveries);

  // Sends the deliveries one after the other, and closes the last windows.
  absl::Status Ingest(const std::vector<DwdCollection>& deliveries);

  // Until every record has been read and every checkpoint has its receipt.
  absl::Status WaitUntilAnchored();

  // Gives all windows, in order of pipeline, key and start, to `window`.
  absl::Status List(const std::function<void(const v1::Window&)>& window);

  // Verifies all windows; `bad` gets those that are not good.
  absl::Status Verify(
      const std::function<void(const v1::VerifyWindowResponse&)>& bad);

  // Stops the stack: its store is then a stopped one.
  void Close();

  const Counts& counts() const { return counts_; }

  // Verify()'s totals, of all pipelines.
  const v1::VerifyTotals& totals() const { return totals_; }

  // A window in the middle that is large enough for every way of the drill.
  // Nothing where there is none. After List().
  std::optional<WindowName> DrillWindow() const;

 private:
  const std::function<void(const std::string&)> tell_;
  std::unique_ptr<Stack> stack_;
  Servers servers_;
  LogEnds log_ends_;
  std::vector<WindowName> large_;
  Counts counts_;
  v1::VerifyTotals totals_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_DEMO_RUN_H_
