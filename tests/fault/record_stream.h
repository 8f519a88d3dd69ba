// An endless stream of batches of everything that ingest takes: disorder,
// duplicates, conflicts, late and control records, over several topics and
// keys. The same seed, the same stream.
//
// Single-owner.
#ifndef WINDPROOF_TESTS_FAULT_RECORD_STREAM_H_
#define WINDPROOF_TESTS_FAULT_RECORD_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "proto/windproof/v1/ingest.pb.h"
#include "proto/windproof/v1/record.pb.h"

namespace windproof {

// What one call sends: records for PublishRecords or, where there are none, a
// watermark for AdvanceWatermark.
struct Batch {
  std::vector<v1::Record> records;
  v1::AdvanceWatermarkRequest watermark;
};

class RecordStream {
 public:
  // Topics fault.0 to fault.2. The keys are those of `publisher` alone, and
  // each has one topic.
  static constexpr int kTopics = 3;
  static constexpr int kKeys = 6;

  RecordStream(uint64_t seed, int publisher);

  Batch Next();

  // Watermarks, as records of one batch, that close every window.
  Batch Last();

 private:
  struct Key {
    std::string name;
    std::string topic;
    int64_t clock_ms = 0;  // event time, milliseconds since the epoch
    std::vector<v1::Record> history;  // the last few, newest last
  };

  // A whole number in [0, sides).
  int64_t Throw(int64_t sides);
  bool OneIn(int64_t sides) { return Throw(sides) == 0; }

  v1::Record NextRecord();
  v1::Record Reading(Key& key, int64_t time_ms);

  std::mt19937_64 random_;
  std::vector<Key> keys_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_FAULT_RECORD_STREAM_H_
