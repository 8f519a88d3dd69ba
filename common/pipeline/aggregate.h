// Aggregates of a window: count, min, max, avg of each aggregated field.
//
// Source: docs/formats/ ("Aggregates"): exact decimal sums, so they do not
// depend on the order of the records. Pure; an Aggregator belongs to one
// thread.
#ifndef WINDPROOF_COMMON_PIPELINE_AGGREGATE_H_
#define WINDPROOF_COMMON_PIPELINE_AGGREGATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/canonical/decimal.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/record_reader.h"

namespace windproof {

class Aggregator {
 public:
  explicit Aggregator(size_t fields = 0) : totals_(fields) {}

  // Adds one record: a value for each field, as RecordReader::Result has them.
  void Add(const AggregatedValue* values) {
    for (Total& total : totals_) {
      const AggregatedValue& value = *values++;
      if (!value.present) continue;
      if (total.count == 0 || value.number < total.min) {
        total.min = value.number;
      }
      if (total.count == 0 || value.number > total.max) {
        total.max = value.number;
      }
      total.count += 1;
      total.sum += value.nanounits;
    }
  }

  // The aggregates of the fields that some record had. `names` are those of the
  // fields, in the order of Add().
  std::vector<Checkpoint::Aggregate> Finish(
      const std::vector<std::string>& names) const;

 private:
  struct Total {
    int64_t count = 0;
    double min = 0;
    double max = 0;
    Nanounits sum = 0;
  };

  std::vector<Total> totals_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_AGGREGATE_H_
