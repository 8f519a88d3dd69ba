// Every way to lie, one a test: who lies about what, and which finding names
// it.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_entry.h"
#include "services/verifier/testing/memory_log.h"
#include "services/verifier/testing/world.h"

namespace windproof {
namespace {

using Response = v1::VerifyWindowResponse;

constexpr int64_t kNoon = World::kBaseMs;
constexpr int64_t kMinute = 60'000;
constexpr char kAnything[] = "*";

PipelineSpec AmendSpec() {
  PipelineSpec spec = World::TestSpec();
  spec.late_policy = LatePolicy::kAmend;
  spec.amend_ms = 600'000;
  return spec;
}

// The canonical bytes of the small world's records.
std::string Record(absl::string_view time, absl::string_view t) {
  return absl::StrCat("{\"station\":\"a\",", t.empty() ? "" : "\"t\":", t,
                      t.empty() ? "" : ",", "\"time\":\"2026-01-25T12:", time,
                      "Z\"}");
}

const v1::Check* Find(const Response& response, v1::Check::Name name) {
  for (const v1::Check& check : response.checks()) {
    if (check.name() == name) return &check;
  }
  return nullptr;
}

const v1::Finding* Find(const v1::Check& check, absl::string_view code) {
  for (const v1::Finding& finding : check.findings()) {
    if (finding.code() == code) return &finding;
  }
  return nullptr;
}

Response Verify(World& world, int64_t start_ms = kNoon) {
  const absl::StatusOr<Response> response = world.Verify(World::kKey, start_ms);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? *response : Response();
}

// What a finding must say.
struct Said {
  v1::Check::Name check;
  std::string code;
  std::optional<int64_t> record;
  std::optional<int64_t> offset;
  std::string expected = kAnything;  // "*": something
  std::string found = kAnything;
};

void ExpectFound(const Response& response, const Said& said) {
  EXPECT_EQ(response.verdict(), Response::FAILED) << response.DebugString();
  const v1::Check* check = Find(response, said.check);
  ASSERT_NE(check, nullptr) << response.DebugString();
  EXPECT_EQ(check->result(), v1::Check::FAIL) << response.DebugString();
  const v1::Finding* finding = Find(*check, said.code);
  ASSERT_NE(finding, nullptr) << said.code << "\n" << response.DebugString();
  EXPECT_EQ(finding->has_record(), said.record.has_value());
  if (said.record.has_value()) {
    EXPECT_EQ(finding->record(), *said.record);
  }
  EXPECT_EQ(finding->has_offset(), said.offset.has_value());
  if (said.offset.has_value()) {
    EXPECT_EQ(finding->offset(), *said.offset);
  }
  if (said.expected == kAnything) {
    EXPECT_FALSE(finding->expected().empty()) << finding->DebugString();
  } else {
    EXPECT_EQ(finding->expected(), said.expected);
  }
  if (said.found == kAnything) {
    EXPECT_FALSE(finding->found().empty()) << finding->DebugString();
  } else {
    EXPECT_EQ(finding->found(), said.found);
  }
  EXPECT_FALSE(finding->message().empty());
}

v1::PayloadRecord* RecordOf(World& world, int record, int window = 0) {
  return world.windows[window].mutable_payload()->mutable_records(record);
}

void SetBytes(v1::PayloadRecord* record, const std::string& bytes,
              bool with_leaf_hash) {
  record->set_canonical(bytes);
  if (with_leaf_hash) {
    record->set_leaf_hash(std::string(BytesOf(HashLeaf(bytes))));
  }
}

std::string LeafHex(absl::string_view bytes) { return HexOf(HashLeaf(bytes)); }

struct Lie {
  std::string name;
  std::function<void(World&)> tell;
  Said said;
  int64_t start_ms = kNoon;
  bool amend = false;
  bool with_log = false;
};

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

class LieTest : public testing::TestWithParam<Lie> {};

TEST_P(LieTest, IsNamed) {
  const Lie& lie = GetParam();
  World world(lie.amend ? AmendSpec() : World::TestSpec());
  MemoryLog log({world.topic(), 0}, world.log);
  if (lie.with_log) world.verifier_log = &log;
  lie.tell(world);
  ExpectFound(Verify(world, lie.start_ms), lie.said);
}

std::string NameOfLie(const testing::TestParamInfo<Lie>& info) {
  return info.param.name;
}

// A producer that lies signs and anchors the lie.
std::function<void(World&)> Producer(
    std::function<void(std::vector<WrittenWindow>&)> alter,
    bool relink = true) {
  return [alter, relink](World& world) {
    alter(world.written);
    if (relink) {
      world.Relink();
    } else {
      for (WrittenWindow& window : world.written) {
        window.bytes = EncodeCheckpoint(window.checkpoint);
      }
    }
    world.Publish();
  };
}

Checkpoint& At(std::vector<WrittenWindow>& written, size_t i) {
  return written[i].checkpoint;
}

INSTANTIATE_TEST_SUITE_P(
    WindowHash, LieTest,
    testing::Values(
        Lie{"RecordAltered",
            [](World& w) {
              SetBytes(RecordOf(w, 1), Record("00:10", "9.9"), false);
            },
            {v1::Check::COMPLETENESS, "RECORD_ALTERED", 1, 2,
             LeafHex(Record("00:10", "3.45")), LeafHex(Record("00:10", "9.9"))}},
        Lie{"RecordAlteredShowsInAggregates",
            [](World& w) {
              SetBytes(RecordOf(w, 1), Record("00:10", "9.9"), false);
            },
            {v1::Check::ANALYTICS, "AGGREGATE_MISMATCH", {}, {}, "3.9", "9.9"}},
        Lie{"RecordAlteredWithLeafHash",
            [](World& w) {
              SetBytes(RecordOf(w, 1), Record("00:10", "9.9"), true);
            },
            {v1::Check::COMPLETENESS, "ROOT_MISMATCH", {}, {}}},
        Lie{"RecordAlteredWithLeafHashNamedByLog",
            [](World& w) {
              SetBytes(RecordOf(w, 1), Record("00:10", "9.9"), true);
            },
            {v1::Check::COMPLETENESS, "RECORD_ALTERED", 1, 2,
             Record("00:10", "3.45"), Record("00:10", "9.9")},
            kNoon, false, true},
        Lie{"LeafHashAltered",
            [](World& w) { RecordOf(w, 2)->set_leaf_hash(std::string(32, 7)); },
            {v1::Check::COMPLETENESS, "LEAF_HASH_ALTERED", 2, 1,
             LeafHex(Record("00:20", "3.9")),
             HexOf(*DigestFromBytes(std::string(32, 7)))}},
        Lie{"LeafHashCutShort",
            [](World& w) { RecordOf(w, 2)->set_leaf_hash("short"); },
            {v1::Check::COMPLETENESS, "LEAF_HASH_ALTERED", 2, 1}},
        Lie{"RecordRemoved",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->DeleteSubrange(
                  1, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_COUNT", {}, {}, "4", "3"}},
        Lie{"RecordRemovedNamedByLog",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->DeleteSubrange(
                  1, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_REMOVED", 1, 2,
             Record("00:10", "3.45"), ""},
            kNoon, false, true},
        Lie{"RecordAdded",
            [](World& w) {
              v1::PayloadRecord* added =
                  w.windows[0].mutable_payload()->add_records();
              SetBytes(added, Record("00:40", "1"), true);
              added->set_offset(7);
            },
            {v1::Check::COMPLETENESS, "RECORD_COUNT", {}, {}, "4", "5"}},
        Lie{"RecordAddedNamedByLog",
            [](World& w) {
              v1::PayloadRecord* added =
                  w.windows[0].mutable_payload()->add_records();
              SetBytes(added, Record("00:40", "1"), true);
              added->set_offset(7);
            },
            {v1::Check::COMPLETENESS, "RECORD_ADDED", 4, 7, "",
             Record("00:40", "1")},
            kNoon, false, true},
        Lie{"RecordsSwapped",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->SwapElements(
                  0, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_MOVED", 0, 2, Record("00:00", "3.1"),
             Record("00:10", "3.45")}},
        Lie{"RecordsSwappedNamedByLog",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->SwapElements(
                  0, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_MOVED", 0, 2, Record("00:00", "3.1"),
             Record("00:10", "3.45")},
            kNoon, false, true},
        Lie{"RecordsSwappedIsOutOfOrder",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->SwapElements(
                  0, 1);
            },
            {v1::Check::CANONICAL, "OUT_OF_ORDER", 1, 0,
             "after 2026-01-25T12:00:10Z", "2026-01-25T12:00:00Z"}},
        Lie{"OffsetAltered", [](World& w) { RecordOf(w, 1)->set_offset(3); },
            {v1::Check::COMPLETENESS, "POSITIONS_MISMATCH", {}, {}}},
        Lie{"OffsetAlteredNamedByLog",
            [](World& w) { RecordOf(w, 1)->set_offset(3); },
            {v1::Check::COMPLETENESS, "OFFSET_ALTERED", 1, 3, "2", "3"},
            kNoon, false, true},
        Lie{"OffsetOfAnotherRecordNamedByLog",
            [](World& w) { RecordOf(w, 1)->set_offset(1); },
            {v1::Check::COMPLETENESS, "OFFSET_ALTERED", 1, 1, "2", "1"},
            kNoon,
            false,
            true},
        Lie{"HighestOffsetAltered",
            [](World& w) { RecordOf(w, 3)->set_offset(INT64_MAX); },
            {v1::Check::COMPLETENESS, "OFFSETS_MISMATCH", {}, {}, "0 to 5",
             "0 to 9223372036854775807"}},
        Lie{"RevisedRecordRemovedNamedByLog",
            [](World& w) {
              w.windows[1].mutable_payload()->mutable_records()->DeleteSubrange(
                  4, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_REMOVED", 4, 10,
             Record("00:40", "-1"), ""},
            kNoon, true, true},
        Lie{"NotCanonical",
            [](World& w) {
              SetBytes(RecordOf(w, 0), " " + Record("00:00", "3.1"), true);
            },
            {v1::Check::CANONICAL, "NOT_CANONICAL", 0, 0, kAnything,
             " " + Record("00:00", "3.1")}},
        Lie{"NoTextAtAll",
            [](World& w) { SetBytes(RecordOf(w, 0), "\xff\x01", true); },
            {v1::Check::CANONICAL, "NOT_CANONICAL", 0, 0, kAnything,
             "\\xff\\x01"}},
        Lie{"OutsideWindow",
            [](World& w) {
              SetBytes(RecordOf(w, 3), Record("01:30", ""), true);
            },
            {v1::Check::CANONICAL, "OUTSIDE_WINDOW", 3, 5, kAnything,
             "2026-01-25T12:01:30Z"}},
        Lie{"PayloadWithheld", [](World& w) { w.windows[0].clear_payload(); },
            {v1::Check::COMPLETENESS, "PAYLOAD_MISSING", {}, {}, "4 records",
             ""}},
        Lie{"WindowWithheld",
            [](World& w) { w.windows.erase(w.windows.begin()); },
            {v1::Check::COMPLETENESS, "PAYLOAD_MISSING", {}, {}, "4 records",
             ""}},
        Lie{"ServedCheckpointAltered",
            [](World& w) {
              std::string* bytes =
                  w.windows[0].mutable_checkpoint()->mutable_checkpoint();
              *bytes = absl::StrReplaceAll(*bytes, {{"3.483333", "9"}});
            },
            {v1::Check::ANCHOR, "CHECKPOINT_DIFFERS", {}, {}, "3.483333", "9"}},
        Lie{"ServedCheckpointWithoutMember",
            [](World& w) {
              std::string* bytes =
                  w.windows[0].mutable_checkpoint()->mutable_checkpoint();
              *bytes = absl::StrReplaceAll(*bytes, {{"\"records\":4,", ""}});
            },
            {v1::Check::ANCHOR, "CHECKPOINT_DIFFERS", {}, {}, "4", ""}},
        Lie{"ServedSignatureAltered",
            [](World& w) {
              w.windows[0].mutable_checkpoint()->mutable_signature()->at(5) ^= 1;
            },
            {v1::Check::SIGNATURE, "SIGNATURE_INVALID", {}, {}}},
        Lie{"ServedSignatureWithheld",
            [](World& w) {
              w.windows[0].mutable_checkpoint()->clear_signature();
            },
            {v1::Check::SIGNATURE, "SIGNATURE_MISSING", {}, {}, kAnything, ""}},
        Lie{"DroppedRecordWithheld",
            [](World& w) {
              w.dropped.erase(w.dropped.begin() + 1);
            },
            {v1::Check::ACCOUNTING, "DROPPED_COUNT", {}, {}, "conflict 1",
             "conflict 0"}},
        Lie{"DroppedRecordAltered",
            [](World& w) {
              w.dropped[1].mutable_record()->mutable_value()->at(40) = '9';
            },
            {v1::Check::ACCOUNTING, "DROPPED_ALTERED", {}, 4}},
        Lie{"DroppedHashAltered",
            [](World& w) {
              w.dropped[1].set_record_sha256(std::string(32, 1));
            },
            {v1::Check::ACCOUNTING, "DROPPED_ROOT", {}, {}}},
        Lie{"DroppedReasonAltered",
            [](World& w) {
              w.dropped[1].set_reason(v1::DroppedRecord::INVALID);
            },
            {v1::Check::ACCOUNTING, "DROPPED_REASON", {}, 4,
             "duplicate, conflict or late", "invalid"}},
        Lie{"DroppedReasonUnknown",
            [](World& w) {
              w.dropped[1].set_reason(v1::DroppedRecord::REASON_UNSPECIFIED);
            },
            {v1::Check::ACCOUNTING, "DROPPED_REASON", {}, 4}},
        Lie{"DroppedOffsetAltered",
            [](World& w) { w.dropped[1].mutable_record()->set_offset(9); },
            {v1::Check::ACCOUNTING, "DROPPED_OFFSET", {}, 6}},
        Lie{"DroppedReasonsMiscounted",
            [](World& w) { w.dropped[1].set_reason(v1::DroppedRecord::LATE); },
            {v1::Check::ACCOUNTING, "DROPPED_COUNT", {}, {}, "conflict 1",
             "conflict 0"}},
        Lie{"RecordInTimeCalledLate",
            [](World& w) {
              w.log[9].value = Record("03:00", "-1");  // offset 10
              w.Publish();
            },
            {v1::Check::ACCOUNTING, "DROPPED_REASON", {}, 10, "in time", "late"},
            kNoon + kMinute},
        Lie{"OriginElsewhere",
            [](World& w) {
              w.progress.mutable_pipelines(0)->mutable_partitions(0)->set_origin(
                  5);
            },
            {v1::Check::ACCOUNTING, "ORIGIN_MISMATCH", {}, {}, "5", "0"}}),
    NameOfLie);

INSTANTIATE_TEST_SUITE_P(
    Ledger, LieTest,
    testing::Values(
        Lie{"ItemRemoved",
            [](World& w) {
              w.items.erase(w.items.begin() + 1);
              for (size_t i = 0; i < w.items.size(); ++i) {
                LedgerEntry entry = *ParseLedgerEntry(w.items[i].entry());
                entry.position = static_cast<int64_t>(i);
                const std::string bytes = EncodeLedgerEntry(entry);
                w.items[i].set_entry(bytes);
                w.items[i].set_position(entry.position);
              }
              w.SealLedger();
            },
            {v1::Check::CHAIN, "SEQ_GAP", {}, {}, "1", "2"}},
        Lie{"ItemRemovedButSaidToBeAnchored",
            [](World& w) { w.items.erase(w.items.begin() + 1); },
            {v1::Check::ANCHOR, "NOT_ON_LEDGER", {}, {}, kAnything, ""},
            kNoon + kMinute},
        Lie{"ItemBeforeRemoved",
            [](World& w) { w.items.erase(w.items.begin()); },
            {v1::Check::CHAIN, "SEQ_GAP", {}, {}, "0", ""},
            kNoon + kMinute},
        Lie{"EntryAltered",
            [](World& w) {
              for (std::string* bytes : {w.items[0].mutable_checkpoint(),
                                         w.items[0].mutable_entry()}) {
                *bytes =
                    absl::StrReplaceAll(*bytes, {{"3.483333", "3.483334"}});
              }
            },
            {v1::Check::ANCHOR,
             "ENTRY_ALTERED",
             {},
             {},
             "3.483333",
             "3.483334"}},
        Lie{"EntryAlteredLeadsNowhere",
            [](World& w) {
              for (std::string* bytes : {w.items[0].mutable_checkpoint(),
                                         w.items[0].mutable_entry()}) {
                *bytes =
                    absl::StrReplaceAll(*bytes, {{"3.483333", "3.483334"}});
              }
            },
            {v1::Check::ANCHOR, "PROOF_INVALID", {}, {}}},
        Lie{"EntryIsGarbage",
            [](World& w) {
              w.items[0].set_entry("garbage");
              w.items[0].clear_checkpoint();
            },
            {v1::Check::ANCHOR,
             "ENTRY_MALFORMED",
             {},
             {},
             "a ledger entry",
             "7 bytes"}},
        Lie{"ItemShowsAnotherCheckpointThanItsEntry",
            [](World& w) {
              w.items[0].set_checkpoint(w.items[1].checkpoint());
            },
            {v1::Check::ANCHOR, "ENTRY_MISMATCH", {}, {}}},
        Lie{"ItemShowsAnotherTxid",
            [](World& w) { w.items[0].set_txid("other"); },
            {v1::Check::ANCHOR, "ENTRY_MISMATCH", {}, {}, kAnything, "other"}},
        Lie{"PublisherUntrusted",
            [](World& w) {
              LedgerEntry entry = *ParseLedgerEntry(w.items[0].entry());
              entry.publisher = "somebody";
              const std::string bytes = EncodeLedgerEntry(entry);
              w.items[0].set_entry(bytes);
              w.items[0].set_publisher("somebody");
              w.SealLedger();
            },
            {v1::Check::ANCHOR,
             "PUBLISHER_UNTRUSTED",
             {},
             {},
             "windproof/ledger-test",
             "somebody"}},
        Lie{"ProofCutShort",
            [](World& w) {
              w.items[0].mutable_inclusion()->mutable_siblings()->RemoveLast();
            },
            {v1::Check::ANCHOR, "PROOF_INVALID", {}, {}}},
        Lie{"ProofWithTrailingSibling",
            [](World& w) {
              w.items[0].mutable_inclusion()->add_siblings(std::string(32, 0));
            },
            {v1::Check::ANCHOR, "PROOF_INVALID", {}, {}}},
        Lie{"ProofOfAnotherLeaf",
            [](World& w) {
              *w.items[0].mutable_inclusion() = w.items[1].inclusion();
            },
            {v1::Check::ANCHOR,
             "PROOF_INVALID",
             {},
             {},
             "leaf 0 of 4",
             "leaf 1 of 4"}},
        Lie{"ProofWithheld",
            [](World& w) { w.items[0].clear_inclusion(); },
            {v1::Check::ANCHOR, "PROOF_MISSING", {}, {}, kAnything, ""}},
        Lie{"HeadOfAnotherTree",
            [](World& w) {
              w.head.set_note(w.HeadNote(4, HashLeaf("another")));
              w.head.set_root(std::string(BytesOf(HashLeaf("another"))));
            },
            {v1::Check::ANCHOR, "PROOF_INVALID", {}, {}, LeafHex("another")}},
        Lie{"HeadByAnotherKey",
            [](World& w) {
              w.trust.ledger = MakeVerifierKey("windproof/ledger-test",
                                               w.producer().PublicKey());
            },
            {v1::Check::ANCHOR, "HEAD_INVALID", {}, {}}},
        Lie{"HeadIsNone",
            [](World& w) { w.head.Clear(); },
            {v1::Check::ANCHOR, "HEAD_INVALID", {}, {}, kAnything, ""}},
        Lie{"HeadShowsAnotherSize",
            [](World& w) { w.head.set_tree_size(99); },
            {v1::Check::ANCHOR, "HEAD_MISMATCH", {}, {}}},
        Lie{"Equivocation",
            [](World& w) {
              w.AppendItem(absl::StrReplaceAll(w.written[0].bytes,
                                               {{"3.483333", "3.5"}}));
              w.SealLedger();
            },
            {v1::Check::ANCHOR, "EQUIVOCATION", {}, {}}},
        Lie{"ItemIsNoCheckpoint",
            [](World& w) {
              w.items.clear();
              w.AppendItem("{\"version\":1");
              w.SealLedger();
            },
            {v1::Check::ANCHOR,
             "ITEM_MALFORMED",
             {},
             {},
             "a checkpoint",
             "{\"version\":1"}}),
    NameOfLie);

INSTANTIATE_TEST_SUITE_P(
    LyingProducer, LieTest,
    testing::Values(
        Lie{"Average",
            Producer([](auto& written) { At(written, 0).aggregates[0].avg = 4; }),
            {v1::Check::ANALYTICS, "AGGREGATE_MISMATCH", {}, {}, "4",
             "3.483333"}},
        Lie{"Minimum",
            Producer([](auto& written) { At(written, 0).aggregates[0].min = 1; }),
            {v1::Check::ANALYTICS, "AGGREGATE_MISMATCH", {}, {}, "1", "3.1"}},
        Lie{"AggregateCount",
            Producer(
                [](auto& written) { At(written, 0).aggregates[0].count = 4; }),
            {v1::Check::ANALYTICS, "AGGREGATE_MISMATCH", {}, {}, "4", "3"}},
        Lie{"AggregateLeftOut",
            Producer([](auto& written) { At(written, 0).aggregates.clear(); }),
            {v1::Check::ANALYTICS, "AGGREGATE_MISSING", {}, {}, "", "3"}},
        Lie{"AggregateOfAnotherField",
            Producer([](auto& written) {
              At(written, 0).aggregates.push_back({"u", 1, 0, 0, 0});
            }),
            {v1::Check::ANALYTICS, "AGGREGATE_UNKNOWN", {}, {}, "1", ""}},
        Lie{"Count",
            Producer([](auto& written) { At(written, 0).records = 5; }),
            {v1::Check::COMPLETENESS, "RECORD_COUNT", {}, {}, "5", "4"}},
        Lie{"Positions",
            Producer([](auto& written) {
              At(written, 0).positions_sha256 = kZeroDigest;
            }),
            {v1::Check::COMPLETENESS, "POSITIONS_MISMATCH", {}, {},
             HexOf(kZeroDigest)}},
        Lie{"Root",
            Producer([](auto& written) { At(written, 0).root = kZeroDigest; }),
            {v1::Check::COMPLETENESS, "ROOT_MISMATCH", {}, {},
             HexOf(kZeroDigest)}},
        Lie{"RootThatTheLogDoesNotGive",
            Producer([](auto& written) { At(written, 0).root = kZeroDigest; }),
            {v1::Check::COMPLETENESS, "LOG_DIFFERS", {}, {},
             HexOf(kZeroDigest), ""},
            kNoon, false, true},
        Lie{"OffsetsEnd",
            Producer([](auto& written) { At(written, 0).offsets_end = 7; }),
            {v1::Check::COMPLETENESS, "OFFSETS_MISMATCH", {}, {}, "0 to 6",
             "0 to 5"}},
        Lie{"WindowBounds",
            Producer(
                [](auto& written) { At(written, 0).window_end_ms += kMinute; }),
            {v1::Check::CANONICAL, "WINDOW_BOUNDS", {}, {}}},
        Lie{"Prev",
            Producer(
                [](auto& written) { At(written, 1).prev = HashLeaf("other"); },
                false),
            {v1::Check::CHAIN, "PREV_MISMATCH", {}, {}, kAnything,
             LeafHex("other")},
            kNoon + kMinute},
        Lie{"PrevOfTheFirst",
            Producer(
                [](auto& written) { At(written, 0).prev = HashLeaf("other"); },
                false),
            {v1::Check::CHAIN, "PREV_MISMATCH", {}, {}, HexOf(kZeroDigest),
             LeafHex("other")}},
        Lie{"SeqJumps",
            Producer([](auto& written) {
              for (size_t i = 1; i < written.size(); ++i) ++At(written, i).seq;
            }),
            {v1::Check::CHAIN, "SEQ_GAP", {}, {}, "1", "2"}},
        Lie{"SeqTwice",
            Producer([](auto& written) { At(written, 1).seq = 0; }),
            {v1::Check::CHAIN, "SEQ_FORK", {}, {}}},
        Lie{"Supersedes",
            Producer(
                [](auto& written) {
                  At(written, 1).supersedes = HashLeaf("other");
                },
                false),
            {v1::Check::CHAIN, "SUPERSEDES_MISMATCH", {}, {}, kAnything,
             LeafHex("other")},
            kNoon, true},
        Lie{"RevisionSkipped",
            Producer([](auto& written) { At(written, 1).revision = 2; }),
            {v1::Check::CHAIN, "REVISION_GAP", {}, {}, "revision 1", ""},
            kNoon, true},
        Lie{"Source",
            Producer([](auto& written) { At(written, 1).topic = "test.b"; }),
            {v1::Check::CHAIN, "SOURCE_CHANGED", {}, {}, "test.a/0",
             "test.b/0"},
            kNoon + kMinute},
        Lie{"Spec",
            Producer(
                [](auto& written) { At(written, 1).spec = HashLeaf("other"); }),
            {v1::Check::CHAIN, "SPEC_CHANGED", {}, {}, kAnything,
             LeafHex("other")},
            kNoon + kMinute},
        Lie{"ClosingsGoBack",
            Producer([](auto& written) {
              At(written, 1).window_start_ms -= 2 * kMinute;
              At(written, 1).window_end_ms -= 2 * kMinute;
            }),
            {v1::Check::CHAIN, "CLOSING_ORDER", {}, {},
             "before 2026-01-25T11:59:00Z", "2026-01-25T12:00:00Z"}},
        Lie{"ClosedEarly",
            Producer([](auto& written) { At(written, 0).watermark.seconds -= 10; }),
            {v1::Check::CHAIN, "CLOSED_EARLY", {}, {},
             "at least 2026-01-25T12:01:00Z + 10000 ms",
             "2026-01-25T12:01:05Z"}},
        Lie{"WatermarkGoesBack",
            Producer(
                [](auto& written) { At(written, 0).watermark.seconds += 999; }),
            {v1::Check::CHAIN, "WATERMARK_BACK", {}, {}},
            kNoon + kMinute},
        Lie{"EmptyScanOfAnotherMoment",
            Producer(
                [](auto& written) { At(written, 2).watermark.seconds += 1; }),
            {v1::Check::CHAIN, "MOMENT_DIFFERS", {}, {}},
            kNoon + kMinute, true},
        Lie{"ScanSum",
            Producer([](auto& written) { ++At(written, 0).scan.accepted; }),
            {v1::Check::ACCOUNTING, "SCAN_SUM", {}, {}, "10 - 0"}},
        Lie{"ScanSumBeyond64Bits",
            Producer([](auto& written) {
              At(written, 0).scan.accepted = INT64_MAX / 1024 * 1024;
              At(written, 0).scan.other = INT64_MAX / 1024 * 1024;
            }),
            {v1::Check::ACCOUNTING, "SCAN_SUM", {}, {}}},
        Lie{"ScanLeavesOffsetsOut",
            Producer([](auto& written) {
              ++At(written, 1).scan_begin;
              --At(written, 1).scan.late;
            }),
            {v1::Check::ACCOUNTING, "SCAN_TOUCH", {}, {}, "10", "11"},
            kNoon + kMinute},
        Lie{"ScanLow",
            Producer([](auto& written) { At(written, 0).scan_low = 99; }),
            {v1::Check::ACCOUNTING, "SCAN_RANGE", {}, {}, "at most 10", "99"}},
        Lie{"DroppedRoot",
            Producer(
                [](auto& written) { At(written, 0).dropped_root = kZeroDigest; }),
            {v1::Check::ACCOUNTING, "DROPPED_ROOT", {}, {},
             HexOf(kZeroDigest)}},
        Lie{"SignerUntrusted",
            [](World& w) {
              w.trust.producers = {
                  MakeVerifierKey("another", w.producer().PublicKey())};
            },
            {v1::Check::SIGNATURE, "SIGNER_UNTRUSTED", {}, {}, "another",
             "windproof/producer-test"}},
        Lie{"SignedByAnotherKey",
            [](World& w) {
              w.trust.producers = {
                  MakeVerifierKey("windproof/producer-test",
                                  Ed25519PrivateKey::Generate()->PublicKey())};
            },
            {v1::Check::SIGNATURE, "SIGNATURE_INVALID", {}, {}}}),
    NameOfLie);

TEST(VerifierTest, VerifiesWhatIsTrue) {
  for (const bool amend : {false, true}) {
    World world(amend ? AmendSpec() : World::TestSpec());
    MemoryLog log({world.topic(), 0}, world.log);
    world.verifier_log = &log;
    for (const int64_t minute : {0, 1, 3, 4}) {
      const Response response = Verify(world, kNoon + minute * kMinute);
      EXPECT_EQ(response.verdict(), Response::VERIFIED)
          << response.DebugString();
      EXPECT_EQ(response.checks_size(), 7);
      for (const v1::Check& check : response.checks()) {
        EXPECT_EQ(check.result(), v1::Check::PASS);
        EXPECT_EQ(check.findings_size(), 0);
      }
      EXPECT_EQ(response.revision(), amend && minute == 0 ? 1 : 0);
    }
  }
}

TEST(VerifierTest, AsksForThePayloadWhereTheListComesWithoutIt) {
  World world;
  world.payload_in_lists = false;
  EXPECT_EQ(Verify(world).verdict(), Response::VERIFIED);
}

TEST(VerifierTest, EmptyWithTheClosingsAroundAsEvidence) {
  World world;
  const Response between = Verify(world, kNoon + 2 * kMinute);
  EXPECT_EQ(between.verdict(), Response::EMPTY) << between.DebugString();
  EXPECT_EQ(between.revision(), -1);
  EXPECT_EQ(std::vector<int64_t>(between.evidence().begin(),
                                 between.evidence().end()),
            (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Find(between, v1::Check::COMPLETENESS), nullptr);
  EXPECT_EQ(Find(between, v1::Check::CHAIN)->result(), v1::Check::PASS);

  const Response before = Verify(world, kNoon - 60 * kMinute);
  EXPECT_EQ(before.verdict(), Response::EMPTY);
  EXPECT_EQ(
      std::vector<int64_t>(before.evidence().begin(), before.evidence().end()),
      (std::vector<int64_t>{0}));
}

TEST(VerifierTest, EmptyIsNotBelievedWhereItsEvidenceIsBad) {
  World withheld;
  withheld.dropped.clear();
  ExpectFound(
      Verify(withheld, kNoon + 2 * kMinute),
      {v1::Check::ACCOUNTING, "DROPPED_COUNT", {}, {}, "late 1", "late 0"});
  World removed;
  removed.items.erase(removed.items.begin() + 1);
  ExpectFound(Verify(removed, kNoon + 2 * kMinute),
              {v1::Check::CHAIN, "SEQ_GAP", {}, {}, "1"});
}

TEST(VerifierTest, WhatIsNotThereIsAnError) {
  World world;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      world.Verify("a", kNoon + 100 * kMinute).status()));
  EXPECT_TRUE(absl::IsNotFound(world.Verify("b", kNoon).status()));
  world.no_window = grpc::StatusCode::FAILED_PRECONDITION;
  EXPECT_TRUE(absl::IsFailedPrecondition(world.Verify("b", kNoon).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(world.Verify("a", kNoon + 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(world.Verify("", kNoon).status()));
}

TEST(VerifierTest, WhatCannotBeAskedIsSkippedAndNeverPasses) {
  World no_ledger;
  no_ledger.anchor_down = true;
  const Response without_ledger = Verify(no_ledger);
  EXPECT_EQ(without_ledger.verdict(), Response::INCOMPLETE);
  for (const v1::Check::Name name :
       {v1::Check::ANCHOR, v1::Check::CHAIN, v1::Check::ACCOUNTING}) {
    EXPECT_EQ(Find(without_ledger, name)->result(), v1::Check::SKIPPED);
    EXPECT_FALSE(Find(without_ledger, name)->reason().empty());
  }

  World no_window_hash;
  no_window_hash.window_hash_down = true;
  const Response without_records = Verify(no_window_hash);
  EXPECT_EQ(without_records.verdict(), Response::INCOMPLETE);
  for (const v1::Check::Name name :
       {v1::Check::ANCHOR, v1::Check::COMPLETENESS, v1::Check::CANONICAL,
        v1::Check::ANALYTICS, v1::Check::ACCOUNTING}) {
    EXPECT_EQ(Find(without_records, name)->result(), v1::Check::SKIPPED);
  }
  EXPECT_EQ(Find(without_records, v1::Check::SIGNATURE)->result(),
            v1::Check::PASS);

  World neither;
  neither.anchor_down = true;
  neither.window_hash_down = true;
  EXPECT_TRUE(absl::IsUnavailable(neither.Verify("a", kNoon).status()));
}

TEST(VerifierTest, NotYetAnchoredIsIncomplete) {
  World world;
  world.items.pop_back();
  world.SealLedger();
  world.windows.back().mutable_receipt()->set_state(v1::Receipt::PENDING);
  const Response response = Verify(world, kNoon + 4 * kMinute);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE) << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::ANCHOR)->result(), v1::Check::SKIPPED);
  EXPECT_EQ(Find(response, v1::Check::COMPLETENESS)->result(), v1::Check::PASS);
  EXPECT_EQ(Find(response, v1::Check::SIGNATURE)->result(), v1::Check::PASS);
}

TEST(VerifierTest, NotYetConfirmedIsIncomplete) {
  World world;
  const std::string last = world.items.back().checkpoint();
  world.items.pop_back();
  world.SealLedger();
  world.AppendItem(last);  // beyond the head
  world.items.back().set_txid(
      HexOf(LedgerEntryHash(world.items.back().entry())));
  const Response response = Verify(world, kNoon + 4 * kMinute);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE) << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::ANCHOR)->result(), v1::Check::SKIPPED);
}

TEST(VerifierTest, AnUnknownVersionIsUnsupported) {
  World world;
  const std::string other = absl::StrReplaceAll(
      world.written[0].bytes, {{"\"version\":1", "\"version\":2"}});
  world.written[0].bytes = other;
  world.Publish();
  const Response response = Verify(world);
  EXPECT_EQ(response.verdict(), Response::UNSUPPORTED)
      << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::COMPLETENESS)->result(),
            v1::Check::SKIPPED);
  // Its neighbour cannot be linked to it.
  const Response next = Verify(world, kNoon + kMinute);
  EXPECT_EQ(next.verdict(), Response::INCOMPLETE) << next.DebugString();
  EXPECT_EQ(Find(next, v1::Check::CHAIN)->result(), v1::Check::SKIPPED);
}

TEST(VerifierTest, RulesAreTakenFromWhoeverShowsThemByTheirHash) {
  World shown;
  shown.configured.clear();
  EXPECT_EQ(Verify(shown).verdict(), Response::VERIFIED);

  World wrong;
  wrong.configured.clear();
  PipelineSpec other = World::TestSpec();
  other.grace_ms = 0;
  wrong.progress.mutable_pipelines(0)->set_canonical_spec(CanonicalSpec(other));
  const Response response = Verify(wrong);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE) << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::CANONICAL)->result(), v1::Check::SKIPPED);
  EXPECT_EQ(Find(response, v1::Check::COMPLETENESS)->result(), v1::Check::PASS);
}

TEST(VerifierTest, AnAlteredLedgerEntryLeavesItsNeighbourIncomplete) {
  World world;
  for (std::string* bytes :
       {world.items[0].mutable_checkpoint(), world.items[0].mutable_entry()}) {
    *bytes = absl::StrReplaceAll(*bytes, {{"3.483333", "3.483334"}});
  }
  const Response next = Verify(world, kNoon + kMinute);
  EXPECT_EQ(next.verdict(), Response::INCOMPLETE) << next.DebugString();
  EXPECT_EQ(Find(next, v1::Check::CHAIN)->result(), v1::Check::SKIPPED);
  EXPECT_EQ(Verify(world, kNoon + 4 * kMinute).verdict(), Response::VERIFIED);
}

TEST(VerifierTest, ALogThatHasExpiredIsSaidSo) {
  World world;
  MemoryLog log({world.topic(), 0}, world.log);
  log.Expire(1);
  world.verifier_log = &log;
  SetBytes(RecordOf(world, 1), Record("00:10", "9.9"), true);
  const Response response = Verify(world);
  ExpectFound(response, {v1::Check::COMPLETENESS, "ROOT_MISMATCH", {}, {}});
  EXPECT_NE(Find(response, v1::Check::COMPLETENESS)->reason().find("offsets"),
            std::string::npos);
}

TEST(VerifierTest, VeryManyFindingsAreCounted) {
  std::vector<OwnedRecord> log;
  for (int i = 0; i < 300; ++i) {
    OwnedRecord record;
    record.offset = i;
    record.log_time_ms = kNoon;
    record.key = "a";
    record.value = absl::StrCat(
        "{\"station\":\"a\",\"t\":1,\"time\":", kNoon - kMinute + i, "}");
    log.push_back(record);
  }
  OwnedRecord last;
  last.offset = 300;
  last.log_time_ms = kNoon + 10 * kMinute;
  last.key = "a";
  last.value =
      absl::StrCat("{\"station\":\"a\",\"time\":", kNoon + 2 * kMinute, "}");
  log.push_back(last);
  World world(World::TestSpec(), "test.a", 0, 0, log);
  for (v1::PayloadRecord& record :
       *world.windows[0].mutable_payload()->mutable_records()) {
    record.mutable_canonical()->push_back(' ');
  }
  const Response response = Verify(world, kNoon - kMinute);
  const v1::Check* check = Find(response, v1::Check::CANONICAL);
  EXPECT_EQ(check->findings_size(), 101);
  EXPECT_EQ(Find(*check, "MORE_FINDINGS")->found(), "200");
}

}  // namespace
}  // namespace windproof
