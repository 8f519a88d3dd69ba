#include "services/anchor/multichain/multichain_config.h"

#include <limits>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/crypto/sha256.h"
#include "common/record_log/kafka_properties.h"
#include "common/server/files.h"
#include "services/anchor/multichain/chain_bytes.h"

namespace windproof {
namespace {

constexpr size_t kNameBytesMax = 32;
constexpr int64_t kSecretBytesMax = 4096;

constexpr absl::string_view kKeys[] = {
    "address",
    "chain",
    "compare.password",
    "compare.password.file",
    "compare.urls",
    "compare.user",
    "compare.user.file",
    "confirmations",
    "confirmations-above-mine-empty-rounds",
    "connect-timeout-ms",
    "create-stream",
    "flush-count",
    "flush-interval-ms",
    "genesis",
    "mode",
    "node.urls",
    "password",
    "password.file",
    "publishers",
    "stream",
    "timeout-ms",
    "tls.ca",
    "tls.cert",
    "tls.key",
    "unconfirmed-alarm-s",
    "user",
    "user.file",
};

// Takes settings out of the file, and keeps the first thing that is wrong.
class Settings {
 public:
  explicit Settings(KafkaProperties file) : file_(std::move(file)) {
    const std::set<absl::string_view> known(std::begin(kKeys), std::end(kKeys));
    for (const KafkaProperty& property : file_.entries) {
      if (known.count(property.key) == 0) {
        Fail(absl::StrCat(file_.Where(property), " is unknown; accepted are ",
                          absl::StrJoin(kKeys, ", ")));
      }
      by_key_[property.key] = &property;
    }
  }

  const absl::Status& status() const { return status_; }
  bool Has(const char* key) const { return by_key_.count(key) > 0; }

  void Fail(absl::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }
  // `accepted` ends: "…; X is accepted".
  void FailValue(const char* key, absl::string_view accepted) {
    const auto found = by_key_.find(key);
    const std::string where =
        found == by_key_.end()
            ? absl::StrCat(file_.file, ": ", key, " is missing")
            : absl::StrCat(file_.Where(*found->second), " is ",
                           found->second->value.empty() ? "empty"
                                                        : found->second->value);
    Fail(absl::StrCat(where, "; ", accepted));
  }

  // The same without the value.
  void FailKey(const char* key, absl::string_view what) {
    const auto found = by_key_.find(key);
    Fail(absl::StrCat(
        found == by_key_.end() ? std::string(key) : file_.Where(*found->second),
        " ", what));
  }

  std::string Text(const char* key) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return "";
    return std::string(absl::StripAsciiWhitespace(found->second->value));
  }

  std::vector<std::string> List(const char* key) const {
    std::vector<std::string> list;
    for (const absl::string_view part : absl::StrSplit(Text(key), ',')) {
      const absl::string_view text = absl::StripAsciiWhitespace(part);
      if (!text.empty()) list.emplace_back(text);
    }
    return list;
  }

  int64_t Number(const char* key, int64_t least, int64_t most,
                 int64_t if_missing) {
    if (!Has(key)) return if_missing;
    int64_t value = 0;
    if (!absl::SimpleAtoi(Text(key), &value) || value < least || value > most) {
      FailValue(key, absl::StrCat(least, " to ", most, " is accepted"));
    }
    return value;
  }

  bool Flag(const char* key) {
    const std::string text = Text(key);
    if (Has(key) && text != "true" && text != "false") {
      FailValue(key, "true or false is accepted");
    }
    return text == "true";
  }

  // The value, or what its file holds; or `otherwise` where there is neither.
  // Is never shown.
  std::string Secret(const char* key, const std::string* otherwise = nullptr) {
    const std::string file_key = absl::StrCat(key, ".file");
    if (otherwise != nullptr && !Has(key) && !Has(file_key.c_str())) {
      return *otherwise;
    }
    if (Has(key) == Has(file_key.c_str())) {
      Fail(absl::StrCat(file_.file, ": ", key, " and ", file_key,
                        Has(key) ? " are both set" : " are both missing",
                        "; one of them is accepted"));
      return "";
    }
    if (Has(key)) return Text(key);
    const absl::StatusOr<std::string> text =
        ReadFile(Text(file_key.c_str()), kSecretBytesMax);
    if (!text.ok()) {
      if (status_.ok()) {
        status_ = absl::Status(text.status().code(),
                               absl::StrCat(file_.file, ": ", file_key, ": ",
                                            text.status().message()));
      }
      return "";
    }
    return std::string(absl::StripAsciiWhitespace(*text));
  }

 private:
  const KafkaProperties file_;
  std::map<std::string, const KafkaProperty*> by_key_;
  absl::Status status_;
};

absl::StatusOr<MultiChainConfig> FromSettings(KafkaProperties file) {
  Settings settings(std::move(file));
  MultiChainConfig config;
  if (!settings.status().ok()) return settings.status();

  config.urls = settings.List("node.urls");
  if (config.urls.empty()) {
    settings.FailValue("node.urls",
                       "http://HOST:PORT or https://HOST:PORT is accepted, "
                       "or some with commas between");
  }
  config.compare_urls = settings.List("compare.urls");
  for (const auto& [key, urls] :
       {std::pair<const char*, const std::vector<std::string>*>{"node.urls",
                                                                &config.urls},
        {"compare.urls", &config.compare_urls}}) {
    for (const std::string& url : *urls) {
      if (absl::StrContains(url, '@')) {
        // Which may hold a password, and is not shown.
        settings.FailKey(
            key, "holds an @; user and password have keys of their own");
      } else if (!IsNodeUrl(url)) {
        settings.FailValue(key,
                           "http://HOST:PORT or https://HOST:PORT is accepted");
      }
    }
  }
  config.chain = settings.Text("chain");
  if (config.chain.empty() || config.chain.size() > kNameBytesMax) {
    settings.FailValue("chain", "a name of 1 to 32 bytes is accepted");
  }
  config.genesis = settings.Text("genesis");
  if (!DigestFromHex(config.genesis).ok()) {
    settings.FailValue("genesis",
                       "64 lower-case hex digits are accepted: what "
                       "`multichain-cli CHAIN getblockhash 0` says");
  }
  config.stream = settings.Text("stream");
  if (config.stream.empty() || config.stream.size() > kNameBytesMax) {
    settings.FailValue("stream", "a name of 1 to 32 bytes is accepted");
  }
  config.address = settings.Text("address");
  if (!config.address.empty() && !AddressHash(config.address).ok()) {
    settings.FailValue("address", "a MultiChain address is accepted");
  }
  config.user = settings.Secret("user");
  config.password = settings.Secret("password");
  config.compare_user = settings.Secret("compare.user", &config.user);
  config.compare_password =
      settings.Secret("compare.password", &config.password);
  config.batched = settings.Text("mode") == "batched";
  if (settings.Has("mode") && settings.Text("mode") != "direct" &&
      !config.batched) {
    settings.FailValue("mode", "direct or batched is accepted");
  }
  for (const char* key : {"flush-interval-ms", "flush-count"}) {
    if (settings.Has(key) && !config.batched) {
      settings.FailValue(key, "it goes with mode = batched");
    }
  }
  config.flush_interval_ms =
      settings.Number("flush-interval-ms", 1, 86'400'000, 10'000);
  config.flush_count = settings.Number("flush-count", 1, 1'000'000'000, 10'000);
  config.confirmations = settings.Number("confirmations", 1, 1'000'000, 1);
  config.publishers = settings.List("publishers");
  for (const std::string& publisher : config.publishers) {
    if (!AddressHash(publisher).ok()) {
      settings.FailValue("publishers",
                         "MultiChain addresses with commas between are "
                         "accepted");
    }
  }
  if (config.publishers.empty()) {
    if (config.address.empty()) {
      settings.FailValue("publishers",
                         "addresses are accepted, where no address publishes");
    }
    config.publishers.push_back(config.address);
  }
  config.create_stream = settings.Flag("create-stream");
  config.any_confirmations =
      settings.Flag("confirmations-above-mine-empty-rounds");
  config.ca_path = settings.Text("tls.ca");
  config.cert_path = settings.Text("tls.cert");
  config.key_path = settings.Text("tls.key");
  if (config.cert_path.empty() != config.key_path.empty()) {
    settings.FailValue(config.cert_path.empty() ? "tls.cert" : "tls.key",
                       "tls.cert and tls.key go together");
  }
  config.connect_timeout_ms =
      settings.Number("connect-timeout-ms", 1, 600'000, 2'000);
  config.timeout_ms = settings.Number("timeout-ms", 1, 600'000, 10'000);
  config.alarm_after_s =
      settings.Number("unconfirmed-alarm-s", 1, 1'000'000'000, 600);
  if (!settings.status().ok()) return settings.status();
  return config;
}

}  // namespace

bool IsNodeUrl(absl::string_view url) {
  return (absl::StartsWith(url, "http://") ||
          absl::StartsWith(url, "https://")) &&
         !absl::StrContains(url, '@');
}

absl::StatusOr<MultiChainConfig> ParseMultiChainConfig(absl::string_view text,
                                                       absl::string_view file) {
  absl::StatusOr<KafkaProperties> properties = ParseKafkaProperties(text, file);
  if (!properties.ok()) return properties.status();
  return FromSettings(*std::move(properties));
}

absl::StatusOr<MultiChainConfig> ReadMultiChainConfig(const std::string& path) {
  absl::StatusOr<KafkaProperties> properties = ReadKafkaProperties(path);
  if (!properties.ok()) return properties.status();
  return FromSettings(*std::move(properties));
}

}  // namespace windproof
