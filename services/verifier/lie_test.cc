// Every way to lie, one a test: who lies about what, and which finding names
// it.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_entry.h"
#include "services/verifier/testing/memory_log.h"
#include "services/verifier/testing/said.h"
#include "services/verifier/testing/world.h"

namespace windproof {
namespace {

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
              SetBytes(RecordOf(w, 1), CanonicalRecord("00:10", "9.9"), false);
            },
            {v1::Check::COMPLETENESS, "RECORD_ALTERED", 1, 2,
             LeafHex(CanonicalRecord("00:10", "3.45")), LeafHex(CanonicalRecord("00:10", "9.9"))}},
        Lie{"RecordAlteredShowsInAggregates",
            [](World& w) {
              SetBytes(RecordOf(w, 1), CanonicalRecord("00:10", "9.9"), false);
            },
            {v1::Check::ANALYTICS, "AGGREGATE_MISMATCH", {}, {}, "3.9", "9.9"}},
        Lie{"RecordAlteredWithLeafHash",
            [](World& w) {
              SetBytes(RecordOf(w, 1), CanonicalRecord("00:10", "9.9"), true);
            },
            {v1::Check::COMPLETENESS, "ROOT_MISMATCH", {}, {}}},
        Lie{"RecordAlteredWithLeafHashNamedByLog",
            [](World& w) {
              SetBytes(RecordOf(w, 1), CanonicalRecord("00:10", "9.9"), true);
            },
            {v1::Check::COMPLETENESS, "RECORD_ALTERED", 1, 2,
             CanonicalRecord("00:10", "3.45"), CanonicalRecord("00:10", "9.9")},
            kNoon, false, true},
        Lie{"LeafHashAltered",
            [](World& w) { RecordOf(w, 2)->set_leaf_hash(std::string(32, 7)); },
            {v1::Check::COMPLETENESS, "LEAF_HASH_ALTERED", 2, 1,
             LeafHex(CanonicalRecord("00:20", "3.9")),
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
             CanonicalRecord("00:10", "3.45"), ""},
            kNoon, false, true},
        Lie{"RecordAdded",
            [](World& w) {
              v1::PayloadRecord* added =
                  w.windows[0].mutable_payload()->add_records();
              SetBytes(added, CanonicalRecord("00:40", "1"), true);
              added->set_offset(7);
            },
            {v1::Check::COMPLETENESS, "RECORD_COUNT", {}, {}, "4", "5"}},
        Lie{"RecordAddedNamedByLog",
            [](World& w) {
              v1::PayloadRecord* added =
                  w.windows[0].mutable_payload()->add_records();
              SetBytes(added, CanonicalRecord("00:40", "1"), true);
              added->set_offset(7);
            },
            {v1::Check::COMPLETENESS, "RECORD_ADDED", 4, 7, "",
             CanonicalRecord("00:40", "1")},
            kNoon, false, true},
        Lie{"RecordsSwapped",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->SwapElements(
                  0, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_MOVED", 0, 2, CanonicalRecord("00:00", "3.1"),
             CanonicalRecord("00:10", "3.45")}},
        Lie{"RecordsSwappedNamedByLog",
            [](World& w) {
              w.windows[0].mutable_payload()->mutable_records()->SwapElements(
                  0, 1);
            },
            {v1::Check::COMPLETENESS, "RECORD_MOVED", 0, 2, CanonicalRecord("00:00", "3.1"),
             CanonicalRecord("00:10", "3.45")},
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
             CanonicalRecord("00:40", "-1"), ""},
            kNoon, true, true},
        Lie{"NotCanonical",
            [](World& w) {
              SetBytes(RecordOf(w, 0), " " + CanonicalRecord("00:00", "3.1"), true);
            },
            {v1::Check::CANONICAL, "NOT_CANONICAL", 0, 0, Said::kSomething,
             " " + CanonicalRecord("00:00", "3.1")}},
        Lie{"NoTextAtAll",
            [](World& w) { SetBytes(RecordOf(w, 0), "\xff\x01", true); },
            {v1::Check::CANONICAL, "NOT_CANONICAL", 0, 0, Said::kSomething,
             "\\xff\\x01"}},
        Lie{"OutsideWindow",
            [](World& w) {
              SetBytes(RecordOf(w, 3), CanonicalRecord("01:30", ""), true);
            },
            {v1::Check::CANONICAL, "OUTSIDE_WINDOW", 3, 5, Said::kSomething,
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
            {v1::Check::SIGNATURE, "SIGNATURE_MISSING", {}, {}, Said::kSomething, ""}},
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
              w.log[9].value = CanonicalRecord("03:00", "-1");  // offset 10
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
            {v1::Check::ANCHOR, "NOT_ON_LEDGER", {}, {}, Said::kSomething, ""},
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
            {v1::Check::ANCHOR,
             "ENTRY_MISMATCH",
             {},
             {},
             Said::kSomething,
             "other"}},
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
            {v1::Check::ANCHOR, "PROOF_MISSING", {}, {}, Said::kSomething, ""}},
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
            {v1::Check::ANCHOR, "HEAD_INVALID", {}, {}, Said::kSomething, ""}},
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
            {v1::Check::CHAIN, "PREV_MISMATCH", {}, {}, Said::kSomething,
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
            {v1::Check::CHAIN, "SUPERSEDES_MISMATCH", {}, {}, Said::kSomething,
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
            {v1::Check::CHAIN, "SPEC_CHANGED", {}, {}, Said::kSomething,
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

}  // namespace
}  // namespace windproof
