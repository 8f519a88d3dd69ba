// The engine's state as the messages that are stored of it.
//
// Source: docs/formats/ ("State and restart").
// Reading never trusts what is stored: DataLoss names the field.
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_STATE_CODEC_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_STATE_CODEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/window_engine.h"
#include "proto/windproof/v1/window_hash.pb.h"
#include "services/window_hash/store.pb.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

std::string EncodePartitionState(const PartitionState& state,
                                 int32_t topic_partitions);
absl::StatusOr<PartitionState> DecodePartitionState(absl::string_view bytes);

absl::StatusOr<int32_t> DecodeTopicPartitions(absl::string_view bytes);

std::string EncodeKeyState(const KeyState& state);
absl::StatusOr<KeyState> DecodeKeyState(absl::string_view key,
                                        absl::string_view bytes);

std::string EncodeSpill(const Spill& spill);
absl::StatusOr<Spill> DecodeSpill(const OpenWindowKey& window,
                                  absl::string_view bytes);

v1::DroppedRecord::Reason ToProto(DropReason reason);
absl::StatusOr<DropReason> DropReasonFromStored(int32_t reason);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_STATE_CODEC_H_
