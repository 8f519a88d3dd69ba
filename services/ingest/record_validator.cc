#include "services/ingest/record_validator.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/pipeline/text.h"
#include "common/record_log/topic.h"

namespace windproof {
namespace {

// Beyond this many topics the memory of them starts anew.
constexpr size_t kTopicsRemembered = 10'000;

Refusal Refuse(Refusal::Reason reason, size_t index, absl::string_view what) {
  return {reason, absl::StrCat("records[", index, "]: ", what)};
}

}  // namespace

absl::string_view RefusalReasonName(Refusal::Reason reason) {
  switch (reason) {
    case Refusal::Reason::kBatchSize:
      return "batch_size";
    case Refusal::Reason::kRecordSize:
      return "record_size";
    case Refusal::Reason::kTopic:
      return "topic";
    case Refusal::Reason::kHeader:
      return "header";
    case Refusal::Reason::kInvalid:
      return "invalid";
    case Refusal::Reason::kNobodys:
      return "nobodys";
  }
  return "";
}

size_t StoredSize(const NewRecord& record) {
  // Log time, and the lengths of key, value and headers.
  size_t size = 8 + 4 + 4 + 4;
  if (record.key.has_value()) size += record.key->size();
  if (record.value.has_value()) size += record.value->size();
  for (const auto& [name, value] : record.headers) {
    size += 4 + name.size() + 4 + value.size();
  }
  return size;
}

absl::StatusOr<std::unique_ptr<RecordValidator>> RecordValidator::Create(
    absl::Span<const PipelineSpec> specs, const IngestLimits& limits) {
  std::unique_ptr<RecordValidator> validator(new RecordValidator(limits));
  for (const PipelineSpec& spec : specs) {
    absl::StatusOr<TopicMatcher> topics = TopicMatcher::Create(spec.topics);
    if (!topics.ok()) return topics.status();
    validator->pipelines_.push_back(
        std::make_unique<Pipeline>(spec, *std::move(topics)));
  }
  return validator;
}

std::optional<Refusal> RecordValidator::Check(
    absl::Span<const NewRecord> records) {
  std::optional<Refusal> refusal = CheckBatchSize(records);
  if (refusal.has_value()) return refusal;

  const Readers* readers = nullptr;
  for (size_t i = 0; i < records.size(); ++i) {
    const NewRecord& record = records[i];
    if (i == 0 || record.topic != records[i - 1].topic) {
      readers = &ReadersOf(record.topic);
      refusal = CheckTopic(i, record, *readers);
      if (refusal.has_value()) return refusal;
    }
    refusal = CheckHeaders(i, record);
    if (!refusal.has_value()) refusal = CheckContent(i, record, *readers);
    if (refusal.has_value()) return refusal;
  }
  return std::nullopt;
}

const RecordValidator::Readers& RecordValidator::ReadersOf(
    const std::string& topic) {
  const auto known = readers_.find(topic);
  if (known != readers_.end()) return known->second;
  if (readers_.size() >= kTopicsRemembered) readers_.clear();
  Readers readers;
  for (const std::unique_ptr<Pipeline>& pipeline : pipelines_) {
    if (pipeline->topics.Matches(topic)) readers.push_back(pipeline.get());
  }
  return readers_.emplace(topic, std::move(readers)).first->second;
}

std::optional<Refusal> RecordValidator::CheckBatchSize(
    absl::Span<const NewRecord> records) {
  if (records.empty() || records.size() > limits_.batch_records_max) {
    return Refusal{Refusal::Reason::kBatchSize,
                   absl::StrCat("records has ", records.size(), "; 1 to ",
                                limits_.batch_records_max, " are accepted")};
  }
  size_t total = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const size_t size = StoredSize(records[i]);
    if (size > limits_.record_bytes_max) {
      return Refuse(Refusal::Reason::kRecordSize, i,
                    absl::StrCat("key, value and headers have ", size,
                                 " bytes together; up to ",
                                 limits_.record_bytes_max, " are accepted"));
    }
    total += size;
  }
  if (total > limits_.batch_bytes_max) {
    return Refusal{
        Refusal::Reason::kBatchSize,
        absl::StrCat("records has ", total, " bytes; up to ",
                     limits_.batch_bytes_max, " are accepted in one batch")};
  }
  return std::nullopt;
}

std::optional<Refusal> RecordValidator::CheckTopic(size_t index,
                                                   const NewRecord& record,
                                                   const Readers& readers) {
  const absl::Status named = CheckTopicName(record.topic);
  if (!named.ok()) {
    return Refuse(Refusal::Reason::kTopic, index, named.message());
  }
  if (!readers.empty()) return std::nullopt;
  std::vector<std::string> accepted;
  for (const std::unique_ptr<Pipeline>& pipeline : pipelines_) {
    accepted.push_back(absl::StrCat(absl::StrJoin(pipeline->spec.topics, ", "),
                                    " (pipeline ", pipeline->spec.name, ")"));
  }
  return Refuse(Refusal::Reason::kTopic, index,
                absl::StrCat("topic is ", ShownText(record.topic),
                             ", which no pipeline reads; accepted: ",
                             absl::StrJoin(accepted, ", ")));
}

std::optional<Refusal> RecordValidator::CheckHeaders(size_t index,
                                                     const NewRecord& record) {
  if (record.headers.size() > limits_.record_headers_max) {
    return Refuse(
        Refusal::Reason::kHeader, index,
        absl::StrCat("there are ", record.headers.size(), " headers; up to ",
                     limits_.record_headers_max, " are accepted"));
  }
  for (size_t i = 0; i < record.headers.size(); ++i) {
    if (IsUsableKey(record.headers[i].first)) continue;
    return Refuse(Refusal::Reason::kHeader, index,
                  absl::StrCat("headers[", i, "].name is ",
                               ShownText(record.headers[i].first),
                               "; accepted: 1 to 128 bytes of UTF-8 without "
                               "control characters"));
  }
  return std::nullopt;
}

std::optional<Refusal> RecordValidator::CheckContent(size_t index,
                                                     const NewRecord& record,
                                                     const Readers& readers) {
  view_.log_time_ms = record.log_time_ms;
  view_.key = record.key;
  view_.value = record.value;
  view_.headers.clear();
  for (const auto& [name, value] : record.headers) {
    view_.headers.push_back({name, absl::string_view(value)});
  }
  for (Pipeline* const pipeline : readers) {
    const RecordReader::Kind kind = pipeline->reader.Read(view_).kind;
    if (kind == RecordReader::Kind::kCanonical ||
        kind == RecordReader::Kind::kControl) {
      continue;
    }
    const RecordProblem problem = pipeline->reader.Explain(view_).value_or(
        RecordProblem{"value", "not usable", "a record of the pipeline"});
    return Refuse(kind == RecordReader::Kind::kOther
                      ? Refusal::Reason::kNobodys
                      : Refusal::Reason::kInvalid,
                  index,
                  absl::StrCat(problem.field, " is ", problem.found,
                               "; accepted: ", problem.accepted, " (pipeline ",
                               pipeline->spec.name, ")"));
  }
  return std::nullopt;
}

}  // namespace windproof
