// Where the live source's records go: through the checks that every client's
// records pass, into the record log.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_SINK_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_SINK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/record_log/record_log.h"
#include "services/ingest/validator_pool.h"

namespace windproof {

struct LiveRefusal {
  size_t index = 0;    // of the record
  std::string reason;  // the field, its value and what is accepted
};

// Thread-safe.
class LiveSink {
 public:
  virtual ~LiveSink() = default;

  // Appends the records, in order, but for those that no pipeline would take,
  // which are returned. When it is OK all others are durable.
  //
  // InvalidArgument: no pipeline reads the topic. Otherwise as
  // RecordLog::Append(): some may be in the log or none; to be sent again.
  virtual absl::StatusOr<std::vector<LiveRefusal>> Append(
      std::vector<NewRecord> records) = 0;
};

class LiveLogSink final : public LiveSink {
 public:
  // Both must outlive it.
  LiveLogSink(ValidatorPool& validators, RecordLog& log)
      : validators_(validators), log_(log) {}

  absl::StatusOr<std::vector<LiveRefusal>> Append(
      std::vector<NewRecord> records) override;

 private:
  ValidatorPool& validators_;
  RecordLog& log_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_SINK_H_
