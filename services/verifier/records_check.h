// CANONICAL and ANALYTICS: is each record what canonicalisation gives, inside
// the window and in order, and do the aggregates follow from the records?
//
// Source: docs/formats/ ("Canonical record", "Aggregates"). Pure; a
// RecordsCheck belongs to one thread and can be used again.
#ifndef WINDPROOF_SERVICES_VERIFIER_RECORDS_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_RECORDS_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/canonical/decimal.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "services/verifier/completeness_check.h"
#include "services/verifier/finding.h"

namespace windproof {

class RecordsCheck {
 public:
  // `spec` must be valid, be that of the checkpoints (SpecHash) and outlive
  // this.
  explicit RecordsCheck(const PipelineSpec& spec);

  // Begins with the records of `anchored`, which must live until their checks
  // are done.
  void Begin(const Checkpoint& anchored);

  // The next records, in the order served.
  void Add(absl::Span<const ServedRecord> records);

  // CANONICAL of all that were added. Once for each Begin().
  CheckOutcome Canonical();

  // ANALYTICS of all that were added. SKIPPED where one of them could not be
  // read.
  CheckOutcome Analytics() const;

 private:
  struct Sums {
    int64_t count = 0;
    double min = 0;
    double max = 0;
    Nanounits sum = 0;
  };

  const PipelineSpec& spec_;
  RecordReader reader_;
  const Checkpoint* anchored_ = nullptr;
  size_t count_ = 0;
  std::optional<Timestamp> before_;  // time of the record before
  std::vector<Sums> sums_;           // one for each of spec_.aggregated
  bool all_read_ = true;
  std::vector<Finding> findings_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_RECORDS_CHECK_H_
