#include "tests/fault/expect_checkpoints.h"

#include <algorithm>
#include <cstddef>

#include "gtest/gtest.h"

namespace windproof {

void ExpectCheckpoints(const CheckpointsByKey& expected,
                       const CheckpointsByKey& ledger,
                       const std::vector<CheckpointRow>& windows) {
  std::vector<CheckpointRow> by_window;
  for (const auto& [key, rows] : expected) {
    const auto on_ledger = ledger.find(key);
    ASSERT_NE(on_ledger, ledger.end()) << key;
    ASSERT_EQ(on_ledger->second.size(), rows.size()) << key;
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(on_ledger->second[i].bytes, rows[i].bytes)
          << key << " seq " << i;
    }
    by_window.insert(by_window.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(ledger.size(), expected.size());
  std::sort(by_window.begin(), by_window.end());
  ASSERT_EQ(windows.size(), by_window.size());
  for (size_t i = 0; i < by_window.size(); ++i) {
    ASSERT_EQ(windows[i], by_window[i]) << windows[i].bytes;
  }
}

}  // namespace windproof
