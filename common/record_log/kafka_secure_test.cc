// TLS and SASL: a real broker whose listener takes nothing else.
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/kafka_properties.h"
#include "gtest/gtest.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

class KafkaSecureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::Unavailable()) {
      GTEST_SKIP() << *reason;
    }
    const auto broker = KafkaBroker::Shared({.secure = true});
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *broker;
  }

  // From a file, as an operator writes it.
  // `authority` is a line of it.
  std::unique_ptr<KafkaLog> Open(const std::string& authority,
                                 const std::string& password) {
    static int files = 0;
    const std::string path =
        absl::StrCat(::testing::TempDir(), "/secure-", ++files, ".properties");
    std::ofstream(path) << "bootstrap.servers=" << broker_->secure_bootstrap()
                        << "\nsecurity.protocol=SASL_SSL"
                        << "\nsasl.mechanism=PLAIN"
                        << "\nsasl.username=windproof"
                        << "\nsasl.password=" << password << "\n"
                        << authority << "\n";
    auto properties = ReadKafkaProperties(path);
    EXPECT_TRUE(properties.ok()) << properties.status();
    KafkaLog::Options options;
    options.properties = *std::move(properties);
    auto log = KafkaLog::Open(options);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

  std::string Authority() const {
    return absl::StrCat("ssl.ca.location=", broker_->dir(), "/ca.pem");
  }

  // Waits until Health() has that text.
  static void ExpectUnhealthy(KafkaLog& log, const std::string& text) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!absl::StrContains(log.Health().message(), text) &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(absl::StrContains(log.Health().message(), text))
        << log.Health();
    EXPECT_FALSE(log.Health().ok());
  }

  KafkaBroker* broker_ = nullptr;
};

TEST_F(KafkaSecureTest, WritesAndReadsOverTlsWithAPassword) {
  const auto log = Open(Authority(), "wind-secret");
  NewRecord record;
  record.topic = "secure";
  record.value = "value";
  record.log_time_ms = 1;
  const auto appended = log->Append({{record}});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_TRUE(log->Health().ok()) << log->Health();

  const std::unique_ptr<LogReader> reader = log->NewReader();
  reader->Assign({"secure", 0}, 0);
  std::vector<std::string> values;
  while (values.empty()) {
    const auto batch = reader->Poll(10, std::chrono::minutes(1));
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_TRUE(batch->has_value()) << "nothing came";
    ASSERT_TRUE((*batch)->status.ok()) << (*batch)->status;
    for (const LogRecord& read : (*batch)->records) {
      values.emplace_back(*read.value);
    }
  }
  EXPECT_EQ(values, std::vector<std::string>{"value"});
}

TEST_F(KafkaSecureTest, AWrongPasswordIsNamed) {
  const auto log = Open(Authority(), "guessed");
  ExpectUnhealthy(*log, "Authentication failed");
}

TEST_F(KafkaSecureTest, ACertificateOfAnotherAuthorityIsNamed) {
  const auto log = Open("", "wind-secret");  // those of this machine
  ExpectUnhealthy(*log, "certificate verify failed");
}

}  // namespace
}  // namespace windproof
