// What every Ledger must do, as a suite that any implementation can be run
// through:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, LedgerContractTest,
//                            ::testing::Values(LedgerFixtureFactory{"Mine",
//                            f}));
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_CONTRACT_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_CONTRACT_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "services/anchor/ledger.h"

namespace windproof {

// An empty ledger and all that it needs.
class LedgerFixture {
 public:
  virtual ~LedgerFixture() = default;
  virtual Ledger& ledger() = 0;
  // What must happen elsewhere before an item is confirmed, happens: a block.
  virtual void Confirm() {}
};

struct LedgerFixtureFactory {
  std::string name;
  std::function<std::unique_ptr<LedgerFixture>()> make;
};

inline std::ostream& operator<<(std::ostream& out,
                                const LedgerFixtureFactory& factory) {
  return out << factory.name;
}

class LedgerContractTest
    : public ::testing::TestWithParam<LedgerFixtureFactory> {
 protected:
  void SetUp() override { fixture_ = GetParam().make(); }
  Ledger& ledger() { return fixture_->ledger(); }
  LedgerFixture& fixture() { return *fixture_; }

 private:
  std::unique_ptr<LedgerFixture> fixture_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_CONTRACT_H_
