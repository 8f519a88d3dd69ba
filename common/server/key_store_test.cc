#include "common/server/key_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/server/files.h"
#include "common/server/trust_file.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string FreshFolder(absl::string_view name) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/key_store_test-", getpid(), "-", name);
  EXPECT_TRUE(MakeFolders(path, 0700).ok());
  return path;
}

TEST(KeyStoreTest, AKeyIsMadeOnceAndStays) {
  const std::string dir = FreshFolder("once");
  EXPECT_TRUE(absl::IsNotFound(LoadKey(dir, "producer").status()));
  const auto made = LoadOrMakeKey(dir, "producer");
  ASSERT_TRUE(made.ok()) << made.status();
  const auto again = LoadOrMakeKey(dir, "producer");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->key.PublicKey().raw(), made->key.PublicKey().raw());
  EXPECT_EQ(LoadKey(dir, "producer")->name, made->name);

  struct stat info;
  ASSERT_EQ(stat((dir + "/keys/producer.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(ReadFile(dir + "/keys/producer.vkey", 1000).value(),
            FormatVerifierKey(made->Public()) + "\n");
}

TEST(KeyStoreTest, TheNameSaysRoleAndKey) {
  const auto key = LoadOrMakeKey(FreshFolder("name"), "ledger");
  ASSERT_TRUE(key.ok()) << key.status();
  const Ed25519PublicKeyBytes raw = key->key.PublicKey().raw();
  EXPECT_EQ(key->name,
            absl::StrCat("windproof/ledger-",
                         absl::BytesToHexString(absl::string_view(
                             reinterpret_cast<const char*>(raw.data()), 4))));
}

TEST(KeyStoreTest, WhatIsNoKeyIsRefusedAndKept) {
  const std::string dir = FreshFolder("broken");
  ASSERT_TRUE(MakeFolders(dir + "/keys", 0700).ok());
  const std::string path = dir + "/keys/ledger.pem";
  ASSERT_TRUE(WriteNewFile(path, "not a key", 0600).ok());
  const absl::Status refused = LoadOrMakeKey(dir, "ledger").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), path)) << refused;
  EXPECT_EQ(ReadFile(path, 100).value(), "not a key");
}

TEST(KeyStoreTest, TrustIsWrittenOnceAndMustFitTheKeys) {
  const std::string dir = FreshFolder("trust");
  const auto ledger = LoadOrMakeKey(dir, "ledger");
  const auto producer = LoadOrMakeKey(dir, "producer");
  ASSERT_TRUE(ledger.ok() && producer.ok());
  ASSERT_TRUE(EnsureTrust(dir, ledger->Public(), producer->Public()).ok());
  EXPECT_TRUE(EnsureTrust(dir, ledger->Public(), producer->Public()).ok());
  const auto trust = LoadTrust(TrustPath(dir));
  ASSERT_TRUE(trust.ok()) << trust.status();
  EXPECT_EQ(trust->ledger->name, ledger->name);
  EXPECT_NE(trust->FindProducer(producer->name), nullptr);

  const std::string other_dir = FreshFolder("other");
  const auto other_ledger = LoadOrMakeKey(other_dir, "ledger");
  const auto other_producer = LoadOrMakeKey(other_dir, "producer");
  ASSERT_TRUE(other_ledger.ok() && other_producer.ok());
  const absl::Status ledger_differs =
      EnsureTrust(dir, other_ledger->Public(), producer->Public());
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_differs));
  EXPECT_TRUE(absl::StrContains(ledger_differs.message(), "ledger"));
  const absl::Status producer_differs =
      EnsureTrust(dir, ledger->Public(), other_producer->Public());
  EXPECT_TRUE(absl::IsFailedPrecondition(producer_differs));
  EXPECT_TRUE(absl::StrContains(producer_differs.message(), "producer"));
}

}  // namespace
}  // namespace windproof
