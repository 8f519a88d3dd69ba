// Computes the records of one revision of a window anew from the record log, to
// name what is wrong where hashes only say that something is.
//
// Source: docs/formats/ ("Classes and closing"). A closing (revision 0) needs
// the offsets of its own records only: in a window that was open, the lowest
// offset of each timestamp is the accepted record. A revision needs the whole
// log of the partition from its origin on, run through the window engine.
// Pure: the caller reads the log. Belongs to one thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_RECOMPUTE_H_
#define WINDPROOF_SERVICES_VERIFIER_RECOMPUTE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"

namespace windproof {

class WindowRecomputer {
 public:
  // `spec` must be that of the checkpoint and outlive this; `origin` is where
  // the chain's first scan begins.
  WindowRecomputer(const PipelineSpec& spec, const Checkpoint& anchored,
                   int64_t origin);
  ~WindowRecomputer();

  // The offsets to feed, in order: [begin(), end()).
  int64_t begin() const;
  int64_t end() const;

  // The next record of the partition. Errors as of WindowEngine::Feed.
  absl::Status Feed(const LogRecord& record);

  // The records as the log gives them; no entry where it gives no such window.
  WindowRecords Finish();

 private:
  class OneWindow;

  struct Candidate {
    int64_t offset = 0;
    std::string canonical;
  };

  void FeedClosing(const LogRecord& record);

  const PipelineSpec& spec_;
  const Checkpoint anchored_;
  const int64_t origin_;

  // Revision 0.
  RecordReader reader_;
  std::map<Timestamp, Candidate> candidates_;

  // Revision 1 and up.
  std::unique_ptr<OneWindow> window_;
  std::unique_ptr<WindowEngine> engine_;
  EngineOutput output_;
  WindowRecords revised_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_RECOMPUTE_H_
