// Computes the windows of one key anew from the record log, from any checkpoint
// on or from the partition's origin.
//
// Source: docs/formats/ ("Checkpoint": "REPLAY of what follows checkpoint C").
// The work is the window engine's; this restores it from what a checkpoint says
// and hides the records of other keys from it, which only count.
// Pure: the caller reads the log. Belongs to one thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_KEY_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_KEY_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"

namespace windproof {

class KeyReplay {
 public:
  // `spec` must be valid; it and `written` must outlive this. What `written`
  // gives must include what was fed last.
  KeyReplay(const PipelineSpec& spec, absl::string_view topic,
            int32_t partition, absl::string_view key, WrittenWindows& written);

  // One of the two, before anything else. `last`: the last checkpoint of its
  // writing moment, with the SHA-256 of its bytes.
  void Begin(int64_t origin);
  void BeginAfter(const Checkpoint& last, const Digest& hash);

  // The first offset to feed.
  int64_t next_offset() const { return first_; }

  // The next record of the partition, whosever it is. Appends what it causes.
  // Errors as of WindowEngine::Feed().
  absl::Status Feed(const LogRecord& record, EngineOutput* output);

 private:
  struct Accepted {
    int64_t offset = 0;
    std::string canonical;
  };

  bool IsAnothers(const LogRecord& record);
  // A record below the scan's begin: only those of windows still open count.
  void Reread(const LogRecord& record);
  absl::Status StartEngine();

  const PipelineSpec& spec_;
  const std::string key_;
  RecordReader reader_;
  WindowEngine engine_;
  int64_t first_ = 0;
  int64_t begin_ = 0;  // of the scan

  // Until the first record of the scan.
  bool started_ = false;
  KeyState state_;
  std::map<int64_t, std::map<Timestamp, Accepted>> open_;  // by start
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_KEY_H_
