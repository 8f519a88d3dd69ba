// What ingest lets into the record log: only what the pipelines that read the
// topic would take, judged by the very reader that they use.
//
// Pure: no I/O, no clock; records bring their log time along.
#ifndef WINDPROOF_SERVICES_INGEST_RECORD_VALIDATOR_H_
#define WINDPROOF_SERVICES_INGEST_RECORD_VALIDATOR_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"

namespace windproof {

struct IngestLimits {
  size_t batch_records_max = 10'000;
  size_t batch_bytes_max = 16 << 20;
  size_t record_bytes_max = 1 << 20;  // key, value and headers as stored
  size_t record_headers_max = 100;
};

// Why a batch is refused; all of them are the client's to mend.
struct Refusal {
  enum class Reason {
    kBatchSize,   // no records, too many or too many bytes
    kRecordSize,  // one record is too big
    kTopic,       // not a topic name, or no pipeline reads it
    kHeader,      // too many, or a name that is none
    kInvalid,     // a pipeline would count it as invalid
    kNobodys,     // a pipeline would find no key in it
  };
  static constexpr size_t kReasons = 6;

  Reason reason = Reason::kInvalid;
  // The record's index, the field, its value and what is accepted.
  std::string message;
};

// "batch_size", "record_size", "topic", "header", "invalid", "nobodys".
absl::string_view RefusalReasonName(Refusal::Reason reason);

// Belongs to one thread.
class RecordValidator {
 public:
  // `specs` must be valid and outlive the validator. InvalidArgument where
  // a topic pattern is none.
  static absl::StatusOr<std::unique_ptr<RecordValidator>> Create(
      absl::Span<const PipelineSpec> specs, const IngestLimits& limits);

  RecordValidator(const RecordValidator&) = delete;
  RecordValidator& operator=(const RecordValidator&) = delete;

  // Nothing when every record can be taken. A record that several pipelines
  // read must be good for all of them; one that is a valid control record is
  // good.
  std::optional<Refusal> Check(absl::Span<const NewRecord> records);

 private:
  struct Pipeline {
    Pipeline(const PipelineSpec& spec, TopicMatcher topics)
        : spec(spec), topics(std::move(topics)), reader(spec) {}

    const PipelineSpec& spec;
    const TopicMatcher topics;
    RecordReader reader;
  };
  using Readers = std::vector<Pipeline*>;

  explicit RecordValidator(const IngestLimits& limits) : limits_(limits) {}

  // The pipelines that read the topic.
  const Readers& ReadersOf(const std::string& topic);

  std::optional<Refusal> CheckBatchSize(absl::Span<const NewRecord> records);
  std::optional<Refusal> CheckTopic(size_t index, const NewRecord& record,
                                    const Readers& readers);
  std::optional<Refusal> CheckHeaders(size_t index, const NewRecord& record);
  std::optional<Refusal> CheckContent(size_t index, const NewRecord& record,
                                      const Readers& readers);

  const IngestLimits limits_;
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  // What is known about topics, so that patterns are not matched each time.
  absl::flat_hash_map<std::string, Readers> readers_;
  LogRecord view_;  // scratch
};

// Bytes of the record as the log stores it.
size_t StoredSize(const NewRecord& record);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_RECORD_VALIDATOR_H_
