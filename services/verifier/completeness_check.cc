#include "services/verifier/completeness_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/record_reader.h"

namespace windproof {
namespace {

constexpr size_t kFlushAt = 4096;  // of offsets to hash

Finding About(absl::string_view code, std::optional<int64_t> record,
              std::optional<int64_t> offset, std::string expected,
              std::string found, std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.record = record;
  finding.offset = offset;
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message = std::move(message);
  return finding;
}

std::string HexOfBytes(absl::string_view bytes) {
  return absl::BytesToHexString(bytes);
}

Digest RootOfBytes(absl::Span<const ServedRecord> records) {
  StreamingRoot root;
  for (const ServedRecord& record : records) {
    root.Add(HashLeaf(record.canonical));
  }
  return root.Root();
}

// Where putting the records back into order of time leads to the root: who
// stands in another's place. Empty where it does not.
std::vector<Finding> NameMoved(const Checkpoint& anchored,
                               absl::Span<const ServedRecord> records,
                               const PipelineSpec& spec) {
  RecordReader reader(spec);
  std::vector<std::pair<Timestamp, size_t>> order;
  for (size_t i = 0; i < records.size(); ++i) {
    RecordReader::Result result;
    if (!reader.ReadCanonical(anchored.key, records[i].canonical, &result)) {
      return {};
    }
    order.emplace_back(result.time, i);
  }
  std::sort(order.begin(), order.end());
  StreamingRoot root;
  for (const auto& [time, index] : order) {
    root.Add(HashLeaf(records[index].canonical));
  }
  if (root.Root() != anchored.root) return {};
  std::vector<Finding> findings;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t belongs_here = order[i].second;
    if (belongs_here == i) continue;
    findings.push_back(About(
        "RECORD_MOVED", i, records[i].offset,
        Shown(records[belongs_here].canonical), Shown(records[i].canonical),
        absl::StrCat("record ", i, " stands in the place of the record ",
                     "that is served as number ", belongs_here)));
  }
  return findings;
}

void CheckRoot(const Checkpoint& anchored,
               absl::Span<const ServedRecord> records, const PipelineSpec* spec,
               std::vector<Finding>* findings) {
  struct Mismatch {
    size_t record;
    Digest computed;
  };
  std::vector<Mismatch> mismatches;
  StreamingRoot stored_root;
  for (size_t i = 0; i < records.size(); ++i) {
    const Digest computed = HashLeaf(records[i].canonical);
    Digest stored = computed;
    if (records[i].leaf_hash != BytesOf(computed)) {
      mismatches.push_back({i, computed});
      const absl::StatusOr<Digest> digest =
          DigestFromBytes(records[i].leaf_hash);
      stored = digest.ok() ? *digest : kZeroDigest;
    }
    stored_root.Add(stored);
  }
  const Digest root = stored_root.Root();
  if (root == anchored.root) {
    for (const Mismatch& mismatch : mismatches) {
      const ServedRecord& record = records[mismatch.record];
      findings->push_back(About(
          "RECORD_ALTERED", mismatch.record, record.offset,
          HexOfBytes(record.leaf_hash), HexOf(mismatch.computed),
          absl::StrCat("record ", mismatch.record, " at offset ", record.offset,
                       " hashes to another leaf than the ",
                       "anchored one; served is ", Shown(record.canonical))));
    }
    return;
  }

  const Digest bytes_root = mismatches.empty() ? root : RootOfBytes(records);
  if (bytes_root == anchored.root) {
    for (const Mismatch& mismatch : mismatches) {
      const ServedRecord& record = records[mismatch.record];
      findings->push_back(About(
          "LEAF_HASH_ALTERED", mismatch.record, record.offset,
          HexOf(mismatch.computed), HexOfBytes(record.leaf_hash),
          absl::StrCat("the stored leaf hash of record ", mismatch.record,
                       " is not that of its bytes, which are the anchored "
                       "ones")));
    }
    return;
  }

  if (spec != nullptr &&
      records.size() == static_cast<uint64_t>(anchored.records)) {
    std::vector<Finding> moved = NameMoved(anchored, records, *spec);
    if (!moved.empty()) {
      findings->insert(findings->end(), moved.begin(), moved.end());
      return;
    }
  }
  findings->push_back(
      About("ROOT_MISMATCH", std::nullopt, std::nullopt, HexOf(anchored.root),
            HexOf(bytes_root),
            "the records do not lead to the anchored root: something was "
            "altered, added, removed or moved"));
  for (const Mismatch& mismatch : mismatches) {
    const ServedRecord& record = records[mismatch.record];
    findings->push_back(
        About("RECORD_ALTERED", mismatch.record, record.offset,
              HexOfBytes(record.leaf_hash), HexOf(mismatch.computed),
              absl::StrCat("record ", mismatch.record, " at offset ",
                           record.offset, " and its stored leaf hash differ; ",
                           "served is ", Shown(record.canonical))));
  }
}

void CheckPositions(const Checkpoint& anchored,
                    absl::Span<const ServedRecord> records,
                    std::vector<Finding>* findings) {
  PositionsHasher positions;
  int64_t lowest = 0;
  int64_t highest = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const int64_t offset = records[i].offset;
    positions.Add(offset);
    lowest = i == 0 ? offset : std::min(lowest, offset);
    highest = i == 0 ? offset : std::max(highest, offset);
  }
  const Digest hash = positions.Finish();
  if (hash != anchored.positions_sha256) {
    findings->push_back(
        About("POSITIONS_MISMATCH", std::nullopt, std::nullopt,
              HexOf(anchored.positions_sha256), HexOf(hash),
              "the records' offsets are not the anchored ones"));
  }
  // Not highest + 1, which a hostile offset could overflow.
  if (!records.empty() && (lowest != anchored.offsets_begin ||
                           highest != anchored.offsets_end - 1)) {
    findings->push_back(About(
        "OFFSETS_MISMATCH", std::nullopt, std::nullopt,
        absl::StrCat(anchored.offsets_begin, " to ", anchored.offsets_end - 1),
        absl::StrCat(lowest, " to ", highest),
        "lowest and highest offset of the records"));
  }
}

}  // namespace

void PositionsHasher::Add(int64_t offset) {
  buffer_.append(first_ ? "[\"" : ",\"");
  first_ = false;
  absl::StrAppend(&buffer_, offset);
  buffer_.push_back('"');
  if (buffer_.size() >= kFlushAt) {
    sha256_.Update(buffer_);
    buffer_.clear();
  }
}

Digest PositionsHasher::Finish() {
  buffer_.append(first_ ? "[]" : "]");
  sha256_.Update(buffer_);
  return sha256_.Finish();
}

void CompletenessSums::Add(absl::Span<const ServedRecord> records) {
  for (const ServedRecord& record : records) {
    const Digest leaf = HashLeaf(record.canonical);
    stored_leaves_match_ &= record.leaf_hash == BytesOf(leaf);
    root_.Add(leaf);
    positions_.Add(record.offset);
    lowest_ = count_ == 0 ? record.offset : std::min(lowest_, record.offset);
    highest_ = count_ == 0 ? record.offset : std::max(highest_, record.offset);
    ++count_;
  }
}

bool CompletenessSums::Match(const Checkpoint& anchored) {
  return count_ == static_cast<uint64_t>(anchored.records) &&
         stored_leaves_match_ && root_.Root() == anchored.root &&
         positions_.Finish() == anchored.positions_sha256 &&
         (count_ == 0 || (lowest_ == anchored.offsets_begin &&
                          highest_ == anchored.offsets_end - 1));
}

CheckOutcome CheckCompleteness(const Checkpoint& anchored,
                               absl::Span<const ServedRecord> records,
                               const PipelineSpec* spec) {
  std::vector<Finding> findings;
  if (records.size() != static_cast<uint64_t>(anchored.records)) {
    findings.push_back(
        About("RECORD_COUNT", std::nullopt, std::nullopt,
              absl::StrCat(anchored.records), absl::StrCat(records.size()),
              absl::StrCat("the checkpoint covers ", anchored.records,
                           " records, served are ", records.size())));
  }
  CheckRoot(anchored, records, spec, &findings);
  CheckPositions(anchored, records, &findings);
  return CheckOutcome::Of(std::move(findings));
}

bool AreTheRecords(const Checkpoint& anchored, const WindowRecords& records) {
  if (records.entries.size() != static_cast<uint64_t>(anchored.records)) {
    return false;
  }
  StreamingRoot root;
  PositionsHasher positions;
  for (const WindowRecords::Entry& entry : records.entries) {
    root.Add(HashLeaf(records.Canonical(entry)));
    positions.Add(entry.offset);
  }
  return root.Root() == anchored.root &&
         positions.Finish() == anchored.positions_sha256;
}

std::vector<Finding> DiffRecords(const WindowRecords& truth,
                                 absl::Span<const ServedRecord> served) {
  std::vector<Finding> findings;
  // Each true record finds its served counterpart: the very same, else the same
  // bytes elsewhere, else other bytes at its offset.
  absl::flat_hash_map<std::pair<int64_t, absl::string_view>, size_t> same;
  for (size_t i = 0; i < served.size(); ++i) {
    same.emplace(std::make_pair(served[i].offset, served[i].canonical), i);
  }
  std::vector<std::optional<size_t>> counterpart(truth.entries.size());
  std::vector<bool> explained(served.size(), false);
  for (size_t t = 0; t < truth.entries.size(); ++t) {
    const WindowRecords::Entry& entry = truth.entries[t];
    const auto found =
        same.find(std::make_pair(entry.offset, truth.Canonical(entry)));
    if (found == same.end()) continue;
    counterpart[t] = found->second;
    explained[found->second] = true;
  }
  absl::flat_hash_map<absl::string_view, size_t> by_bytes;
  absl::flat_hash_map<int64_t, size_t> by_offset;
  for (size_t i = 0; i < served.size(); ++i) {
    if (!explained[i]) by_bytes.emplace(served[i].canonical, i);
  }
  for (size_t t = 0; t < truth.entries.size(); ++t) {
    if (counterpart[t].has_value()) continue;
    const WindowRecords::Entry& entry = truth.entries[t];
    const auto found = by_bytes.find(truth.Canonical(entry));
    if (found == by_bytes.end() || explained[found->second]) continue;
    const size_t i = found->second;
    counterpart[t] = i;
    explained[i] = true;
    findings.push_back(
        About("OFFSET_ALTERED", i, served[i].offset, absl::StrCat(entry.offset),
              absl::StrCat(served[i].offset),
              absl::StrCat("record ", i, " stands in the log at offset ",
                           entry.offset, ", not at ", served[i].offset)));
  }
  for (size_t i = 0; i < served.size(); ++i) {
    if (!explained[i]) by_offset.emplace(served[i].offset, i);
  }

  for (size_t t = 0; t < truth.entries.size(); ++t) {
    if (counterpart[t].has_value()) continue;
    const WindowRecords::Entry& entry = truth.entries[t];
    const absl::string_view bytes = truth.Canonical(entry);
    const auto found = by_offset.find(entry.offset);
    if (found != by_offset.end()) {
      const size_t i = found->second;
      counterpart[t] = i;
      explained[i] = true;
      findings.push_back(
          About("RECORD_ALTERED", i, entry.offset, Shown(bytes),
                Shown(served[i].canonical),
                absl::StrCat("record ", i, " is not what the log has at ",
                             "offset ", entry.offset)));
      continue;
    }
    findings.push_back(
        About("RECORD_REMOVED", t, entry.offset, Shown(bytes), "",
              absl::StrCat("the log has a record at offset ", entry.offset,
                           " that belongs to the window as number ", t)));
  }
  for (size_t i = 0; i < served.size(); ++i) {
    if (explained[i]) continue;
    findings.push_back(About(
        "RECORD_ADDED", i, served[i].offset, "", Shown(served[i].canonical),
        absl::StrCat("record ", i, " at offset ", served[i].offset,
                     " is not in the window that the log gives")));
  }

  // Order is only worth a word where all records are there.
  if (findings.empty() || (served.size() == truth.entries.size() &&
                           std::all_of(counterpart.begin(), counterpart.end(),
                                       [](const std::optional<size_t>& c) {
                                         return c.has_value();
                                       }))) {
    for (size_t t = 0; t < truth.entries.size(); ++t) {
      if (counterpart[t] == t) continue;
      findings.push_back(About(
          "RECORD_MOVED", t, served[t].offset,
          Shown(truth.Canonical(truth.entries[t])), Shown(served[t].canonical),
          absl::StrCat("record ", t, " stands in the place of that at ",
                       "offset ", truth.entries[t].offset)));
    }
  }
  for (size_t t = 0; t < truth.entries.size(); ++t) {
    if (!counterpart[t].has_value()) continue;
    const ServedRecord& record = served[*counterpart[t]];
    const Digest leaf = HashLeaf(truth.Canonical(truth.entries[t]));
    if (record.leaf_hash != BytesOf(leaf) &&
        record.canonical == truth.Canonical(truth.entries[t])) {
      findings.push_back(
          About("LEAF_HASH_ALTERED", *counterpart[t], record.offset,
                HexOf(leaf), HexOfBytes(record.leaf_hash),
                absl::StrCat("the stored leaf hash of record ", *counterpart[t],
                             " is not that of its bytes")));
    }
  }
  return findings;
}

}  // namespace windproof
