#include "services/ingest/publish_failure.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <string>
#include <vector>

#include "common/server/grpc_status.h"
#include "proto/windproof/v1/ingest.pb.h"

namespace windproof {
namespace {

// Peers drop a call whose headers exceed 8 KiB, the message and base64
// included.
constexpr size_t kMaxDetailBytes = 2048;

using google::protobuf::internal::WireFormatLite;

// A google.rpc.Status: code = 1, message = 2, details = 3 (Any). Debian has no
// generated code of it.
std::string RpcStatus(const grpc::Status& status,
                      const google::protobuf::Message& detail) {
  google::protobuf::Any any;
  any.PackFrom(detail);
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  WireFormatLite::WriteInt32(1, status.error_code(), &out);
  // The message is in a header of its own.
  WireFormatLite::WriteBytes(3, any.SerializeAsString(), &out);
  out.Trim();
  return bytes;
}

v1::PublishRecordsResponse Outcome(absl::Span<const AppendedRecord> outcome,
                                   absl::Span<const NewRecord> records) {
  v1::PublishRecordsResponse response;
  for (size_t i = 0; i < outcome.size(); ++i) {
    v1::PublishedRecord* const record = response.add_records();
    record->set_topic(records[i].topic);
    record->set_partition(outcome[i].partition);
    record->set_offset(outcome[i].offset);
    if (outcome[i].offset >= 0) continue;
    const int index = static_cast<int>(i);
    const int ranges = response.not_written_size();
    if (ranges > 0 && response.not_written(ranges - 1).end() == index) {
      response.mutable_not_written(ranges - 1)->set_end(index + 1);
      continue;
    }
    v1::IndexRange* const range = response.add_not_written();
    range->set_begin(index);
    range->set_end(index + 1);
  }
  return response;
}

}  // namespace

grpc::Status PublishFailure(const absl::Status& status,
                            absl::Span<const NewRecord> records) {
  const grpc::Status plain = ToGrpcStatus(status);
  const std::vector<AppendedRecord> outcome = AppendOutcome(status);
  if (outcome.size() != records.size() || outcome.empty()) return plain;
  v1::PublishRecordsResponse response = Outcome(outcome, records);
  std::string details = RpcStatus(plain, response);
  if (details.size() > kMaxDetailBytes) {
    response.clear_records();
    details = RpcStatus(plain, response);
  }
  // Hundreds of ranges: the message has the first ones.
  if (details.size() > kMaxDetailBytes) return plain;
  return grpc::Status(plain.error_code(), plain.error_message(), details);
}

}  // namespace windproof
