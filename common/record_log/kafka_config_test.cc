#include "common/record_log/kafka_config.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "common/record_log/kafka_properties.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr KafkaRole kRoles[] = {KafkaRole::kProducer, KafkaRole::kReader,
                                KafkaRole::kAdmin, KafkaRole::kGroup};

KafkaProperties With(std::vector<KafkaProperty> entries) {
  entries.push_back({"bootstrap.servers", "localhost:1", 9});
  return {"kafka.properties", std::move(entries)};
}

std::string Value(const KafkaConf& conf, const char* key) {
  std::array<char, 128> text = {};
  size_t size = text.size();
  EXPECT_EQ(rd_kafka_conf_get(conf.get(), key, text.data(), &size),
            RD_KAFKA_CONF_OK)
      << key;
  return text.data();
}

TEST(KafkaConfigTest, DefaultsAreSafeAndAUserMayChangeThem) {
  auto conf = MakeKafkaConf(KafkaRole::kProducer, With({}));
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_EQ(Value(*conf, "enable.idempotence"), "true");
  EXPECT_EQ(Value(*conf, "acks"), "-1");
  EXPECT_EQ(Value(*conf, "allow.auto.create.topics"), "false");

  conf = MakeKafkaConf(KafkaRole::kProducer, With({{"linger.ms", "77", 3}}));
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_EQ(Value(*conf, "linger.ms"), "77");

  conf = MakeKafkaConf(KafkaRole::kReader, With({}));
  ASSERT_TRUE(conf.ok()) << conf.status();
  EXPECT_EQ(Value(*conf, "isolation.level"), "read_committed");
  EXPECT_EQ(Value(*conf, "auto.offset.reset"), "error");
  EXPECT_EQ(Value(*conf, "enable.auto.commit"), "false");
  EXPECT_EQ(KafkaConfNumber(**conf, "message.max.bytes"), 20971520);
}

TEST(KafkaConfigTest, RefusesWhatLibrdkafkaOrWeDoNotTake) {
  const struct {
    const char* name;
    KafkaProperty property;
    const char* expected;
  } kCases[] = {
      {"Unknown", {"bootstrap.server", "x", 3}, "bootstrap.server"},
      {"NoNumber", {"linger.ms", "soon", 3}, "linger.ms"},
      {"OutOfRange", {"socket.timeout.ms", "1", 3}, "socket.timeout.ms"},
      {"NoEnum", {"security.protocol", "TLS", 3}, "security.protocol"},
      {"Reset", {"auto.offset.reset", "earliest", 3}, "only error is accepted"},
      {"Isolation",
       {"isolation.level", "read_uncommitted", 3},
       "only read_committed is accepted"},
      {"Group", {"group.id", "x", 3}, "Windproof sets it itself"},
  };
  for (const auto& one : kCases) {
    for (const KafkaRole role : kRoles) {
      const absl::Status status =
          MakeKafkaConf(role, With({one.property})).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << one.name;
      EXPECT_TRUE(absl::StrContains(status.message(), one.expected)) << status;
      EXPECT_TRUE(absl::StartsWith(status.message(), "kafka.properties:3: "))
          << status;
    }
  }
}

TEST(KafkaConfigTest, WithoutBootstrapServersThereIsNothing) {
  const absl::Status status =
      MakeKafkaConf(KafkaRole::kAdmin, {"f", {{"linger.ms", "1", 1}}}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "bootstrap.servers"));
}

TEST(KafkaConfigTest, DoesNotShowSecrets) {
  const absl::Status status =
      MakeKafkaConf(KafkaRole::kAdmin, With({{"ssl.key.pem", "s3cret", 3}}))
          .status();
  EXPECT_FALSE(absl::StrContains(status.message(), "s3cret")) << status;
}

}  // namespace
}  // namespace windproof
