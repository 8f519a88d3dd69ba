#include "common/record_log/kafka_admin.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr std::chrono::milliseconds kPiece{2000};

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const {
    rd_kafka_queue_destroy(queue);
  }
};
using Queue = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;

struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const {
    rd_kafka_event_destroy(event);
  }
};
using Event = std::unique_ptr<rd_kafka_event_t, EventDeleter>;

struct OptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
};
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

int Millis(std::chrono::milliseconds timeout) {
  return static_cast<int>(std::clamp<int64_t>(timeout.count(), 1, 600'000));
}

AdminOptions MakeOptions(rd_kafka_t* handle, rd_kafka_admin_op_t operation,
                         std::chrono::milliseconds timeout) {
  std::array<char, 256> error = {};
  AdminOptions options(rd_kafka_AdminOptions_new(handle, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), Millis(timeout),
                                            error.data(), error.size());
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), Millis(timeout),
                                              error.data(), error.size());
  return options;
}

// The one topic result of an operation, or its error as a whole. `results`
// takes the results out of the event.
template <typename Results>
absl::Status TopicResult(Queue queue, absl::string_view what,
                         rd_kafka_resp_err_t already_done, Results results) {
  // Its own deadline ends the operation.
  const Event event(rd_kafka_queue_poll(queue.get(), -1));
  if (event == nullptr) {
    return absl::UnavailableError(absl::StrCat(what, ": no answer"));
  }
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(
        rd_kafka_event_error(event.get()),
        absl::StrCat(what, ": ", rd_kafka_event_error_string(event.get())));
  }
  size_t count = 0;
  const rd_kafka_topic_result_t** const topics = results(event.get(), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == already_done) continue;
    const char* const text = rd_kafka_topic_result_error_string(topics[i]);
    return KafkaError(error, text == nullptr ? std::string(what)
                                             : absl::StrCat(what, ": ", text));
  }
  return absl::OkStatus();
}

absl::Status EndedError() {
  return absl::UnavailableError("Kafka is not asked any more: the end is near");
}

bool IsNoAnswer(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         error == RD_KAFKA_RESP_ERR__TRANSPORT;
}

}  // namespace

std::chrono::milliseconds KafkaAdmin::Piece(
    std::chrono::steady_clock::time_point deadline) {
  return std::min(kPiece, std::chrono::duration_cast<std::chrono::milliseconds>(
                              deadline - std::chrono::steady_clock::now()));
}

absl::StatusOr<KafkaTopicSizes> KafkaAdmin::ListTopics(
    std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  do {
    if (ended_) return EndedError();
    error = rd_kafka_metadata(handle_->get(), 1, nullptr, &metadata,
                              Millis(Piece(deadline)));
    // Callbacks that tell of errors.
    rd_kafka_poll(handle_->get(), 0);
  } while (IsNoAnswer(error) && std::chrono::steady_clock::now() < deadline);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string cause = handle_->health().cause();
    absl::Status status =
        KafkaError(error, absl::StrCat("cannot list the topics of Kafka",
                                       cause.empty() ? "" : ": ", cause));
    handle_->health().SetError(status);
    return status;
  }
  handle_->health().SetOk();
  KafkaTopicSizes sizes;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    if (topic.partition_cnt <= 0 || absl::StartsWith(topic.topic, "__") ||
        topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      continue;
    }
    // A topic that is being made has partitions that nobody leads yet.
    bool led = true;
    for (int j = 0; j < topic.partition_cnt; ++j) {
      led &= topic.partitions[j].leader >= 0 ||
             topic.partitions[j].err != RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (led) sizes.emplace(topic.topic, topic.partition_cnt);
  }
  rd_kafka_metadata_destroy(metadata);
  return sizes;
}

absl::Status KafkaAdmin::CreateTopic(
    const std::string& topic, int32_t partitions, int32_t replication,
    const std::vector<std::pair<std::string, std::string>>& settings,
    std::chrono::milliseconds timeout) {
  const std::string what = absl::StrCat("cannot make topic ", topic);
  std::array<char, 256> error = {};
  rd_kafka_NewTopic_t* new_topic = rd_kafka_NewTopic_new(
      topic.c_str(), partitions, replication, error.data(), error.size());
  if (new_topic == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", error.data()));
  }
  for (const auto& [key, value] : settings) {
    rd_kafka_NewTopic_set_config(new_topic, key.c_str(), value.c_str());
  }
  Queue queue(rd_kafka_queue_new(handle_->get()));
  const AdminOptions options =
      MakeOptions(handle_->get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
  rd_kafka_CreateTopics(handle_->get(), &new_topic, 1, options.get(),
                        queue.get());
  rd_kafka_NewTopic_destroy(new_topic);
  return TopicResult(std::move(queue), what,
                     RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS,
                     [](rd_kafka_event_t* event, size_t* count) {
                       return rd_kafka_CreateTopics_result_topics(
                           rd_kafka_event_CreateTopics_result(event), count);
                     });
}

absl::Status KafkaAdmin::AddPartitions(const std::string& topic,
                                       int32_t partitions,
                                       std::chrono::milliseconds timeout) {
  const std::string what =
      absl::StrCat("cannot give topic ", topic, " ", partitions, " partitions");
  std::array<char, 256> error = {};
  rd_kafka_NewPartitions_t* new_partitions =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(partitions),
                                 error.data(), error.size());
  if (new_partitions == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", error.data()));
  }
  Queue queue(rd_kafka_queue_new(handle_->get()));
  const AdminOptions options =
      MakeOptions(handle_->get(), RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout);
  rd_kafka_CreatePartitions(handle_->get(), &new_partitions, 1, options.get(),
                            queue.get());
  rd_kafka_NewPartitions_destroy(new_partitions);
  // Another process may have added them in the meantime: the caller looks.
  return TopicResult(
      std::move(queue), what, RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
      [](rd_kafka_event_t* event, size_t* count) {
        return rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(event), count);
      });
}

absl::StatusOr<LogBounds> KafkaAdmin::Bounds(
    const TopicPartition& source, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  LogBounds bounds;
  const absl::StatusOr<int64_t> begin =
      Offset(source, RD_KAFKA_OFFSET_BEGINNING, timeout);
  if (!begin.ok()) return begin.status();
  const absl::StatusOr<int64_t> end =
      Offset(source, RD_KAFKA_OFFSET_END,
             std::chrono::duration_cast<std::chrono::milliseconds>(
                 deadline - std::chrono::steady_clock::now()));
  if (!end.ok()) return end.status();
  bounds.begin = *begin;
  // Records may have been deleted between the two.
  bounds.end = std::max(*begin, *end);
  return bounds;
}

// Not rd_kafka_query_watermark_offsets(), which can wait for ever. This call
// takes the special timestamps of ListOffsets, which are what librdkafka calls
// these offsets.
absl::StatusOr<int64_t> KafkaAdmin::Offset(const TopicPartition& source,
                                           int64_t which,
                                           std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* const place = rd_kafka_topic_partition_list_add(
      list.get(), source.topic.c_str(), source.partition);
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  do {
    if (ended_) return EndedError();
    place->offset = which;
    error = rd_kafka_offsets_for_times(handle_->get(), list.get(),
                                       Millis(Piece(deadline)));
  } while (IsNoAnswer(error) && std::chrono::steady_clock::now() < deadline);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = place->err;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(error, absl::StrCat("cannot ask for the offsets of ",
                                          source.topic, "/", source.partition));
  }
  if (list->elems[0].offset < 0) {
    return absl::UnavailableError(absl::StrCat(
        "Kafka gives no offset of ", source.topic, "/", source.partition));
  }
  return list->elems[0].offset;
}

}  // namespace windproof
