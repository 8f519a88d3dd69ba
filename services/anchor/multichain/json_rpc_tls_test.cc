// JsonRpcClient over HTTPS: whom it believes, and whom it shows itself to.
#include <httplib.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/anchor/multichain/json_rpc_client.h"

namespace windproof {
namespace {

constexpr long kHourS = 3600;

// A self-signed certificate of 127.0.0.1 and its key, as files.
struct Identity {
  explicit Identity(const std::string& name)
      : cert_path(absl::StrCat(::testing::TempDir(), "/", name, ".pem")),
        key_path(absl::StrCat(::testing::TempDir(), "/", name, ".key")) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(),
                                                           X509_free);
    X509_set_version(cert.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -kHourS);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), kHourS);
    X509_set_pubkey(cert.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(cert.get());
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC,
        reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(cert.get(), subject);
    for (const auto& [nid, value] :
         {std::pair<int, const char*>(NID_subject_alt_name, "IP:127.0.0.1"),
          {NID_basic_constraints, "critical,CA:TRUE"}}) {
      X509_EXTENSION* const extension =
          X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(cert.get(), extension, -1);
      X509_EXTENSION_free(extension);
    }
    EXPECT_GT(X509_sign(cert.get(), key.get(), EVP_sha256()), 0);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> cert_file(
        BIO_new_file(cert_path.c_str(), "w"), BIO_free_all);
    EXPECT_EQ(PEM_write_bio_X509(cert_file.get(), cert.get()), 1);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> key_file(
        BIO_new_file(key_path.c_str(), "w"), BIO_free_all);
    EXPECT_EQ(PEM_write_bio_PrivateKey(key_file.get(), key.get(), nullptr,
                                       nullptr, 0, nullptr, nullptr),
              1);
  }

  std::string cert_path;
  std::string key_path;
};

// A node behind TLS, which asks for certificates that `clients` signed; empty:
// for none.
class TlsNode {
 public:
  TlsNode(const Identity& identity, const std::string& clients)
      : server_(identity.cert_path.c_str(), identity.key_path.c_str(),
                clients.empty() ? nullptr : clients.c_str()) {
    server_.Post("/", [](const httplib::Request& request,
                         httplib::Response& response) {
      const size_t at = request.body.find("\"id\":") + 5;
      response.set_content(
          absl::StrCat("{\"result\":1,\"error\":null,\"id\":",
                       request.body.substr(at, request.body.find(',', at) - at),
                       "}\n"),
          "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~TlsNode() {
    server_.stop();
    thread_.join();
  }

  std::string url() const { return absl::StrCat("https://127.0.0.1:", port_); }

 private:
  httplib::SSLServer server_;
  int port_ = 0;
  std::thread thread_;
};

RpcReply Call(const TlsNode& node, const std::string& ca,
              const Identity* client) {
  JsonRpcClient::Options options;
  options.url = node.url();
  options.user = "me";
  options.password = "secret";
  options.ca_path = ca;
  if (client != nullptr) {
    options.cert_path = client->cert_path;
    options.key_path = client->key_path;
  }
  const auto opened = JsonRpcClient::Open(options);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return (*opened)->Call("getinfo", "[]");
}

TEST(JsonRpcTlsTest, OnlyTheConfiguredAuthorityIsBelieved) {
  const Identity node_identity("node");
  const Identity other("other");
  const TlsNode node(node_identity, "");
  const RpcReply good = Call(node, node_identity.cert_path, nullptr);
  EXPECT_TRUE(good.status.ok()) << good.status;
  for (const std::string& ca : {std::string(), other.cert_path}) {
    const RpcReply bad = Call(node, ca, nullptr);
    EXPECT_FALSE(bad.status.ok()) << ca;
    // Nothing was sent.
    EXPECT_EQ(bad.outcome, RpcOutcome::kNotDone);
    EXPECT_TRUE(absl::StrContains(bad.status.message(), "certificate"))
        << bad.status;
  }
}

TEST(JsonRpcTlsTest, ANodeThatAsksForACertificateGetsTheConfiguredOne) {
  const Identity node_identity("node");
  const Identity client("client");
  const TlsNode node(node_identity, client.cert_path);
  const RpcReply good = Call(node, node_identity.cert_path, &client);
  EXPECT_TRUE(good.status.ok()) << good.status;
  EXPECT_FALSE(Call(node, node_identity.cert_path, nullptr).status.ok());
}

}  // namespace
}  // namespace windproof
