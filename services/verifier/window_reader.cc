#include "services/verifier/window_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/server/grpc_status.h"

namespace windproof {
namespace {

constexpr int32_t kPageSize = 1000;

absl::Status FromWindowHash(const grpc::Status& status) {
  const absl::Status converted = FromGrpcStatus(status);
  return absl::Status(converted.code(),
                      absl::StrCat("window-hash: ", converted.message()));
}

LogRecord ViewOf(const v1::LogRecord& record) {
  LogRecord view;
  view.offset = record.offset();
  view.log_time_ms = record.log_time_ms();
  if (record.has_key()) view.key = record.key();
  if (record.has_value()) view.value = record.value();
  view.headers.reserve(record.headers_size());
  for (const v1::Header& header : record.headers()) {
    LogRecord::Header& header_view = view.headers.emplace_back();
    header_view.name = header.name();
    if (header.has_value()) header_view.value = header.value();
  }
  return view;
}

std::optional<DropReason> ReasonOf(v1::DroppedRecord::Reason reason) {
  switch (reason) {
    case v1::DroppedRecord::DUPLICATE:
      return DropReason::kDuplicate;
    case v1::DroppedRecord::CONFLICT:
      return DropReason::kConflict;
    case v1::DroppedRecord::LATE:
      return DropReason::kLate;
    case v1::DroppedRecord::INVALID:
      return DropReason::kInvalid;
    default:
      return std::nullopt;
  }
}

}  // namespace

ServedWindows::ServedWindows(const Peers& peers, absl::string_view pipeline,
                             absl::string_view key, const StartRange& range)
    : peers_(peers) {
  request_.set_pipeline(std::string(pipeline));
  request_.set_key(std::string(key));
  if (range.start_ms.has_value()) {
    *request_.mutable_start_time() = ToProtoMillis(*range.start_ms);
  }
  if (range.end_ms.has_value()) {
    *request_.mutable_end_time() = ToProtoMillis(*range.end_ms);
  }
  request_.set_page_size(kPageSize);
  request_.set_include_payload(true);
}

bool ServedWindows::Fill() {
  while (next_ == page_.windows_size()) {
    if (at_end_ || !status_.ok()) return false;
    page_.Clear();
    next_ = 0;
    const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
    const grpc::Status status =
        peers_.window_hash.ListWindows(context.get(), request_, &page_);
    if (!status.ok()) {
      page_.Clear();
      status_ = FromWindowHash(status);
      return false;
    }
    if (page_.next_page_token().empty()) {
      at_end_ = true;
    } else if (page_.next_page_token() == request_.page_token()) {
      status_ = absl::DataLossError("window-hash: its list has no end");
      return false;
    }
    request_.set_page_token(page_.next_page_token());
  }
  return true;
}

const v1::Window* ServedWindows::Peek() {
  if (!Fill()) return nullptr;
  const v1::Window& window = page_.windows(next_);
  if (checked_) return &window;

  absl::StatusOr<WindowName> name = FromProto(window.id());
  if (!name.ok()) {
    status_ = absl::DataLossError(absl::StrCat(
        "window-hash: lists what is no window: ", name.status().message()));
  } else {
    std::pair<WindowName, int64_t> at(*name, window.revision());
    if (last_.has_value() && !(*last_ < at)) {
      status_ = absl::DataLossError(
          absl::StrCat("window-hash: lists ", WindowText(*name), " revision ",
                       window.revision(), " out of order"));
    } else {
      name_ = *std::move(name);
      last_ = std::move(at);
      checked_ = true;
      return &window;
    }
  }
  next_ = page_.windows_size();
  return nullptr;
}

v1::Window ServedWindows::Take() {
  checked_ = false;
  return std::move(*page_.mutable_windows(next_++));
}

std::vector<ServedRecord> ViewRecords(const v1::WindowPayload& payload) {
  std::vector<ServedRecord> records;
  records.reserve(payload.records_size());
  for (const v1::PayloadRecord& record : payload.records()) {
    records.push_back(
        {record.offset(), record.canonical(), record.leaf_hash()});
  }
  return records;
}

absl::StatusOr<v1::WindowPayload> ReadPayload(const Peers& peers,
                                              const WindowName& window,
                                              int64_t revision,
                                              int64_t max_records) {
  v1::GetWindowPayloadRequest request;
  *request.mutable_window() = ToProto(window);
  request.set_revision(revision);
  const std::unique_ptr<grpc::ClientContext> context = peers.new_context();
  const std::unique_ptr<
      grpc::ClientReaderInterface<v1::GetWindowPayloadResponse>>
      reader = peers.window_hash.GetWindowPayload(context.get(), request);
  v1::WindowPayload payload;
  v1::GetWindowPayloadResponse chunk;
  bool enough = false;
  while (!enough && reader->Read(&chunk)) {
    for (v1::PayloadRecord& record : *chunk.mutable_records()) {
      *payload.add_records() = std::move(record);
    }
    enough = payload.records_size() > max_records;
  }
  if (enough) context->TryCancel();
  const grpc::Status status = reader->Finish();
  if (!enough && !status.ok()) return FromWindowHash(status);
  return payload;
}

absl::Status ReadDropped(
    const Peers& peers, absl::string_view pipeline, absl::string_view key,
    const Checkpoint& source, int64_t begin, int64_t end,
    const std::function<void(const ServedDropped& dropped)>& take) {
  v1::ListDroppedRecordsRequest request;
  request.set_pipeline(std::string(pipeline));
  request.set_key(std::string(key));
  request.mutable_source()->set_topic(source.topic);
  request.mutable_source()->set_partition(source.partition);
  request.set_offset_begin(begin);
  request.set_offset_end(end);
  request.set_page_size(kPageSize);
  do {
    v1::ListDroppedRecordsResponse page;
    const std::unique_ptr<grpc::ClientContext> context = peers.new_context();
    const grpc::Status status =
        peers.window_hash.ListDroppedRecords(context.get(), request, &page);
    if (!status.ok()) return FromWindowHash(status);
    for (const v1::DroppedRecord& dropped : page.records()) {
      ServedDropped view;
      view.record = ViewOf(dropped.record());
      view.reason = ReasonOf(dropped.reason());
      view.record_sha256 = dropped.record_sha256();
      take(view);
    }
    if (!page.next_page_token().empty() &&
        page.next_page_token() == request.page_token()) {
      return absl::DataLossError(
          "window-hash: its list of dropped records has no end");
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace windproof
