#include "tests/bench/kafka_load.h"

#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

constexpr int64_t kFirstMs = 978'307'200'000;  // 2001-01-01
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kGraceMs = 1'200'000;
// Values that are made at once.
constexpr int64_t kRoundRecords = 2'000'000;

double WallSeconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * 1e-6;
}

double SelfCpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime);
}

using Settings = std::initializer_list<std::pair<const char*, const char*>>;

struct ClientDeleter {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using Client = std::unique_ptr<rd_kafka_t, ClientDeleter>;

Client NewClient(rd_kafka_type_t type, const std::string& bootstrap,
                 const Settings& settings) {
  std::array<char, 512> error = {};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const auto set = [&](const char* key, const char* value) {
    if (rd_kafka_conf_set(conf, key, value, error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      Give(error.data());
    }
  };
  set("bootstrap.servers", bootstrap.c_str());
  for (const auto& [key, value] : settings) set(key, value);
  Client client(rd_kafka_new(type, conf, error.data(), error.size()));
  if (client == nullptr) Give(error.data());
  return client;
}

// The client's topics of a load.
class Topics {
 public:
  Topics(rd_kafka_t* client, const Load& load) {
    for (int s = 0; s < Load::kStations; ++s) {
      topics_[s] = rd_kafka_topic_new(client, load.Topic(s).c_str(), nullptr);
      if (topics_[s] == nullptr) Give("a topic that librdkafka refuses");
    }
  }
  ~Topics() {
    for (rd_kafka_topic_t* topic : topics_) rd_kafka_topic_destroy(topic);
  }
  Topics(const Topics&) = delete;
  Topics& operator=(const Topics&) = delete;

  rd_kafka_topic_t* operator[](int station) const { return topics_[station]; }

 private:
  std::array<rd_kafka_topic_t*, Load::kStations> topics_ = {};
};

void Flush(rd_kafka_t* client) {
  if (rd_kafka_flush(client, 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Give("the broker did not acknowledge within 2 minutes");
  }
}

void ProduceEnd(rd_kafka_t* client, const Load& load) {
  const std::string end = load.End();
  for (int s = 0; s < Load::kStations; ++s) {
    const std::string topic = load.Topic(s);
    const std::string key = Load::Station(s);
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(end.data()), end.size()),
        RD_KAFKA_V_HEADER("windproof-control", "watermark", 9),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Give(rd_kafka_err2str(error));
  }
  Flush(client);
}

}  // namespace

void Give(absl::string_view message) {
  std::fprintf(stderr, "kafka_bench: %s\n", std::string(message).c_str());
  std::exit(1);
}

SelfCost::SelfCost() : wall_s_(WallSeconds()), cpu_s_(SelfCpuSeconds()) {}

Cost SelfCost::Now() const {
  return {.wall_s = WallSeconds() - wall_s_,
          .cpu_s = SelfCpuSeconds() - cpu_s_};
}

std::string Load::Station(int station) {
  return absl::StrCat(10'001 + station);
}

std::string Load::Topic(int station) const {
  return absl::StrCat(prefix, ".", Station(station));
}

std::string Load::Value(int station, int64_t i) const {
  const int64_t ms = kFirstMs + i / per_window * kHourMs +
                     i % per_window * (kHourMs / per_window);
  const int64_t tenths = (i * 7919 + station) % 400 - 50;
  return absl::StrCat(
      "{\"station_id\":\"", Station(station), "\",\"timestamp\":\"",
      FormatTimestamp(TimestampFromMillis(ms)),
      "\",\"temperature\":", tenths / 10, ".", std::abs(tenths % 10),
      ",\"humidity\":", 30 + i % 70, ".5,\"quality\":3}");
}

std::string Load::End() const {
  const int64_t hours = Windows() / kStations;
  return FormatTimestamp(
      TimestampFromMillis(kFirstMs + hours * kHourMs + kGraceMs));
}

int64_t Load::Windows() const {
  const int64_t each = records / kStations;
  return (each + per_window - 1) / per_window * kStations;
}

std::string Load::Spec() const {
  std::string topics;
  for (int s = 0; s < kStations; ++s) {
    absl::StrAppend(&topics, s == 0 ? "" : ",", "\"", Topic(s), "\"");
  }
  return absl::StrCat(
      "{\"name\":\"", prefix, "\",\"topics\":[", topics,
      "],\"key_field\":\"station_id\",\"timestamp_field\":\"timestamp\","
      "\"fields\":{\"dew_point\":\"NUMBER\",\"ground_temperature\":\"NUMBER\","
      "\"humidity\":\"NUMBER\",\"pressure\":\"NUMBER\","
      "\"temperature\":\"NUMBER\"},\"aggregated\":[\"temperature\"],"
      "\"window_ms\":",
      kHourMs, ",\"grace_ms\":", kGraceMs,
      ",\"late_policy\":\"REJECT\",\"future_skew_ms\":300000}");
}

Cost ProduceRaw(const std::string& bootstrap, const Load& load) {
  // As window-hash and ingest write.
  const Client client = NewClient(RD_KAFKA_PRODUCER, bootstrap,
                                  {{"enable.idempotence", "true"},
                                   {"acks", "all"},
                                   {"linger.ms", "0.5"},
                                   {"batch.size", "1000000"},
                                   {"batch.num.messages", "10000"},
                                   {"compression.type", "lz4"},
                                   {"queue.buffering.max.messages", "500000"},
                                   {"queue.buffering.max.kbytes", "65536"}});
  const Topics topics(client.get(), load);
  Cost cost;
  const int64_t each = load.records / Load::kStations;
  const int64_t round = kRoundRecords / Load::kStations;
  for (int64_t begin = 0; begin < each; begin += round) {
    const int64_t end = std::min(each, begin + round);
    std::vector<std::string> values;
    values.reserve(static_cast<size_t>((end - begin) * Load::kStations));
    for (int64_t i = begin; i < end; ++i) {
      for (int s = 0; s < Load::kStations; ++s) {
        values.push_back(load.Value(s, i));
      }
    }
    const SelfCost since;
    for (size_t i = 0; i < values.size(); ++i) {
      const int station = static_cast<int>(i % Load::kStations);
      const std::string key = Load::Station(station);
      while (rd_kafka_produce(topics[station], 0, RD_KAFKA_MSG_F_COPY,
                              values[i].data(), values[i].size(), key.data(),
                              key.size(), nullptr) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
          Give(rd_kafka_err2str(rd_kafka_last_error()));
        }
        rd_kafka_poll(client.get(), 10);
      }
      if (i % 1024 == 0) rd_kafka_poll(client.get(), 0);
    }
    Flush(client.get());
    const Cost spent = since.Now();
    cost.wall_s += spent.wall_s;
    cost.cpu_s += spent.cpu_s;
  }
  ProduceEnd(client.get(), load);
  return cost;
}

Cost ConsumeRaw(const std::string& bootstrap, const Load& load) {
  const SelfCost since;
  const Client client = NewClient(RD_KAFKA_CONSUMER, bootstrap, {});
  const Topics topics(client.get(), load);
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(client.get());
  for (int s = 0; s < Load::kStations; ++s) {
    if (rd_kafka_consume_start_queue(topics[s], 0, 0, queue) != 0) {
      Give(rd_kafka_err2str(rd_kafka_last_error()));
    }
  }
  std::vector<rd_kafka_message_t*> messages(2048);
  int64_t seen = 0;
  while (seen < load.LogRecords()) {
    const ssize_t count = rd_kafka_consume_batch_queue(
        queue, 1000, messages.data(), messages.size());
    for (ssize_t i = 0; i < count; ++i) {
      if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++seen;
      rd_kafka_message_destroy(messages[i]);
    }
  }
  const Cost cost = since.Now();
  for (int s = 0; s < Load::kStations; ++s) rd_kafka_consume_stop(topics[s], 0);
  rd_kafka_queue_destroy(queue);
  return cost;
}

}  // namespace windproof
