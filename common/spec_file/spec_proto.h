// A pipeline spec as a message and as the proto-JSON text that people write.
//
// Source: proto/windproof/v1/pipeline.proto; the proto3 JSON mapping.
// Pure, but kept out of the pure part, which knows no protobuf. Safe from any
// thread.
#ifndef WINDPROOF_COMMON_SPEC_FILE_SPEC_PROTO_H_
#define WINDPROOF_COMMON_SPEC_FILE_SPEC_PROTO_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "proto/windproof/v1/pipeline.pb.h"

namespace windproof {

v1::PipelineSpec ToProto(const PipelineSpec& spec);

// The spec, validated. InvalidArgument names the field, its value and what is
// accepted; a required field that is missing too.
absl::StatusOr<PipelineSpec> FromProto(const v1::PipelineSpec& message);

// Reads strict JSON, field names as in the message or in lowerCamelCase, enum
// names in upper or lower case. InvalidArgument names what is wrong: the JSON,
// a field that does not exist or is there twice, a wrong type, a rule.
absl::StatusOr<PipelineSpec> SpecFromProtoJson(absl::string_view json);

// Indented JSON for people, field names as in the message, every rule written
// out; SpecFromProtoJson reads it back.
std::string SpecToProtoJson(const PipelineSpec& spec);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SPEC_FILE_SPEC_PROTO_H_
