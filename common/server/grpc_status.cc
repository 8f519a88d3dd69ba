#include "common/server/grpc_status.h"

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "common/server/utf8.h"

namespace windproof {
namespace {

std::string HeaderText(absl::string_view message) {
  std::string text = MaskInvalidUtf8(message);
  if (text.size() <= kMaxStatusMessageBytes) return text;
  size_t end = 0;
  while (true) {
    const size_t next =
        end + Utf8CharacterLength(absl::string_view(text).substr(end));
    if (next > kMaxStatusMessageBytes) break;
    end = next;
  }
  text.resize(end);
  return text + " [cut]";
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      HeaderText(status.message()));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

}  // namespace windproof
