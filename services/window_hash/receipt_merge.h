// How a receipt gets to its stored checkpoint without that being written again.
//
// A merge operand of column family `checkpoints` is the bytes of a
// StoredCheckpoint message that has a receipt and nothing else. The value with
// it is the stored checkpoint, its receipt (if it had one) replaced.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_RECEIPT_MERGE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_RECEIPT_MERGE_H_

#include <rocksdb/merge_operator.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/windproof/v1/checkpoint.pb.h"

namespace windproof {

// Appends such an operand's bytes.
void AppendReceipt(const v1::Receipt& receipt, std::string* out);

// The bytes of the stored checkpoint without its receipt. Bytes that are no
// StoredCheckpoint as the generated code writes it stay as they are.
absl::string_view WithoutReceipt(absl::string_view stored);

// Never fails: what cannot be read is found by who reads it. Thread-safe.
std::shared_ptr<rocksdb::MergeOperator> NewReceiptMerge();

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_RECEIPT_MERGE_H_
