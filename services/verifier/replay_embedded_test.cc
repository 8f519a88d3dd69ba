// The replay of random logs from the embedded log, as the auditor reads it.
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pipeline/testing/random_log.h"
#include "common/record_log/embedded_log.h"
#include "gtest/gtest.h"
#include "services/verifier/replay_chain.h"

namespace windproof {
namespace {

TEST(ReplayEmbeddedLogTest, EveryCheckpointFollowsFromTheOneBefore) {
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/log");
  std::filesystem::remove_all(path);
  const auto log = EmbeddedLog::Open({.path = path});
  ASSERT_TRUE(log.ok()) << log.status();
  size_t links = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    const PipelineSpec spec = RandomSpec(seed);
    const std::string topic = absl::StrCat("t", seed);
    std::vector<OwnedRecord> records = RandomLog(seed, spec, 300, 0);
    std::vector<NewRecord> appended;
    for (size_t i = 0; i < records.size(); ++i) {
      // The log gives the offsets, and a header has a value.
      OwnedRecord& record = records[i];
      record.offset = static_cast<int64_t>(i);
      NewRecord& added = appended.emplace_back();
      added.topic = topic;
      added.key = record.key;
      added.value = record.value;
      added.log_time_ms = record.log_time_ms;
      for (auto& [name, value] : record.headers) {
        if (!value.has_value()) value = "";
        added.headers.emplace_back(name, *value);
      }
    }
    ASSERT_TRUE((*log)->Append(appended).ok());

    EngineRun run(spec, topic, 0, 0);
    ASSERT_TRUE(run.Feed(records).ok());
    run.Commit();
    std::map<std::string, std::vector<ChainLink>> chains;
    for (const WrittenWindow& written : run.written()) {
      chains[written.checkpoint.key].push_back(
          {written.checkpoint, written.checkpoint_hash, 0});
    }
    for (const auto& [key, chain_links] : chains) {
      const KeyChain chain(chain_links, {});
      ChainReplay replay(
          **log, chain, [&](const Digest&) { return &spec; },
          [] { return false; });
      // Backwards: each begins from the checkpoint before it.
      for (size_t i = chain.size(); i-- > 0;) {
        const CheckOutcome& outcome = replay.Outcome(i);
        ASSERT_TRUE(outcome.passed())
            << key << " " << i << " " << outcome.reason;
        ++links;
      }
    }
  }
  EXPECT_GT(links, 200u);
}

}  // namespace
}  // namespace windproof
