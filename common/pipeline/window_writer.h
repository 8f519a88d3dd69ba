// Writes the checkpoints of one partition: docs/formats/ ("Classes and
// closing", step 4).
//
// Pure; thread-compatible.
#ifndef WINDPROOF_COMMON_PIPELINE_WINDOW_WRITER_H_
#define WINDPROOF_COMMON_PIPELINE_WINDOW_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/engine_output.h"
#include "common/pipeline/key_stream.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"

namespace windproof {

// A window about to be written.
struct Writing {
  int64_t start_ms = 0;
  int64_t revision = 0;
  std::optional<Digest> supersedes;
  WindowRecords records;  // in leaf order, without leaf hashes
  std::vector<Checkpoint::Aggregate> aggregates;
};

class WindowWriter {
 public:
  // `spec` must outlive it.
  WindowWriter(const PipelineSpec& spec, absl::string_view topic,
               int32_t partition)
      : spec_(spec),
        spec_hash_(SpecHash(spec)),
        topic_(topic),
        partition_(partition) {}

  // Writes the windows of a writing moment of `key`, which have left its open
  // windows, in the order given: their checkpoints continue the key's chain,
  // and the first one's scan ends the one that runs. `offset` is of the record
  // that caused it and `seen` the count of the partition's records up to there.
  void Write(KeyStream* key, int64_t offset, int64_t seen,
             std::vector<Writing>* writings, EngineOutput* output) const;

 private:
  // Each fills in its part of the checkpoint.
  void FillSource(const KeyStream& key, Checkpoint* checkpoint) const;
  void FillWindow(Writing* writing, WrittenWindow* written) const;
  static void FillScan(int64_t offset, int64_t seen, KeyStream* key,
                       Checkpoint* checkpoint);

  const PipelineSpec& spec_;
  const Digest spec_hash_;
  const std::string topic_;
  const int32_t partition_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_WINDOW_WRITER_H_
