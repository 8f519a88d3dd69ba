// Reads the bytes of a checkpoint as EncodeCheckpoint() writes them, each
// member where that puts it: what ParseCheckpoint() tries first, because nearly
// every checkpoint is one of those and a JSON tree costs ten times as much.
//
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_PIPELINE_CHECKPOINT_SCANNER_H_
#define WINDPROOF_COMMON_PIPELINE_CHECKPOINT_SCANNER_H_

#include "absl/strings/string_view.h"
#include "common/pipeline/checkpoint.h"

namespace windproof {

// False where something else stands there, or where reading it takes more than
// this: it may be a checkpoint all the same. True: the values are those that a
// checkpoint may have, but whether it encodes to the same bytes is not known.
bool ScanCheckpoint(absl::string_view bytes, Checkpoint* checkpoint);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_CHECKPOINT_SCANNER_H_
