// What a commit writes as a message, so that another replica's store can have
// it too.
//
// Source: docs/formats/window-store.md ("The changelog").
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_STORE_CHANGES_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_STORE_CHANGES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/window_hash/database.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store.pb.h"

namespace windproof {

// Internal: the batch holds something that no commit writes.
absl::StatusOr<store::v1::Changes> ChangesOf(const PreparedCommit& commit,
                                             const Database& database);

// The commit that writes `changes`. They come from a log that others can write
// to: DataLoss where they are not of `source`, or of no known family.
absl::StatusOr<PreparedCommit> CommitOf(const PipelineSource& source,
                                        const store::v1::Changes& changes,
                                        const Database& database);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_STORE_CHANGES_H_
