// The error of a batch that the log wrote only in part.
#ifndef WINDPROOF_SERVICES_INGEST_PUBLISH_FAILURE_H_
#define WINDPROOF_SERVICES_INGEST_PUBLISH_FAILURE_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/record_log/record_log.h"

namespace windproof {

// `status` (not OK) of RecordLog::Append(records). With an AppendOutcome() its
// details are a google.rpc.Status with a PublishRecordsResponse, as
// ingest.proto says; small enough for a header in any case.
grpc::Status PublishFailure(const absl::Status& status,
                            absl::Span<const NewRecord> records);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_PUBLISH_FAILURE_H_
