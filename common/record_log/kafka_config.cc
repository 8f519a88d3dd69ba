#include "common/record_log/kafka_config.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

struct Setting {
  const char* key;
  const char* value;
};

// A user may set others.
constexpr Setting kDefaults[] = {
    {"client.id", "windproof"},
    // Requests of some records each: waiting for more only delays them.
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    // A broker that is back is noticed soon.
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
    // A record of ingest has 1 MiB at most, a piece of a changelog less; the
    // largest batch of ingest is 16 MiB.
    {"message.max.bytes", "20971520"},
};

constexpr Setting kProducerDefaults[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    // Append() waits for every acknowledgement, so each moment of waiting for
    // more is one of the caller's; a batch of ingest is handed over in less.
    {"linger.ms", "0.5"},
    {"batch.size", "1000000"},
    {"batch.num.messages", "10000"},
    {"compression.type", "lz4"},
    {"queue.buffering.max.messages", "500000"},
    {"queue.buffering.max.kbytes", "65536"},
    {"delivery.timeout.ms", "30000"},
};

constexpr Setting kReaderDefaults[] = {
    {"check.crcs", "true"},
    // What is fetched ahead, over all partitions of a reader.
    {"queued.max.messages.kbytes", "16384"},
    {"queued.min.messages", "50000"},
    // Of one partition in one answer, as packed in the log; every partition of
    // a broker is in it, unpacked before it counts as fetched ahead. A larger
    // batch comes all the same.
    {"fetch.message.max.bytes", "262144"},
    {"fetch.max.bytes", "20971520"},
    {"fetch.wait.max.ms", "500"},
    // After an error of a fetch, metadata is asked for before it is fetched
    // again: KafkaReader looks for a topic made anew then.
    {"topic.metadata.refresh.fast.interval.ms", "20"},
    {"fetch.error.backoff.ms", "300"},
};

constexpr Setting kGroupDefaults[] = {
    {"session.timeout.ms", "10000"},
    {"heartbeat.interval.ms", "1000"},
    // New topics that a pattern matches are found within this time.
    {"topic.metadata.refresh.interval.ms", "5000"},
};

// What a user may not set otherwise.
constexpr Setting kFixed[] = {
    // Positions are ours: a reader never moves by itself, and never goes on
    // over a hole.
    {"auto.offset.reset", "error"},
    {"enable.partition.eof", "true"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.commit.enable", "false"},
    {"isolation.level", "read_committed"},
    // Topics are made on purpose or not at all.
    {"allow.auto.create.topics", "false"},
};

// What is set for each client on its own.
constexpr const char* kOwned[] = {
    "group.id",
    "group.instance.id",
    "partition.assignment.strategy",
    "max.poll.interval.ms",
    "transactional.id",
    "enable.gapless.guarantee",
    "opaque",
    "statistics.interval.ms",
};

// Only for consumers; a producer would warn of them.
constexpr const char* kConsumerOnly[] = {
    "auto.offset.reset",        "enable.partition.eof", "enable.auto.commit",
    "enable.auto.offset.store", "auto.commit.enable",   "isolation.level",
};

bool IsSecret(absl::string_view key) {
  return absl::StrContains(key, "password") ||
         absl::StrContains(key, "secret") || absl::StrContains(key, "pem") ||
         key == "sasl.oauthbearer.config";
}

std::string Set(rd_kafka_conf_t* conf, const std::string& key,
                const std::string& value) {
  std::array<char, 512> error = {};
  if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), error.data(),
                        error.size()) == RD_KAFKA_CONF_OK) {
    return "";
  }
  return error.data();
}

template <size_t kSize>
absl::Status SetAll(rd_kafka_conf_t* conf, const Setting (&settings)[kSize]) {
  for (const Setting& setting : settings) {
    const std::string error = Set(conf, setting.key, setting.value);
    if (!error.empty()) {
      return absl::InternalError(
          absl::StrCat("librdkafka refuses our own setting: ", error));
    }
  }
  return absl::OkStatus();
}

absl::Status SetDefaults(rd_kafka_conf_t* conf, KafkaRole role) {
  absl::Status set = SetAll(conf, kDefaults);
  if (!set.ok()) return set;
  switch (role) {
    case KafkaRole::kProducer:
      return SetAll(conf, kProducerDefaults);
    case KafkaRole::kReader:
      return SetAll(conf, kReaderDefaults);
    case KafkaRole::kGroup:
      return SetAll(conf, kGroupDefaults);
    case KafkaRole::kAdmin:
      break;
  }
  return set;
}

absl::Status SetFixed(rd_kafka_conf_t* conf, KafkaRole role) {
  for (const Setting& setting : kFixed) {
    bool consumer_only = false;
    for (const char* const key : kConsumerOnly) {
      consumer_only |= strcmp(key, setting.key) == 0;
    }
    if (consumer_only && role == KafkaRole::kProducer) continue;
    const std::string error = Set(conf, setting.key, setting.value);
    if (!error.empty()) {
      return absl::InternalError(
          absl::StrCat("librdkafka refuses our own setting: ", error));
    }
  }
  return absl::OkStatus();
}

// Whether the user may set it.
absl::Status CheckAllowed(const KafkaProperties& properties,
                          const KafkaProperty& property) {
  for (const Setting& fixed : kFixed) {
    if (property.key == fixed.key && property.value != fixed.value) {
      return absl::InvalidArgumentError(
          absl::StrCat(properties.Where(property), " is ", property.value,
                       "; only ", fixed.value, " is accepted"));
    }
  }
  for (const char* const owned : kOwned) {
    if (property.key == owned) {
      return absl::InvalidArgumentError(
          absl::StrCat(properties.Where(property),
                       " cannot be set here: Windproof sets it itself"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KafkaConf> MakeKafkaConf(KafkaRole role,
                                        const KafkaProperties& properties) {
  KafkaConf conf(rd_kafka_conf_new());
  absl::Status set = SetDefaults(conf.get(), role);
  if (!set.ok()) return set;
  bool has_bootstrap = false;
  for (const KafkaProperty& property : properties.entries) {
    absl::Status allowed = CheckAllowed(properties, property);
    if (!allowed.ok()) return allowed;
    has_bootstrap |= property.key == "bootstrap.servers" ||
                     property.key == "metadata.broker.list";
    const std::string error = Set(conf.get(), property.key, property.value);
    if (error.empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        properties.Where(property), ": ",
        IsSecret(property.key) ? "librdkafka does not accept this value"
                               : absl::string_view(error)));
  }
  if (!has_bootstrap) {
    return absl::InvalidArgumentError(absl::StrCat(
        properties.file.empty() ? "the Kafka settings" : properties.file,
        ": bootstrap.servers is not set; HOST:PORT,… is accepted"));
  }
  set = SetFixed(conf.get(), role);
  if (!set.ok()) return set;
  return conf;
}

int64_t KafkaConfNumber(const rd_kafka_conf_t& conf, const char* key) {
  std::array<char, 64> text = {};
  size_t size = text.size();
  int64_t number = 0;
  if (rd_kafka_conf_get(&conf, key, text.data(), &size) != RD_KAFKA_CONF_OK ||
      !absl::SimpleAtoi(text.data(), &number)) {
    return 0;
  }
  return number;
}

}  // namespace windproof
