#include "services/window_hash/window_hash_service.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/crypto/sha256.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "google/protobuf/unknown_field_set.h"
#include "services/window_hash/service_requests.h"

namespace windproof {
namespace {

// Of a payload: small enough to stay in a processor's cache on its way from
// here to whoever looks at it, while the next one is read.
constexpr size_t kChunkBytes = size_t{256} << 10;

// Puts the stored bytes of a payload where its message goes. On the wire they
// are the same; made into messages, only to be written out again, a page of
// small records would cost several times as much.
void SetPayload(std::string bytes, v1::Window* window) {
  *v1::Window::GetReflection()
       ->MutableUnknownFields(window)
       ->AddLengthDelimited(v1::Window::kPayloadFieldNumber) = std::move(bytes);
}

std::string TextOf(const WindowName& name, std::optional<int64_t> revision) {
  if (!revision.has_value()) return WindowText(name);
  return absl::StrCat(WindowText(name), " revision ", *revision);
}

}  // namespace

absl::StatusOr<const PipelineSpec*> WindowHashServiceImpl::FindSpec(
    absl::string_view name, absl::string_view field) const {
  std::vector<absl::string_view> names;
  for (const PipelineSpec& spec : specs_) {
    if (spec.name == name) return &spec;
    names.push_back(spec.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is '", absl::CHexEscape(name.substr(0, 64)),
                   "'; the pipelines here are: ", absl::StrJoin(names, ", ")));
}

bool WindowHashServiceImpl::Has(const WindowKey& window) const {
  return partitions_.Has(
      {.pipeline = window.pipeline, .source = window.source});
}

absl::StatusOr<WindowKey> WindowHashServiceImpl::FindWindow(
    const v1::WindowId& id, std::optional<int64_t> revision) {
  const absl::StatusOr<WindowName> name = FromProto(id);
  if (!name.ok()) return name.status();
  const absl::StatusOr<const PipelineSpec*> spec =
      FindSpec(name->pipeline, "window.pipeline");
  if (!spec.ok()) return spec.status();
  if (name->start_ms % (*spec)->window_ms != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("window.start of ", WindowText(*name),
                     " is no start of a window; whole multiples of ",
                     (*spec)->window_ms, " ms since the epoch are accepted"));
  }
  if (revision.value_or(0) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("revision is ", *revision, "; 0 and up are accepted"));
  }

  const absl::StatusOr<std::vector<WindowKey>> revisions =
      store_.Revisions(name->pipeline, name->key, name->start_ms);
  if (!revisions.ok()) return revisions.status();
  int64_t wanted = 0;
  for (const WindowKey& window : *revisions) {
    if (Has(window)) wanted = window.revision;
  }
  wanted = revision.value_or(wanted);
  std::optional<WindowKey> found;
  for (const WindowKey& window : *revisions) {
    if (window.revision != wanted || !Has(window)) continue;
    // A key that comes from two partitions: the one that was anchored counts.
    const absl::StatusOr<store::v1::StoredCheckpoint> stored =
        store_.ReadCheckpoint(window);
    if (!found.has_value() ||
        (stored.ok() && stored->receipt().state() == v1::Receipt::ANCHORED)) {
      found = window;
    }
  }
  if (found.has_value()) return *std::move(found);
  const absl::StatusOr<bool> open =
      partitions_.IsOpen(name->pipeline, name->key, name->start_ms);
  if (!open.ok()) return open.status();
  if (*open) {
    return absl::FailedPreconditionError(
        absl::StrCat("window ", WindowText(*name), " is still open"));
  }
  return absl::NotFoundError(
      absl::StrCat("no window ", TextOf(*name, revision)));
}

grpc::Status WindowHashServiceImpl::GetWindow(
    grpc::ServerContext*, const v1::GetWindowRequest* request,
    v1::Window* response) {
  const absl::StatusOr<WindowKey> window = FindWindow(
      request->window(), request->has_revision()
                             ? std::optional<int64_t>(request->revision())
                             : std::nullopt);
  if (!window.ok()) return ToGrpcStatus(window.status());
  absl::StatusOr<store::v1::StoredCheckpoint> stored =
      store_.ReadCheckpoint(*window);
  if (!stored.ok()) return ToGrpcStatus(stored.status());
  *response = DescribeWindow(*window, **FindSpec(window->pipeline, ""));
  MoveCheckpoint(*std::move(stored), response);
  return grpc::Status::OK;
}

grpc::Status WindowHashServiceImpl::ListWindows(
    grpc::ServerContext*, const v1::ListWindowsRequest* request,
    v1::ListWindowsResponse* response) {
  return ToGrpcStatus(List(*request, response));
}

absl::Status WindowHashServiceImpl::List(const v1::ListWindowsRequest& request,
                                         v1::ListWindowsResponse* response) {
  const absl::StatusOr<const PipelineSpec*> spec =
      FindSpec(request.pipeline(), "pipeline");
  if (!spec.ok()) return spec.status();
  const absl::StatusOr<int> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  const absl::StatusOr<WindowRange> range = RangeOf(request);
  if (!range.ok()) return range.status();
  const absl::StatusOr<std::string> after =
      WindowPageStart(*range, request.page_token());
  if (!after.ok()) return after.status();

  size_t bytes = 0;
  std::string last;
  return store_.ListWindows(
      *range, *after,
      [&](const WindowKey& key,
          absl::string_view value) -> absl::StatusOr<bool> {
        if (!Has(key)) return true;
        if (response->windows_size() == *page_size) {
          response->set_next_page_token(PageToken(last));
          return false;
        }
        v1::Window window = DescribeWindow(key, **spec);
        store::v1::StoredCheckpoint stored;
        if (stored.ParseFromArray(value.data(),
                                  static_cast<int>(value.size()))) {
          MoveCheckpoint(std::move(stored), &window);
        }
        if (request.include_payload()) {
          absl::StatusOr<std::string> payload = store_.ReadPayloadBytes(key);
          if (payload.ok() && payload->size() < kPageBytes) {
            SetPayload(*std::move(payload), &window);
          }
        }
        const size_t size = window.ByteSizeLong();
        if (bytes + size > kPageBytes && response->windows_size() > 0) {
          response->set_next_page_token(PageToken(last));
          return false;
        }
        bytes += size;
        last = EncodeWindowKey(key);
        response->mutable_windows()->Add(std::move(window));
        return true;
      });
}

grpc::Status WindowHashServiceImpl::GetWindowPayload(
    grpc::ServerContext*, const v1::GetWindowPayloadRequest* request,
    grpc::ServerWriter<v1::GetWindowPayloadResponse>* writer) {
  const absl::StatusOr<WindowKey> window = FindWindow(
      request->window(), request->has_revision()
                             ? std::optional<int64_t>(request->revision())
                             : std::nullopt);
  if (!window.ok()) return ToGrpcStatus(window.status());

  // Part of a payload is a chunk as it is: the same field with the same number.
  // Each is read into the memory of the one before.
  v1::GetWindowPayloadResponse chunk;
  bool written = true;
  const absl::Status read = store_.VisitPayload(
      *window, kChunkBytes,
      [&](absl::string_view part) -> absl::StatusOr<bool> {
        if (!chunk.ParseFromArray(part.data(), static_cast<int>(part.size()))) {
          return absl::DataLossError(
              "a stored record is no windproof.v1.PayloadRecord message");
        }
        written = writer->Write(chunk);
        return written;
      });
  if (!written) return grpc::Status::CANCELLED;
  return ToGrpcStatus(read);
}

grpc::Status WindowHashServiceImpl::ListDroppedRecords(
    grpc::ServerContext*, const v1::ListDroppedRecordsRequest* request,
    v1::ListDroppedRecordsResponse* response) {
  return ToGrpcStatus(ListDropped(*request, response));
}

absl::Status WindowHashServiceImpl::ListDropped(
    const v1::ListDroppedRecordsRequest& request,
    v1::ListDroppedRecordsResponse* response) {
  const absl::StatusOr<const PipelineSpec*> spec =
      FindSpec(request.pipeline(), "pipeline");
  if (!spec.ok()) return spec.status();
  const absl::Status key = CheckKeyField(request.key(), /*required=*/true);
  if (!key.ok()) return key;
  const absl::StatusOr<int> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  int64_t begin = request.offset_begin();
  int64_t end = request.offset_end();
  if (begin == 0 && end == 0) end = std::numeric_limits<int64_t>::max();
  if (begin < 0 || end < begin) {
    return absl::InvalidArgumentError(absl::StrCat(
        "offset_begin is ", begin, " and offset_end ", end,
        "; 0 <= offset_begin <= offset_end is accepted, 0 and 0 for all"));
  }
  const absl::StatusOr<std::optional<KeyedNumber>> after =
      DropPageStart(request.pipeline(), request.key(), request.page_token());
  if (!after.ok()) return after.status();

  PipelineSource source{.pipeline = request.pipeline()};
  if (request.has_source()) {
    source.source = {.topic = request.source().topic(),
                     .partition = request.source().partition()};
    if (!IsStorableName(source.source.topic)) {
      return absl::InvalidArgumentError(
          "source.topic is empty or has a zero byte; a topic's name is "
          "accepted");
    }
  } else if (after->has_value()) {
    source = (*after)->source;
  } else {
    absl::StatusOr<std::vector<TopicPartition>> sources =
        store_.DropSources(request.pipeline(), request.key());
    if (!sources.ok()) return sources.status();
    std::erase_if(*sources, [&](const TopicPartition& entry) {
      return !partitions_.Has({.pipeline = source.pipeline, .source = entry});
    });
    if (sources->empty()) return absl::OkStatus();
    if (sources->size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          "source is absent; key ", request.key(),
          " has dropped records from several partitions, one of which is "
          "accepted: ",
          absl::StrJoin(*sources, ", ",
                        [](std::string* out, const TopicPartition& entry) {
                          absl::StrAppend(out, entry.topic, "/",
                                          entry.partition);
                        })));
    }
    source.source = sources->front();
  }
  if (after->has_value()) {
    if ((*after)->source != source) {
      return absl::InvalidArgumentError(
          "page_token is of another source; next_page_token of a response to "
          "the same request is accepted");
    }
    // The largest offset has none after it.
    if ((*after)->number >= end - 1) return absl::OkStatus();
    begin = std::max(begin, (*after)->number + 1);
  }

  if (!partitions_.Has(source)) return absl::OkStatus();
  size_t bytes = 0;
  int64_t last = 0;
  return store_.ListDrops(
      source, request.key(), begin, end,
      [&](int64_t offset,
          const store::v1::StoredDrop& drop) -> absl::StatusOr<bool> {
        if (response->records_size() == *page_size ||
            (bytes + drop.raw().size() > kPageBytes &&
             response->records_size() > 0)) {
          response->set_next_page_token(
              PageToken(EncodeKeyedNumber(source, request.key(), last)));
          return false;
        }
        absl::StatusOr<v1::DroppedRecord> record = DescribeDrop(offset, drop);
        if (!record.ok()) return record.status();
        bytes += record->ByteSizeLong();
        last = offset;
        *response->add_records() = *std::move(record);
        return true;
      });
}

grpc::Status WindowHashServiceImpl::GetProgress(
    grpc::ServerContext*, const v1::GetProgressRequest* request,
    v1::GetProgressResponse* response) {
  if (!request->pipeline().empty()) {
    const absl::StatusOr<const PipelineSpec*> spec =
        FindSpec(request->pipeline(), "pipeline");
    if (!spec.ok()) return ToGrpcStatus(spec.status());
    return ToGrpcStatus(Progress(**spec, response->add_pipelines()));
  }
  for (const PipelineSpec& spec : specs_) {
    const absl::Status status = Progress(spec, response->add_pipelines());
    if (!status.ok()) return ToGrpcStatus(status);
  }
  return grpc::Status::OK;
}

absl::Status WindowHashServiceImpl::Progress(const PipelineSpec& spec,
                                             v1::PipelineProgress* response) {
  response->set_name(spec.name);
  response->set_canonical_spec(CanonicalSpec(spec));
  response->set_spec_sha256(std::string(BytesOf(SpecHash(spec))));
  const absl::StatusOr<std::vector<PartitionProgress>> partitions =
      partitions_.Partitions(spec.name);
  if (!partitions.ok()) return partitions.status();
  int64_t checkpoints = 0;
  for (const PartitionProgress& progress : *partitions) {
    const PartitionStatus& status = progress.status;
    v1::PartitionProgress* entry = response->add_partitions();
    entry->set_topic(status.source.source.topic);
    entry->set_partition(status.source.source.partition);
    entry->set_origin(status.state.origin);
    entry->set_position(status.state.position);
    entry->set_log_end(progress.log_end);
    entry->set_low_water(status.state.low_water);
    entry->set_open_windows(status.open_windows);
    entry->set_keys(status.keys);
    entry->set_error(std::string(status.error.message()));
    if (progress.restoring) {
      entry->mutable_restoring()->set_position(progress.changelog_position);
      entry->mutable_restoring()->set_end(progress.changelog_end);
    }
    checkpoints += status.checkpoints;
  }
  response->set_checkpoints(checkpoints);
  // After the positions: a position that counts a window is seen with the
  // outbox that holds its checkpoint.
  response->set_outbox(partitions_.OutboxSize(spec.name));
  response->set_outbox_error(
      std::string(partitions_.OutboxProblem(spec.name).message()));
  return absl::OkStatus();
}

}  // namespace windproof
