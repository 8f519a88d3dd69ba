#include "services/anchor/ledger_reader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/crypto/ed25519.h"
#include "gtest/gtest.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/testing/checkpoints.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

class LedgerReaderTest : public ::testing::Test {
 protected:
  LedgerReaderTest() {
    auto ledger = EmbeddedLedger::Open(dir_.path(), "windproof/ledger-test",
                                       *Ed25519PrivateKey::Generate(), {});
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
  }

  void Publish(const std::vector<std::string>& keys, const std::string& data) {
    ASSERT_TRUE(ledger_->Publish({{keys, data, "", ""}}).ok());
  }

  void Publish(const Checkpoint& checkpoint) {
    Publish({LedgerStreamKey(checkpoint.pipeline, checkpoint.key),
             LedgerWindowKey(checkpoint.pipeline, checkpoint.key,
                             checkpoint.window_start_ms)},
            EncodeCheckpoint(checkpoint));
  }

  static std::vector<int64_t> Positions(
      const absl::StatusOr<LedgerPage>& page) {
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<int64_t> positions;
    if (!page.ok()) return positions;
    for (const LedgerItem& item : page->items) {
      positions.push_back(item.position);
    }
    return positions;
  }

  std::vector<int64_t> Window(const std::string& key) {
    return Positions(ReadWindow(*ledger_, "weather", key, kTestStartMs));
  }

  std::vector<int64_t> List(const std::string& pipeline,
                            const std::string& key) {
    return Positions(ReadMatching(*ledger_, {pipeline, key}, {}));
  }

  TempDir dir_;
  std::unique_ptr<EmbeddedLedger> ledger_;
};

using Found = std::vector<int64_t>;

// `weather/a/2026-01-25T00:00:00Z` names a window of key `a` and the stream of
// another key.
TEST_F(LedgerReaderTest, NamesakesAreKeptApart) {
  const std::string nested = "a/2026-01-25T00:00:00Z";
  Publish(NextCheckpoint("a", nullptr));
  Publish(NextCheckpoint(nested, nullptr));
  EXPECT_EQ(Window("a"), (Found{0}));
  EXPECT_EQ(Window(nested), (Found{1}));
  EXPECT_EQ(List("weather", "a"), (Found{0}));
  EXPECT_EQ(List("weather", nested), (Found{1}));
  EXPECT_EQ(List("weather", ""), (Found{0, 1}));
}

// What claims to be of a window is shown, whatever it is.
TEST_F(LedgerReaderTest, ClaimsAreShown) {
  const std::string window = "weather/a/2026-01-25T00:00:00Z";
  Publish({window}, "rubbish");
  Publish({"weather/a"}, "rubbish");
  Publish({window, "weather/a"},
          EncodeCheckpoint(NextCheckpoint("b", nullptr)));
  Publish({"elsewhere"}, EncodeCheckpoint(NextCheckpoint("a", nullptr)));
  Publish({"other/a"}, "rubbish");
  EXPECT_EQ(Window("a"), (Found{0, 2}));
  EXPECT_EQ(List("weather", "a"), (Found{1, 2}));
  // By its keys or by what it says.
  EXPECT_EQ(List("weather", ""), (Found{0, 1, 2, 3}));
  EXPECT_EQ(List("other", ""), (Found{4}));
  EXPECT_EQ(List("othe", ""), (Found{}));
  EXPECT_EQ(List("", ""), (Found{0, 1, 2, 3, 4}));
  EXPECT_EQ(List("", "a"), (Found{3}));
}

TEST(MatchesTest, AnItemThatCannotBeReadMayBeOfAny) {
  EXPECT_TRUE(Matches({"weather", "a"}, LedgerItem()));
  EXPECT_TRUE(Matches({"weather", ""}, LedgerItem()));
}

}  // namespace
}  // namespace windproof
