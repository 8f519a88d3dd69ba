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

// As many as are looked at while they are in the cache nearest to a processor.
constexpr size_t kRecordsAtOnce = 64;

void HandOver(
    const google::protobuf::RepeatedPtrField<v1::PayloadRecord>& records,
    absl::FunctionRef<void(absl::Span<const ServedRecord>)> take) {
  std::vector<ServedRecord> views;
  views.reserve(kRecordsAtOnce);
  for (const v1::PayloadRecord& record : records) {
    views.push_back({record.offset(), record.canonical(), record.leaf_hash()});
    if (views.size() < kRecordsAtOnce) continue;
    take(views);
    views.clear();
  }
  if (!views.empty()) take(views);
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
  while (next_ == windows()) {
    if (at_end_ || !status_.ok()) return false;
    // Cleared it keeps its memory, which for many small records is most of the
    // work of reading them.
    if (page_ == nullptr || page_.use_count() > 1) {
      page_ = std::make_shared<Page>();
    }
    page_->response->Clear();
    next_ = 0;
    const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
    const grpc::Status status = peers_.window_hash.ListWindows(
        context.get(), request_, page_->response);
    if (!status.ok()) {
      page_->response->Clear();
      status_ = FromWindowHash(status);
      return false;
    }
    if (page_->response->next_page_token().empty()) {
      at_end_ = true;
    } else if (page_->response->next_page_token() == request_.page_token()) {
      status_ = absl::DataLossError("window-hash: its list has no end");
      return false;
    }
    request_.set_page_token(page_->response->next_page_token());
  }
  return true;
}

const v1::Window* ServedWindows::Peek() {
  if (!Fill()) return nullptr;
  const v1::Window& window = page_->response->windows(next_);
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
  next_ = windows();
  return nullptr;
}

ServedWindow ServedWindows::Take() {
  checked_ = false;
  return ServedWindow(page_, &page_->response->windows(next_++));
}

ServedProgress::ServedProgress(const Peers& peers, absl::string_view pipeline)
    : peers_(peers), pipeline_(pipeline) {}

const absl::StatusOr<v1::GetProgressResponse>& ServedProgress::Get() {
  if (answer_.has_value()) return *answer_;
  v1::GetProgressRequest request;
  request.set_pipeline(pipeline_);
  v1::GetProgressResponse response;
  const std::unique_ptr<grpc::ClientContext> context = peers_.new_context();
  const grpc::Status status =
      peers_.window_hash.GetProgress(context.get(), request, &response);
  if (status.ok()) {
    answer_ = std::move(response);
  } else {
    answer_ = FromWindowHash(status);
  }
  return *answer_;
}

absl::Status ReadRecords(
    const Peers& peers, const WindowName& window, const v1::Window& served,
    int64_t max_records,
    absl::FunctionRef<void(absl::Span<const ServedRecord>)> take) {
  if (served.has_payload()) {
    HandOver(served.payload().records(), take);
    return absl::OkStatus();
  }

  v1::GetWindowPayloadRequest request;
  *request.mutable_window() = ToProto(window);
  request.set_revision(served.revision());
  const std::unique_ptr<grpc::ClientContext> context = peers.new_context();
  const std::unique_ptr<
      grpc::ClientReaderInterface<v1::GetWindowPayloadResponse>>
      reader = peers.window_hash.GetWindowPayload(context.get(), request);
  // One chunk is read into the memory of the one before.
  v1::GetWindowPayloadResponse chunk;
  int64_t records = 0;
  while (records <= max_records && reader->Read(&chunk)) {
    HandOver(chunk.records(), take);
    records += chunk.records_size();
  }
  if (records > max_records) {
    context->TryCancel();
    // The status is that of the cancellation, which says nothing.
    (void)reader->Finish();
    return absl::OkStatus();
  }
  const grpc::Status status = reader->Finish();
  return status.ok() ? absl::OkStatus() : FromWindowHash(status);
}

absl::StatusOr<KeptRecords> KeepRecords(const Peers& peers,
                                        const WindowName& window,
                                        const v1::Window& served,
                                        int64_t max_records) {
  KeptRecords kept;
  const auto keep = [&kept](absl::string_view bytes) -> absl::string_view {
    return kept.bytes.emplace_back(bytes);
  };
  const absl::Status read = ReadRecords(
      peers, window, served, max_records,
      [&](absl::Span<const ServedRecord> records) {
        for (const ServedRecord& record : records) {
          kept.records.push_back(
              {record.offset, keep(record.canonical), keep(record.leaf_hash)});
        }
      });
  if (!read.ok()) return read;
  return kept;
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
