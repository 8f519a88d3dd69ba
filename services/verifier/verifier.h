// Verifies windows: reads what ledger and window-hash serve, and checks it.
#ifndef WINDPROOF_SERVICES_VERIFIER_VERIFIER_H_
#define WINDPROOF_SERVICES_VERIFIER_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/signed_note.h"
#include "common/pipeline/spec.h"
#include "common/proto/convert.h"
#include "common/record_log/record_log.h"
#include "services/verifier/head_book.h"
#include "services/verifier/key_ledger.h"
#include "services/verifier/ledger_trust.h"
#include "services/verifier/peers.h"
#include "services/verifier/spec_book.h"
#include "services/verifier/window_reader.h"
#include "services/verifier/window_report.h"

namespace windproof {

// Thread-safe.
class Verifier {
 public:
  struct Options {
    LedgerTrust ledger;
    std::vector<VerifierKey> producers;  // whose checkpoints are believed
    std::vector<PipelineSpec> specs;     // valid; may be empty
    RecordLog* log = nullptr;            // REPLAY, culprits; may be null
    MonotonicClock now;                  // for durations
  };

  explicit Verifier(Options options);

  // One window, in all its revisions. What is found is the report; errors:
  // InvalidArgument: no window of a known pipeline. NotFound: the key has no
  // checkpoint and no open window. FailedPrecondition: the window is not closed
  // yet. Unavailable: neither ledger nor window-hash can say anything of it.
  // `replay`: computed anew from the record log too (REPLAY).
  absl::StatusOr<WindowReport> VerifyWindow(
      const Peers& peers, const WindowName& window, bool replay,
      const std::function<bool()>& cancelled);

  struct Range {
    std::string pipeline;  // empty: all that ledger or window-hash know
    std::string key;       // empty: all
    StartRange starts;
    bool replay = false;  // as of VerifyWindow
  };

  // Is told what a VerifyRange finds, in order. False ends it.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual bool OnWindow(const WindowReport& report) = 0;
    virtual bool OnProgress(int64_t windows_done, int64_t windows) = 0;
  };

  // Every window of a range in order of pipeline, key and start. Those without
  // a checkpoint come only for one key and a range with both bounds. Memory is
  // that of one key's checkpoints. Errors: InvalidArgument: an unknown
  // pipeline. Unavailable. Cancelled, also where the listener ended it.
  absl::Status VerifyRange(const Peers& peers, const Range& range,
                           const std::function<bool()>& cancelled,
                           Listener& listener);

 private:
  class RangeRun;
  class PipelinesListener;

  const Options options_;
  SpecBook specs_;
  HeadBook heads_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_VERIFIER_H_
