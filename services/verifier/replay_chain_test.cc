#include "services/verifier/replay_chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/testing/random_log.h"
#include "services/verifier/testing/memory_log.h"

namespace windproof {
namespace {

constexpr char kTopic[] = "t";

bool Never() { return false; }

// The chains that the engine writes of a log, by key.
std::map<std::string, std::vector<ChainLink>> ChainsOf(
    const PipelineSpec& spec, const std::vector<OwnedRecord>& log,
    int64_t origin) {
  EngineRun run(spec, kTopic, 0, origin);
  EXPECT_TRUE(run.Feed(log).ok());
  run.Commit();
  std::map<std::string, std::vector<ChainLink>> chains;
  int64_t position = 0;
  for (const WrittenWindow& written : run.written()) {
    chains[written.checkpoint.key].push_back(
        {written.checkpoint, written.checkpoint_hash, position++});
  }
  return chains;
}

// A chain as the ledger has it, and its replay.
struct Replay {
  Replay(const PipelineSpec& spec, std::vector<ChainLink> links, RecordLog& log)
      : chain(std::move(links), {}),
        replay(
            log, chain,
            [&spec](const Digest& hash) {
              return hash == SpecHash(spec) ? &spec : nullptr;
            },
            Never) {}

  KeyChain chain;
  ChainReplay replay;
};

std::string Text(const CheckOutcome& outcome) {
  std::string text =
      absl::StrCat(std::string(NameOf(outcome.result)), " ", outcome.reason);
  for (const Finding& finding : outcome.findings) {
    absl::StrAppend(&text, "\n  ", finding.code, " ",
                    finding.offset.value_or(-1), " ", finding.message, " (",
                    finding.expected, " / ", finding.found, ")");
  }
  return text;
}

bool Has(const CheckOutcome& outcome, absl::string_view code, int64_t offset) {
  return std::any_of(outcome.findings.begin(), outcome.findings.end(),
                     [&](const Finding& finding) {
                       return finding.code == code && finding.offset == offset;
                     });
}

// Promise 2, from any checkpoint on: in order, backwards, and each by itself.
TEST(ReplayPropertyTest, EveryCheckpointFollowsFromTheOneBefore) {
  int64_t links = 0;
  int64_t revisions = 0;
  for (uint64_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(seed);
    const PipelineSpec spec = RandomSpec(seed);
    const int64_t origin = static_cast<int64_t>(seed % 3) * 10;
    const std::vector<OwnedRecord> records = RandomLog(seed, spec, 150, origin);
    MemoryLog log({kTopic, 0}, records);
    for (const auto& [key, chain] : ChainsOf(spec, records, origin)) {
      Replay forward(spec, chain, log);
      Replay backward(spec, chain, log);
      for (size_t i = 0; i < chain.size(); ++i) {
        const CheckOutcome& outcome = forward.replay.Outcome(i);
        ASSERT_TRUE(outcome.passed()) << key << " " << i << Text(outcome);
        const size_t j = chain.size() - 1 - i;
        ASSERT_TRUE(backward.replay.Outcome(j).passed())
            << key << " " << j << Text(backward.replay.Outcome(j));
        Replay alone(spec, chain, log);
        ASSERT_TRUE(alone.replay.Outcome(i).passed())
            << key << " " << i << Text(alone.replay.Outcome(i));
        ++links;
        revisions += chain[i].checkpoint.revision > 0;
      }
    }
  }
  EXPECT_GT(links, 1000);
  EXPECT_GT(revisions, 100);
}

// How an insider would alter the log. False where this record cannot be.
using Alteration = bool (*)(std::vector<OwnedRecord>* log, size_t index);

bool AlterValue(std::vector<OwnedRecord>* log, size_t index) {
  std::optional<std::string>& value = (*log)[index].value;
  if (!value.has_value()) return false;
  for (char& c : *value) {
    if (c < '0' || c > '8') continue;
    ++c;
    return true;
  }
  return false;
}

bool Remove(std::vector<OwnedRecord>* log, size_t index) {
  log->erase(log->begin() + static_cast<std::ptrdiff_t>(index));
  return true;
}

bool AddHeader(std::vector<OwnedRecord>* log, size_t index) {
  (*log)[index].headers.emplace_back("added", "1");
  return true;
}

bool AlterLogTime(std::vector<OwnedRecord>* log, size_t index) {
  ++(*log)[index].log_time_ms;
  return true;
}

bool MakeControl(std::vector<OwnedRecord>* log, size_t index) {
  (*log)[index].headers.emplace_back(std::string(kControlHeader),
                                     std::string(kControlWatermark));
  return true;
}

// Whatever is altered shows where it changes what was anchored, and only there:
// not in what was written before, nor where no replay reads that far back.
TEST(ReplayPropertyTest, AlteredRecordsShowWhereTheyMatter) {
  constexpr Alteration kAlterations[] = {AlterValue, Remove, AddHeader,
                                         AlterLogTime, MakeControl};
  int64_t found = 0;
  int64_t without_effect = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const PipelineSpec spec = RandomSpec(seed);
    const std::vector<OwnedRecord> records = RandomLog(seed, spec, 120, 0);
    std::mt19937_64 random(seed);
    const size_t index = random() % (records.size() - 1);
    const int64_t offset = records[index].offset;
    std::vector<OwnedRecord> altered = records;
    if (!kAlterations[seed % 5](&altered, index)) continue;
    MemoryLog log({kTopic, 0}, altered);
    const auto chains = ChainsOf(spec, records, 0);
    const auto altered_chains = ChainsOf(spec, altered, 0);
    for (const auto& [key, chain] : chains) {
      const auto after = altered_chains.find(key);
      bool same =
          after != altered_chains.end() && after->second.size() >= chain.size();
      for (size_t i = 0; same && i < chain.size(); ++i) {
        same = after->second[i].hash == chain[i].hash;
      }
      Replay replay(spec, chain, log);
      size_t failed = 0;
      for (size_t i = 0; i < chain.size(); ++i) {
        const CheckOutcome& outcome = replay.replay.Outcome(i);
        if (same) {
          ASSERT_TRUE(outcome.passed()) << key << i << Text(outcome);
        }
        failed += outcome.failed();
        ASSERT_NE(outcome.result, CheckResult::kSkipped) << Text(outcome);
        const bool before = chain[i].checkpoint.scan_end <= offset;
        const std::optional<Moment> moment = MomentOf(replay.chain, i);
        const bool beyond =
            spec.late_policy == LatePolicy::kReject && moment->first > 0 &&
            chain[moment->first - 1].checkpoint.scan_low > offset;
        if (before || beyond) {
          ASSERT_TRUE(outcome.passed()) << key << i << Text(outcome);
        }
      }
      if (!same) {
        ASSERT_GT(failed, 0u) << key;
      }
      found += !same;
      without_effect += same;
    }
  }
  EXPECT_GT(found, 100);
  EXPECT_GT(without_effect, 100) << "other keys, or not under any hash";
}

// A station that measures every ten seconds, in windows of a minute.
PipelineSpec MinuteSpec() {
  PipelineSpec spec;
  spec.name = "test";
  spec.topics = {kTopic};
  spec.key_field = "station";
  spec.timestamp_field = "time";
  spec.fields = {{"t", FieldType::kNumber}};
  spec.aggregated = {"t"};
  spec.window_ms = 60'000;
  spec.grace_ms = 10'000;
  spec.future_skew_ms = 0;
  EXPECT_TRUE(ValidateSpec(&spec).ok());
  return spec;
}

constexpr int64_t kBaseMs = 1'769'342'400'000;  // 2026-01-25T12:00:00Z

OwnedRecord Reading(int64_t offset, int64_t second, absl::string_view t) {
  OwnedRecord record;
  record.offset = offset;
  record.log_time_ms = kBaseMs + 3'600'000;
  record.key = "a";
  record.value = absl::StrCat(R"({"station":"a","t":)", t, R"(,"time":)",
                              kBaseMs + second * 1000, "}");
  return record;
}

// Offsets 0 to 39: every tenth second; offset 40 the same as 39 (a duplicate),
// then more of the same up to 60.
std::vector<OwnedRecord> MinuteLog() {
  std::vector<OwnedRecord> log;
  for (int64_t i = 0; i < 40; ++i) {
    log.push_back(Reading(i, 10 * i, absl::StrCat(i, ".5")));
  }
  log.push_back(Reading(40, 390, "39.5"));
  for (int64_t i = 41; i < 60; ++i) {
    log.push_back(Reading(i, 10 * (i - 1), absl::StrCat(i, ".25")));
  }
  return log;
}

class ReplayTest : public testing::Test {
 protected:
  // The outcomes by link over `log`, of what the untouched log had written.
  std::vector<CheckOutcome> Outcomes(RecordLog& log) {
    Replay replay(spec_, chain_, log);
    std::vector<CheckOutcome> outcomes;
    for (size_t i = 0; i < chain_.size(); ++i) {
      outcomes.push_back(replay.replay.Outcome(i));
    }
    return outcomes;
  }

  std::vector<CheckOutcome> OutcomesAltered() {
    MemoryLog log({kTopic, 0}, altered_);
    return Outcomes(log);
  }

  // Links whose outcome is not PASS.
  static std::vector<size_t> NotPassed(
      const std::vector<CheckOutcome>& outcomes) {
    std::vector<size_t> links;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (!outcomes[i].passed()) links.push_back(i);
    }
    return links;
  }

  // The link of the window that holds the record at `offset`.
  size_t LinkOf(int64_t offset) const {
    for (size_t i = 0; i < chain_.size(); ++i) {
      const Checkpoint& checkpoint = chain_[i].checkpoint;
      if (checkpoint.offsets_begin <= offset &&
          offset < checkpoint.offsets_end) {
        return i;
      }
    }
    ADD_FAILURE() << "no window has offset " << offset;
    return 0;
  }

  const PipelineSpec spec_ = MinuteSpec();
  const std::vector<OwnedRecord> records_ = MinuteLog();
  const std::vector<ChainLink> chain_ = ChainsOf(spec_, records_, 0).at("a");
  std::vector<OwnedRecord> altered_ = records_;
};

TEST_F(ReplayTest, AnAlteredValueShowsInItsWindowAlone) {
  altered_[15] = Reading(15, 150, "99");
  const std::vector<CheckOutcome> outcomes = OutcomesAltered();
  const size_t link = LinkOf(15);
  EXPECT_EQ(NotPassed(outcomes), std::vector<size_t>{link});
  ASSERT_TRUE(outcomes[link].failed());
  EXPECT_EQ(outcomes[link].findings[0].code, "REPLAY_DIFFERS");
  EXPECT_TRUE(absl::StartsWith(outcomes[link].findings[0].message, "root: "))
      << Text(outcomes[link]);
  EXPECT_EQ(outcomes[link].findings[0].expected,
            HexOf(chain_[link].checkpoint.root));
}

TEST_F(ReplayTest, ARecordThatIsGoneIsNamed) {
  altered_.erase(altered_.begin() + 15);
  const std::vector<CheckOutcome> outcomes = OutcomesAltered();
  const size_t link = LinkOf(15);
  ASSERT_TRUE(outcomes[link].failed()) << Text(outcomes[link]);
  EXPECT_TRUE(Has(outcomes[link], "LOG_RECORD_REMOVED", 15))
      << Text(outcomes[link]);
}

TEST_F(ReplayTest, AnAlteredTimeIsNamed) {
  altered_[15] = Reading(15, 141, "15.5");  // still between 14 and 16
  altered_[20] = Reading(20, 231, "20.5");  // after 21, 22, 23
  const std::vector<CheckOutcome> outcomes = OutcomesAltered();
  const size_t link = LinkOf(20);
  ASSERT_TRUE(outcomes[link].failed());
  EXPECT_TRUE(Has(outcomes[link], "LOG_RECORD_ALTERED", 20))
      << Text(outcomes[link]);
  EXPECT_TRUE(outcomes[LinkOf(15)].failed());
}

TEST_F(ReplayTest, HeadersAndLogTimeOfADroppedRecordCount) {
  altered_[40].headers.emplace_back("added", "1");
  std::vector<CheckOutcome> outcomes = OutcomesAltered();
  std::vector<size_t> links = NotPassed(outcomes);
  ASSERT_EQ(links.size(), 1u);
  EXPECT_TRUE(Has(outcomes[links[0]], "LOG_RECORD_ALTERED", 40))
      << Text(outcomes[links[0]]);

  altered_ = records_;
  altered_[40].log_time_ms += 1;
  outcomes = OutcomesAltered();
  links = NotPassed(outcomes);
  ASSERT_EQ(links.size(), 1u);
  EXPECT_TRUE(Has(outcomes[links[0]], "LOG_RECORD_ALTERED", 40))
      << Text(outcomes[links[0]]);
}

TEST_F(ReplayTest, ALogTimeBeforeTheEventMakesTheRecordInvalid) {
  altered_[15].log_time_ms = kBaseMs;
  const std::vector<CheckOutcome> outcomes = OutcomesAltered();
  EXPECT_TRUE(Has(outcomes[LinkOf(15)], "LOG_RECORD_ALTERED", 15))
      << Text(outcomes[LinkOf(15)]);
}

TEST_F(ReplayTest, TheRecordThatClosedAWindowIsGone) {
  const size_t link = LinkOf(15);
  const int64_t closer = chain_[link].checkpoint.scan_end - 1;
  altered_.erase(altered_.begin() + closer);
  const std::vector<CheckOutcome> outcomes = OutcomesAltered();
  ASSERT_TRUE(outcomes[link].failed());
  EXPECT_EQ(outcomes[link].findings[0].code, "REPLAY_MISSING");
  EXPECT_TRUE(Has(outcomes[link], "LOG_RECORD_REMOVED", closer))
      << Text(outcomes[link]);
}

TEST_F(ReplayTest, RetentionIsNoTampering) {
  MemoryLog log({kTopic, 0}, records_);
  log.Expire(15);
  const std::vector<CheckOutcome> outcomes = Outcomes(log);
  const size_t link = LinkOf(15);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (i > link) {
      EXPECT_TRUE(outcomes[i].passed()) << i << Text(outcomes[i]);
      continue;
    }
    EXPECT_EQ(outcomes[i].result, CheckResult::kSkipped) << i;
    EXPECT_TRUE(absl::StrContains(outcomes[i].reason, "expired"))
        << outcomes[i].reason;
    EXPECT_TRUE(absl::StrContains(outcomes[i].reason, "15"))
        << outcomes[i].reason;
  }
}

TEST_F(ReplayTest, CompactionIsNoTamperingNorAPass) {
  altered_.erase(altered_.begin() + 15);
  MemoryLog log({kTopic, 0}, altered_);
  log.Compacts();
  const std::vector<CheckOutcome> outcomes = Outcomes(log);
  const size_t link = LinkOf(15);
  EXPECT_EQ(outcomes[link].result, CheckResult::kSkipped)
      << Text(outcomes[link]);
  EXPECT_TRUE(absl::StrContains(outcomes[link].reason, "expired"));
  for (const size_t i : NotPassed(outcomes)) {
    EXPECT_EQ(outcomes[i].result, CheckResult::kSkipped) << Text(outcomes[i]);
  }
}

TEST_F(ReplayTest, ALogThatEndsTooEarlyFails) {
  altered_.resize(20);
  const std::vector<CheckOutcome> outcomes = OutcomesAltered();
  ASSERT_TRUE(outcomes.back().failed());
  EXPECT_EQ(outcomes.back().findings[0].code, "LOG_TRUNCATED");
  EXPECT_TRUE(outcomes.front().passed()) << Text(outcomes.front());
}

TEST_F(ReplayTest, ALedgerThatLeavesAWindowOutIsFound) {
  std::vector<ChainLink> links = chain_;
  links.erase(links.begin() + 2);
  MemoryLog log({kTopic, 0}, records_);
  Replay replay(spec_, links, log);
  EXPECT_TRUE(replay.replay.Outcome(1).passed());
  ASSERT_TRUE(replay.replay.Outcome(2).failed());
  EXPECT_EQ(replay.replay.Outcome(2).findings.size(), 1u);
  EXPECT_TRUE(Has(replay.replay.Outcome(2), "REPLAY_EXTRA",
                  chain_[2].checkpoint.scan_end - 1))
      << Text(replay.replay.Outcome(2));
  EXPECT_TRUE(replay.replay.Outcome(3).passed());

  // By itself there is nothing to begin from.
  Replay alone(spec_, links, log);
  EXPECT_EQ(alone.replay.Outcome(2).result, CheckResult::kSkipped);
  EXPECT_TRUE(absl::StrContains(alone.replay.Outcome(2).reason, "seq 2"))
      << alone.replay.Outcome(2).reason;
}

TEST_F(ReplayTest, ALyingProducerIsFound) {
  std::vector<ChainLink> links = chain_;
  links[1].checkpoint.aggregates[0].avg += 1;
  links[1].hash = Sha256Of(EncodeCheckpoint(links[1].checkpoint));
  links[2].checkpoint.prev = links[1].hash;
  links[2].hash = Sha256Of(EncodeCheckpoint(links[2].checkpoint));
  MemoryLog log({kTopic, 0}, records_);
  Replay replay(spec_, links, log);
  EXPECT_TRUE(replay.replay.Outcome(0).passed());
  ASSERT_TRUE(replay.replay.Outcome(1).failed());
  EXPECT_TRUE(absl::StartsWith(replay.replay.Outcome(1).findings[0].message,
                               "aggregates: "));
  EXPECT_TRUE(replay.replay.Outcome(2).passed())
      << Text(replay.replay.Outcome(2));
}

TEST_F(ReplayTest, UnknownRulesAndSourcesAreSkipped) {
  MemoryLog log({"other", 0}, records_);
  for (const CheckOutcome& outcome : Outcomes(log)) {
    EXPECT_EQ(outcome.result, CheckResult::kSkipped);
    EXPECT_TRUE(absl::StrContains(outcome.reason, "no such partition"));
  }
  MemoryLog known({kTopic, 0}, records_);
  KeyChain chain(chain_, {});
  ChainReplay replay(
      known, chain, [](const Digest&) { return nullptr; }, Never);
  EXPECT_EQ(replay.Outcome(0).result, CheckResult::kSkipped);
  EXPECT_TRUE(absl::StrContains(replay.Outcome(0).reason, "rules"));
}

}  // namespace
}  // namespace windproof
