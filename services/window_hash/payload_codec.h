// The records of a window as a windproof.v1.WindowPayload message.
//
// Written by hand: sixty small messages a window, built one by one, would cost
// more than what window-hash does with them. Read with the generated code.
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_CODEC_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_CODEC_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/window_records.h"
#include "proto/windproof/v1/window.pb.h"

namespace windproof {

// Appends the bytes of the message.
void AppendWindowPayload(const WindowRecords& records, std::string* out);

// DataLoss where the bytes are no such message.
absl::StatusOr<v1::WindowPayload> ParseWindowPayload(absl::string_view bytes);

// Whether ParseWindowPayload() would succeed, mostly without making the
// message.
bool IsWindowPayload(absl::string_view bytes);

// Takes the first records off the bytes of such a message: as many whole ones
// as fit into `max_bytes`, at least one. What is returned is such a message,
// too. Nothing where no record begins there.
std::optional<absl::string_view> TakeWholeRecords(size_t max_bytes,
                                                  absl::string_view* bytes);

// DataLoss where a leaf hash has not 32 bytes, or the records together exceed
// what a window can hold.
absl::StatusOr<WindowRecords> WindowRecordsOf(const v1::WindowPayload& payload);

// Both at once, without making the message.
absl::StatusOr<WindowRecords> ParseWindowRecords(absl::string_view bytes);

// Whether these are the records that `checkpoint` is about: their root,
// positions and offsets are computed anew from the canonical bytes, and the
// leaf hashes filled in. DataLoss names what differs.
absl::Status CheckRecords(const Checkpoint& checkpoint, WindowRecords* records);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_CODEC_H_
