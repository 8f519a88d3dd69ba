#include "common/pipeline/window_writer.h"

#include <utility>

#include "common/merkle/tree.h"
#include "common/pipeline/leaves.h"

namespace windproof {

void WindowWriter::Write(KeyStream* key, int64_t offset, int64_t seen,
                         std::vector<Writing>* writings,
                         EngineOutput* output) const {
  for (Writing& writing : *writings) {
    WrittenWindow& written = output->windows.emplace_back();
    Checkpoint& checkpoint = written.checkpoint;
    FillSource(*key, &checkpoint);
    FillWindow(&writing, &written);
    checkpoint.scan_low = key->lows.empty() ? offset + 1 : *key->lows.begin();
    if (&writing == &writings->front()) {
      FillScan(offset, seen, key, &checkpoint);
    } else {
      checkpoint.scan_begin = offset + 1;
      checkpoint.dropped_root = EmptyRoot();
    }
    checkpoint.scan_end = offset + 1;

    checkpoint.seq = key->seq;
    checkpoint.prev = key->prev;
    written.bytes = EncodeCheckpoint(checkpoint);
    written.checkpoint_hash = Sha256Of(written.bytes);
    key->seq += 1;
    key->prev = written.checkpoint_hash;
  }
}

void WindowWriter::FillSource(const KeyStream& key,
                              Checkpoint* checkpoint) const {
  checkpoint->key = key.name;
  checkpoint->pipeline = spec_.name;
  checkpoint->spec = spec_hash_;
  checkpoint->topic = topic_;
  checkpoint->partition = partition_;
  checkpoint->watermark = *key.watermark;
}

void WindowWriter::FillWindow(Writing* writing, WrittenWindow* written) const {
  Checkpoint& checkpoint = written->checkpoint;
  checkpoint.window_start_ms = writing->start_ms;
  checkpoint.window_end_ms = writing->start_ms + spec_.window_ms;
  checkpoint.revision = writing->revision;
  checkpoint.supersedes = writing->supersedes;
  checkpoint.aggregates = std::move(writing->aggregates);
  written->records = std::move(writing->records);
  checkpoint.records = static_cast<int64_t>(written->records.entries.size());

  const LeafSummary leaves = HashLeaves(&written->records);
  checkpoint.root = leaves.root;
  checkpoint.positions_sha256 = leaves.positions_sha256;
  checkpoint.offsets_begin = leaves.lowest_offset;
  checkpoint.offsets_end = leaves.highest_offset + 1;
}

void WindowWriter::FillScan(int64_t offset, int64_t seen, KeyStream* key,
                            Checkpoint* checkpoint) {
  const int64_t seen_in_scan = seen - key->seen_at_begin;
  checkpoint->scan_begin = key->begin;
  checkpoint->scan = key->counts;
  checkpoint->scan.other = seen_in_scan - key->counts.Sum();
  checkpoint->scan.gap = offset + 1 - key->begin - seen_in_scan;
  checkpoint->dropped_root = DroppedRoot(key->drops);
  // The next scan begins.
  key->begin = offset + 1;
  key->seen_at_begin = seen;
  key->counts = ScanCounts();
  key->drops.clear();
}

}  // namespace windproof
