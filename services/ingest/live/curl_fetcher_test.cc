#include "services/ingest/live/curl_fetcher.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ingest/live/testing/dwd_server.h"

namespace windproof {
namespace {

using ::testing::HasSubstr;

class CurlFetcherTest : public ::testing::Test {
 protected:
  std::unique_ptr<CurlFetcher> Fetcher(CurlFetcher::Options options = {}) {
    auto fetcher = CurlFetcher::Open(options);
    EXPECT_TRUE(fetcher.ok()) << fetcher.status();
    return *std::move(fetcher);
  }

  HttpReply Get(const std::string& path, CurlFetcher::Options options = {}) {
    return Fetcher(options)->Get({.url = server_.base_url() + path});
  }

  DwdServer server_;
};

TEST_F(CurlFetcherTest, AFileWithItsValidators) {
  server_.Set("/a", {.body = std::string("zip\0bytes", 9),
                     .etag = "\"v1\"",
                     .last_modified = "Sun, 25 Jan 2026 12:00:00 GMT",
                     .headers = {{"Date", "Sun, 25 Jan 2026 13:00:00 GMT"}}});
  const HttpReply reply = Get("/a");
  EXPECT_EQ(reply.error, LiveError::kNone) << reply.message;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, std::string("zip\0bytes", 9));
  EXPECT_EQ(reply.etag, "\"v1\"");
  EXPECT_EQ(reply.last_modified, "Sun, 25 Jan 2026 12:00:00 GMT");
  EXPECT_EQ(reply.date_ms, 1'769'346'000'000);
  EXPECT_THAT(server_.requests()[0].user_agent, HasSubstr("windproof"));
}

TEST_F(CurlFetcherTest, ValidatorsAreSentBackAndA304IsNoBody) {
  server_.Set("/etag", {.body = "x", .etag = "\"v1\""});
  server_.Set("/date",
              {.body = "x", .last_modified = "Sun, 25 Jan 2026 12:00:00 GMT"});
  const auto fetcher = Fetcher();
  HttpReply reply =
      fetcher->Get({.url = server_.base_url() + "/etag", .etag = "\"v1\""});
  EXPECT_EQ(reply.error, LiveError::kNone);
  EXPECT_EQ(reply.status, 304);
  EXPECT_EQ(reply.body, "");
  reply = fetcher->Get({.url = server_.base_url() + "/date",
                        .last_modified = "Sun, 25 Jan 2026 12:00:00 GMT"});
  EXPECT_EQ(reply.status, 304);
  reply = fetcher->Get({.url = server_.base_url() + "/etag", .etag = "\"v0\""});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(server_.requests()[0].if_none_match, "\"v1\"");
  EXPECT_EQ(server_.requests()[0].if_modified_since, "");
  EXPECT_EQ(server_.requests()[1].if_modified_since,
            "Sun, 25 Jan 2026 12:00:00 GMT");
  EXPECT_EQ(server_.requests()[1].if_none_match, "");
}

TEST_F(CurlFetcherTest, A304ThatNobodyAskedForIsAnError) {
  server_.Set("/a", {.status = 304});
  EXPECT_EQ(Get("/a").error, LiveError::kHttp);
}

TEST_F(CurlFetcherTest, StatusesAreErrorsAndSayWhenToComeBack) {
  server_.Set("/busy", {.status = 503, .headers = {{"Retry-After", "120"}}});
  server_.Set("/gone", {.status = 410});
  server_.Set("/partial", {.status = 206, .body = "half"});
  HttpReply reply = Get("/busy");
  EXPECT_EQ(reply.error, LiveError::kHttp);
  EXPECT_EQ(reply.retry_after_ms, 120'000);
  EXPECT_THAT(reply.message, HasSubstr("503"));
  EXPECT_EQ(Get("/gone").error, LiveError::kNotFound);
  EXPECT_EQ(Get("/missing").error, LiveError::kNotFound);
  reply = Get("/partial");
  EXPECT_EQ(reply.error, LiveError::kHttp);
  EXPECT_EQ(reply.body, "");
}

TEST_F(CurlFetcherTest, RedirectsAreFollowedButNotForEver) {
  server_.Set("/file", {.body = "x", .etag = "\"v1\""});
  server_.Set("/here", {.status = 302, .headers = {{"Location", "/file"}}});
  server_.Set("/round", {.status = 302, .headers = {{"Location", "/round"}}});
  server_.Set("/out",
              {.status = 302, .headers = {{"Location", "file:///etc/passwd"}}});
  HttpReply reply = Get("/here");
  EXPECT_EQ(reply.status, 200) << reply.message;
  EXPECT_EQ(reply.body, "x");
  EXPECT_EQ(reply.etag, "\"v1\"");
  reply =
      Fetcher()->Get({.url = server_.base_url() + "/here", .etag = "\"v1\""});
  EXPECT_EQ(reply.status, 304);
  reply = Get("/round");
  EXPECT_EQ(reply.error, LiveError::kRedirect) << reply.message;
  EXPECT_EQ(Get("/out").error, LiveError::kRedirect);
}

TEST_F(CurlFetcherTest, OtherProtocolsAreRefused) {
  EXPECT_NE(Fetcher()->Get({.url = "file:///etc/passwd"}).error,
            LiveError::kNone);
}

TEST_F(CurlFetcherTest, ABodyThatIsTooLargeIsCutShort) {
  server_.Set("/large", {.body = std::string(1'001, 'x')});
  server_.Set("/fits", {.body = std::string(1'000, 'x')});
  const HttpReply reply = Get("/large", {.body_bytes_max = 1'000});
  EXPECT_EQ(reply.error, LiveError::kTooLarge);
  EXPECT_THAT(reply.message, HasSubstr("1000 bytes"));
  EXPECT_EQ(Get("/fits", {.body_bytes_max = 1'000}).status, 200);
}

TEST_F(CurlFetcherTest, ABodyThatBreaksOffIsNoFile) {
  server_.Set("/a", {.body = std::string(1'000, 'x'), .breaks_off = true});
  const HttpReply reply = Get("/a");
  EXPECT_EQ(reply.error, LiveError::kConnect) << reply.message;
  EXPECT_EQ(reply.body, "");
}

TEST_F(CurlFetcherTest, ASlowBodyTimesOut) {
  server_.Set("/slow", {.body = std::string(1'000, 'x'), .stalls = true});
  EXPECT_EQ(Get("/slow", {.timeout_ms = 50}).error, LiveError::kTimeout);
}

TEST_F(CurlFetcherTest, CancelEndsATransferAndAllThatFollow) {
  server_.Set("/slow", {.body = std::string(1'000, 'x'), .stalls = true});
  const auto fetcher = Fetcher({.timeout_ms = 3'600'000});
  std::thread canceller([this, &fetcher] {
    EXPECT_TRUE(server_.WaitForRequests(server_.base_url() + "/slow", 1));
    fetcher->Cancel();
  });
  EXPECT_EQ(fetcher->Get({.url = server_.base_url() + "/slow"}).error,
            LiveError::kCancelled);
  canceller.join();
  server_.Set("/a", {.body = "x"});
  EXPECT_EQ(fetcher->Get({.url = server_.base_url() + "/a"}).error,
            LiveError::kCancelled);
}

TEST_F(CurlFetcherTest, AServerThatIsGoneAndComesBack) {
  server_.Set("/a", {.body = "x"});
  const auto fetcher = Fetcher();
  EXPECT_EQ(fetcher->Get({.url = server_.base_url() + "/a"}).status, 200);
  server_.Stop();
  EXPECT_EQ(fetcher->Get({.url = server_.base_url() + "/a"}).error,
            LiveError::kConnect);
  server_.Restart();
  EXPECT_EQ(fetcher->Get({.url = server_.base_url() + "/a"}).status, 200);
}

// A self-signed certificate for 127.0.0.1.
DwdServer::Tls MakeTls(const std::string& name) {
  const std::string folder = ::testing::TempDir();
  DwdServer::Tls tls{absl::StrCat(folder, "/", name, ".crt"),
                     absl::StrCat(folder, "/", name, ".key")};
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3'600);
  X509_set_pubkey(cert, key);
  X509_NAME* const subject = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>("windproof test"), -1, -1, 0);
  X509_set_issuer_name(cert, subject);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(
      nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(cert, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(cert, key, EVP_sha256());
  std::FILE* file = std::fopen(tls.cert_path.c_str(), "wb");
  PEM_write_X509(file, cert);
  std::fclose(file);
  file = std::fopen(tls.key_path.c_str(), "wb");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(cert);
  EVP_PKEY_free(key);
  return tls;
}

TEST(CurlFetcherTlsTest, OnlyATrustedServerIsRead) {
  const DwdServer::Tls tls = MakeTls("trusted");
  const DwdServer::Tls other = MakeTls("other");
  DwdServer server(tls);
  server.Set("/a", {.body = "x"});
  const std::string url = server.base_url() + "/a";
  ASSERT_TRUE(absl::StartsWith(url, "https://"));
  const auto get = [&url](const std::string& ca) {
    auto fetcher = CurlFetcher::Open({.ca_path = ca});
    EXPECT_TRUE(fetcher.ok());
    return (*fetcher)->Get({.url = url});
  };
  const HttpReply good = get(tls.cert_path);
  EXPECT_EQ(good.status, 200) << good.message;
  EXPECT_EQ(get("").error, LiveError::kTls);
  EXPECT_EQ(get(other.cert_path).error, LiveError::kTls);
}

TEST(CurlFetcherTlsTest, ARedirectDoesNotLeaveTls) {
  const DwdServer::Tls tls = MakeTls("redirects");
  DwdServer plain;
  plain.Set("/a", {.body = "x"});
  DwdServer server(tls);
  server.Set("/a", {.status = 302,
                    .headers = {{"Location", plain.base_url() + "/a"}}});
  auto fetcher = CurlFetcher::Open({.ca_path = tls.cert_path});
  ASSERT_TRUE(fetcher.ok());
  const HttpReply reply = (*fetcher)->Get({.url = server.base_url() + "/a"});
  EXPECT_EQ(reply.error, LiveError::kRedirect) << reply.message;
  EXPECT_TRUE(plain.requests().empty());
}

}  // namespace
}  // namespace windproof
