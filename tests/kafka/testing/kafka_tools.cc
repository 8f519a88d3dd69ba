#include "tests/kafka/testing/kafka_tools.h"

#include <chrono>
#include <thread>

#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr int kTimeoutMs = 60'000;

rd_kafka_t* NewHandle(rd_kafka_type_t type,
                      const std::map<std::string, std::string>& settings) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  char error[512] = {};
  rd_kafka_conf_set_log_cb(conf, nullptr);
  for (const auto& [key, value] : settings) {
    EXPECT_EQ(rd_kafka_conf_set(conf, key.c_str(), value.c_str(), error,
                                sizeof(error)),
              RD_KAFKA_CONF_OK)
        << error;
  }
  rd_kafka_t* const handle = rd_kafka_new(type, conf, error, sizeof(error));
  EXPECT_NE(handle, nullptr) << error;
  return handle;
}

// Waits for the answer and destroys it.
void Await(rd_kafka_queue_t* queue, const char* what) {
  rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, kTimeoutMs);
  EXPECT_NE(event, nullptr) << what;
  if (event != nullptr) {
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR)
        << what << ": " << rd_kafka_event_error_string(event);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_queue_destroy(queue);
}

void Check(rd_kafka_error_t* error, const char* what) {
  if (error == nullptr) return;
  ADD_FAILURE() << what << ": " << rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
}

}  // namespace

KafkaTools::KafkaTools(const std::string& bootstrap)
    : handle_(NewHandle(RD_KAFKA_CONSUMER,
                        {{"bootstrap.servers", bootstrap},
                         {"allow.auto.create.topics", "false"}})) {}

KafkaTools::~KafkaTools() { rd_kafka_destroy(handle_); }

bool KafkaTools::HasTopic(const std::string& topic) {
  const rd_kafka_metadata_t* metadata = nullptr;
  EXPECT_EQ(rd_kafka_metadata(handle_, 1, nullptr, &metadata, kTimeoutMs),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  if (metadata == nullptr) return false;
  bool found = false;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    found |= topic == metadata->topics[i].topic;
  }
  rd_kafka_metadata_destroy(metadata);
  return found;
}

void KafkaTools::CreateTopic(
    const std::string& topic, int partitions,
    const std::map<std::string, std::string>& settings) {
  char error[512] = {};
  rd_kafka_NewTopic_t* new_topic =
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, error, sizeof(error));
  ASSERT_NE(new_topic, nullptr) << error;
  for (const auto& [key, value] : settings) {
    rd_kafka_NewTopic_set_config(new_topic, key.c_str(), value.c_str());
  }
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(handle_);
  rd_kafka_CreateTopics(handle_, &new_topic, 1, nullptr, queue);
  rd_kafka_NewTopic_destroy(new_topic);
  Await(queue, "CreateTopics");
  while (!HasTopic(topic)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void KafkaTools::DeleteTopic(const std::string& topic) {
  rd_kafka_DeleteTopic_t* old_topic = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(handle_);
  rd_kafka_DeleteTopics(handle_, &old_topic, 1, nullptr, queue);
  rd_kafka_DeleteTopic_destroy(old_topic);
  Await(queue, "DeleteTopics");
  while (HasTopic(topic)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void KafkaTools::DeleteRecords(const std::string& topic, int32_t partition,
                               int64_t offset) {
  rd_kafka_topic_partition_list_t* const list =
      rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset =
      offset;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list);
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(handle_);
  rd_kafka_DeleteRecords(handle_, &request, 1, nullptr, queue);
  rd_kafka_DeleteRecords_destroy(request);
  rd_kafka_topic_partition_list_destroy(list);
  Await(queue, "DeleteRecords");
}

KafkaTransactions::KafkaTransactions(const std::string& bootstrap,
                                     const std::string& id)
    : handle_(NewHandle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap},
                                            {"transactional.id", id},
                                            {"retry.backoff.ms", "10"}})) {
  Check(rd_kafka_init_transactions(handle_, kTimeoutMs), "init_transactions");
}

KafkaTransactions::~KafkaTransactions() { rd_kafka_destroy(handle_); }

void KafkaTransactions::Begin() {
  Check(rd_kafka_begin_transaction(handle_), "begin_transaction");
}

void KafkaTransactions::Write(const std::string& topic, int32_t partition,
                              const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    EXPECT_EQ(
        rd_kafka_producev(
            handle_, RD_KAFKA_V_TOPIC(topic.c_str()),
            RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
            RD_KAFKA_V_END),
        RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  EXPECT_EQ(rd_kafka_flush(handle_, kTimeoutMs), RD_KAFKA_RESP_ERR_NO_ERROR);
}

void KafkaTransactions::Commit() {
  Check(rd_kafka_commit_transaction(handle_, kTimeoutMs), "commit");
}

void KafkaTransactions::Abort() {
  Check(rd_kafka_abort_transaction(handle_, kTimeoutMs), "abort");
}

}  // namespace windproof
