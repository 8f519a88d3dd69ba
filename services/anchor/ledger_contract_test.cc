// The ledgers of this project, run through the contract.
#include "services/anchor/ledger_contract.h"

#include <memory>
#include <string>

#include "common/crypto/ed25519.h"
#include "gtest/gtest.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/faulty_ledger.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

class EmbeddedFixture : public LedgerFixture {
 public:
  EmbeddedFixture() {
    auto ledger = EmbeddedLedger::Open(dir_.path(), "windproof/ledger-test",
                                       *Ed25519PrivateKey::Generate(), {});
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
  }
  Ledger& ledger() override { return *ledger_; }

 private:
  TempDir dir_;
  std::unique_ptr<EmbeddedLedger> ledger_;
};

class FaultyFixture : public LedgerFixture {
 public:
  Ledger& ledger() override { return ledger_; }

 private:
  EmbeddedFixture embedded_;
  FaultyLedger ledger_{embedded_.ledger()};
};

template <typename Fixture>
LedgerFixtureFactory Make(const char* name) {
  return {name, [] { return std::make_unique<Fixture>(); }};
}

INSTANTIATE_TEST_SUITE_P(All, LedgerContractTest,
                         ::testing::Values(Make<EmbeddedFixture>("Embedded"),
                                           Make<FaultyFixture>("Faulty")),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace windproof
