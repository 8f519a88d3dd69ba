#include "services/verifier/testing/world.h"

#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/merkle/proof.h"
#include "common/merkle/tree.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "google/protobuf/unknown_field_set.h"
#include "services/anchor/ledger_entry.h"

namespace windproof {
namespace {

constexpr char kTopic[] = "test.a";
constexpr char kProducer[] = "windproof/producer-test";
constexpr char kLedger[] = "windproof/ledger-test";

OwnedRecord Value(int64_t offset, int64_t second, absl::string_view rest) {
  OwnedRecord record;
  record.offset = offset;
  record.log_time_ms = World::kBaseMs + 3'600'000;
  record.key = World::kKey;
  record.value = absl::StrCat(
      "{\"station\":\"a\",\"time\":\"",
      FormatTimestamp(TimestampFromMillis(World::kBaseMs + second * 1000)),
      "\"", rest, "}");
  return record;
}

OwnedRecord Control(int64_t offset, int64_t second) {
  OwnedRecord record = Value(offset, second, "");
  record.value =
      FormatTimestamp(TimestampFromMillis(World::kBaseMs + second * 1000));
  record.headers = {
      {std::string(kControlHeader), std::string(kControlWatermark)}};
  return record;
}

// Windows of a minute: 12:00, 12:01, none at 12:02, 12:03, 12:04.
std::vector<OwnedRecord> SmallLog() {
  std::vector<OwnedRecord> log = {
      Value(0, 0, ",\"t\":3.1"),
      Value(1, 20, ",\"t\":3.9,\"unknown\":true"),
      Value(2, 10, ",\"t\":3.45"),
      Value(3, 20, ",\"t\":3.90"),  // duplicate of 1
      Value(4, 0, ",\"t\":3.2"),    // conflict with 0
      Value(5, 30, ",\"t\":\"not a number\""),
      Value(6, 5, ""),
      Value(8, 65, ",\"t\":4"),
      Value(9, 75, ",\"t\":5"),    // closes 12:00
      Value(10, 40, ",\"t\":-1"),  // late for 12:00
      Value(11, 80, ",\"t\":6.25"),
      Value(12, 185, ",\"t\":7"),  // closes 12:01
      Value(13, 190, ",\"t\":8"),
      Value(14, 250, ",\"t\":9"),  // closes 12:03
      Control(15, 400),            // closes 12:04
  };
  log[6].value = "no JSON";  // invalid
  return log;
}

v1::DroppedRecord::Reason ReasonOf(DropReason reason) {
  switch (reason) {
    case DropReason::kDuplicate:
      return v1::DroppedRecord::DUPLICATE;
    case DropReason::kConflict:
      return v1::DroppedRecord::CONFLICT;
    case DropReason::kLate:
      return v1::DroppedRecord::LATE;
    case DropReason::kInvalid:
      break;
  }
  return v1::DroppedRecord::INVALID;
}

bool Less(const v1::Window& a, const v1::Window& b) {
  const auto order = [](const v1::Window& w) {
    return std::make_tuple(w.id().key(), w.id().start().seconds(),
                           w.id().start().nanos(), w.revision());
  };
  return order(a) < order(b);
}

}  // namespace

// Serves `items`, in pages.
class World::Anchor final : public v1::AnchorService::Service {
 public:
  explicit Anchor(const World& world) : world_(world) {}

  grpc::Status GetCheckpoint(grpc::ServerContext*,
                             const v1::GetCheckpointRequest* request,
                             v1::GetCheckpointResponse* response) override {
    if (world_.anchor_down) return Down();
    const std::string key = WindowText(*FromProto(request->window()));
    for (const v1::LedgerItem& item : world_.items) {
      if (std::count(item.keys().begin(), item.keys().end(), key) > 0) {
        *response->add_items() = item;
      }
    }
    if (response->items_size() == 0) {
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "none");
    }
    AddHeads(response);
    return grpc::Status::OK;
  }

  grpc::Status ListCheckpoints(grpc::ServerContext*,
                               const v1::ListCheckpointsRequest* request,
                               v1::ListCheckpointsResponse* response) override {
    if (world_.anchor_down) return Down();
    const std::string key =
        absl::StrCat(request->pipeline(), "/", request->key());
    size_t i =
        request->page_token().empty() ? 0 : std::stoul(request->page_token());
    for (; i < world_.items.size(); ++i) {
      const v1::LedgerItem& item = world_.items[i];
      if (!request->key().empty() &&
          std::count(item.keys().begin(), item.keys().end(), key) == 0) {
        continue;
      }
      if (response->items_size() == world_.page_size) {
        response->set_next_page_token(absl::StrCat(i));
        break;
      }
      *response->add_items() = item;
    }
    AddHeads(response);
    return grpc::Status::OK;
  }

  grpc::Status GetConsistencyProof(
      grpc::ServerContext*, const v1::GetConsistencyProofRequest* request,
      v1::GetConsistencyProofResponse* response) override {
    if (!world_.proves_consistency) return Down();
    std::vector<Digest> leaves;
    for (const v1::LedgerItem& item : world_.items) {
      leaves.push_back(LedgerEntryHash(item.entry()));
    }
    if (request->second_size() > static_cast<int64_t>(leaves.size())) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no such size");
    }
    leaves.resize(request->second_size());
    const auto proof = ProveConsistency(leaves, request->first_size());
    for (const Digest& node : proof->nodes) {
      response->add_nodes(std::string(BytesOf(node)));
    }
    return grpc::Status::OK;
  }

 private:
  template <typename Response>
  void AddHeads(Response* response) {
    if (world_.head_there) *response->mutable_head() = world_.head;
    for (const v1::LedgerHead& head : world_.conflicts) {
      *response->add_conflicts() = head;
    }
  }

  static grpc::Status Down() {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the anchor is away");
  }

  const World& world_;
};

// Serves `windows`, `dropped` and `progress`.
class World::WindowHash final : public v1::WindowHashService::Service {
 public:
  explicit WindowHash(const World& world) : world_(world) {}

  grpc::Status GetWindow(grpc::ServerContext*, const v1::GetWindowRequest*,
                         v1::Window*) override {
    if (world_.window_hash_down) return Down();
    return grpc::Status(world_.no_window, "it is not closed");
  }

  grpc::Status ListWindows(grpc::ServerContext*,
                           const v1::ListWindowsRequest* request,
                           v1::ListWindowsResponse* response) override {
    if (world_.window_hash_down) return Down();
    size_t i =
        request->page_token().empty() ? 0 : std::stoul(request->page_token());
    for (; i < world_.windows.size(); ++i) {
      const v1::Window& window = world_.windows[i];
      const int64_t start = *MillisFromProto(window.id().start(), "start");
      if (!request->key().empty() && window.id().key() != request->key()) {
        continue;
      }
      if (request->has_start_time() &&
          start < *MillisFromProto(request->start_time(), "start_time")) {
        continue;
      }
      if (request->has_end_time() &&
          start >= *MillisFromProto(request->end_time(), "end_time")) {
        continue;
      }
      if (response->windows_size() == world_.page_size) {
        response->set_next_page_token(absl::StrCat(i));
        break;
      }
      v1::Window* listed = response->add_windows();
      *listed->mutable_id() = window.id();
      *listed->mutable_end() = window.end();
      listed->set_revision(window.revision());
      *listed->mutable_checkpoint() = window.checkpoint();
      *listed->mutable_receipt() = window.receipt();
      if (world_.payload_in_lists && window.has_payload()) {
        // As the real one: bytes, which on the wire are the message.
        window.payload().SerializeToString(
            v1::Window::GetReflection()
                ->MutableUnknownFields(listed)
                ->AddLengthDelimited(v1::Window::kPayloadFieldNumber));
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status GetWindowPayload(
      grpc::ServerContext*, const v1::GetWindowPayloadRequest* request,
      grpc::ServerWriter<v1::GetWindowPayloadResponse>* writer) override {
    if (world_.window_hash_down) return Down();
    for (const v1::Window& window : world_.windows) {
      if (window.id().SerializeAsString() !=
              request->window().SerializeAsString() ||
          window.revision() != request->revision() || !window.has_payload()) {
        continue;
      }
      bool lie = world_.first_payload_lies && payloads_served_++ == 0;
      v1::GetWindowPayloadResponse chunk;
      for (const v1::PayloadRecord& record : window.payload().records()) {
        *chunk.add_records() = record;
        if (std::exchange(lie, false)) {
          chunk.mutable_records(0)->mutable_canonical()->append(" ");
        }
        if (chunk.records_size() < world_.chunk_size) continue;
        writer->Write(chunk);
        chunk.Clear();
      }
      if (chunk.records_size() > 0) writer->Write(chunk);
      return grpc::Status::OK;
    }
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such payload");
  }

  grpc::Status ListDroppedRecords(
      grpc::ServerContext*, const v1::ListDroppedRecordsRequest* request,
      v1::ListDroppedRecordsResponse* response) override {
    if (world_.window_hash_down) return Down();
    size_t i =
        request->page_token().empty() ? 0 : std::stoul(request->page_token());
    for (; i < world_.dropped.size(); ++i) {
      const v1::DroppedRecord& dropped = world_.dropped[i];
      const int64_t offset = dropped.record().offset();
      if (world_.dropped_keys_[i] != request->key() ||
          offset < request->offset_begin() || offset >= request->offset_end()) {
        continue;
      }
      if (response->records_size() == world_.page_size) {
        response->set_next_page_token(absl::StrCat(i));
        break;
      }
      *response->add_records() = dropped;
    }
    return grpc::Status::OK;
  }

  grpc::Status GetProgress(grpc::ServerContext*, const v1::GetProgressRequest*,
                           v1::GetProgressResponse* response) override {
    if (world_.window_hash_down) return Down();
    *response = world_.progress;
    return grpc::Status::OK;
  }

 private:
  static grpc::Status Down() {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "window-hash is away");
  }

  const World& world_;
  std::atomic<int> payloads_served_ = 0;
};

PipelineSpec World::TestSpec() {
  PipelineSpec spec;
  spec.name = "test";
  spec.topics = {kTopic};
  spec.key_field = "station";
  spec.timestamp_field = "time";
  spec.fields = {{"t", FieldType::kNumber}};
  spec.aggregated = {"t"};
  spec.window_ms = 60'000;
  spec.grace_ms = 10'000;
  return spec;
}

World::World(PipelineSpec spec)
    : World(std::move(spec), kTopic, 0, 0, SmallLog()) {}

World::World(PipelineSpec spec, std::string topic, int32_t partition,
             int64_t origin, std::vector<OwnedRecord> log)
    : log(std::move(log)),
      trust{
          "embedded",
          MakeVerifierKey(kLedger, Ed25519PrivateKey::Generate()->PublicKey()),
          {}},
      spec_(std::move(spec)),
      topic_(std::move(topic)),
      partition_(partition),
      origin_(origin),
      producer_(*Ed25519PrivateKey::Generate()),
      ledger_(*Ed25519PrivateKey::Generate()) {
  trust.ledger = MakeVerifierKey(kLedger, ledger_.PublicKey());
  trust.producers = {MakeVerifierKey(kProducer, producer_.PublicKey())};
  configured = {spec_};
  RunEngine();
  Publish();
}

World::~World() {
  if (server_ != nullptr) server_->Shutdown();
  if (peers_ != nullptr) peers_->Shutdown();
}

void World::RunEngine() {
  EngineRun run(spec_, topic_, partition_, origin_);
  const absl::Status fed = run.Feed(log);
  if (!fed.ok()) abort();
  run.Commit();
  written = run.written();
  reasons_ = run.dropped();
}

void World::Relink() {
  std::map<std::string, Digest> prev;
  std::map<std::pair<std::string, int64_t>, Digest> revisions;
  for (WrittenWindow& window : written) {
    Checkpoint& checkpoint = window.checkpoint;
    checkpoint.prev = prev[checkpoint.key];
    Digest& revision = revisions[{checkpoint.key, checkpoint.window_start_ms}];
    if (checkpoint.supersedes.has_value()) checkpoint.supersedes = revision;
    window.bytes = EncodeCheckpoint(checkpoint);
    window.checkpoint_hash = Sha256Of(window.bytes);
    prev[checkpoint.key] = window.checkpoint_hash;
    revision = window.checkpoint_hash;
  }
}

void World::AppendItem(absl::string_view checkpoint) {
  const absl::StatusOr<Checkpoint> parsed = ParseCheckpoint(checkpoint);
  const WindowName name =
      parsed.ok()
          ? WindowName{parsed->pipeline, parsed->key, parsed->window_start_ms}
          : WindowName{spec_.name, kKey, kBaseMs};
  v1::LedgerItem item;
  item.set_position(static_cast<int64_t>(items.size()));
  item.add_keys(absl::StrCat(name.pipeline, "/", name.key));
  item.add_keys(WindowText(name));
  item.set_checkpoint(std::string(checkpoint));
  item.set_publisher(kLedger);
  item.set_confirmations(1);
  LedgerEntry entry;
  entry.position = item.position();
  entry.time_ms = kBaseMs;
  entry.publisher = kLedger;
  entry.keys.assign(item.keys().begin(), item.keys().end());
  entry.data = checkpoint;
  entry.signer = kProducer;
  const std::string signature = producer_.Sign(checkpoint);
  entry.signature = signature;
  item.set_entry(EncodeLedgerEntry(entry));
  items.push_back(std::move(item));
}

std::string World::HeadNote(int64_t size, const Digest& root) const {
  TreeHead tree;
  tree.origin = kLedger;
  tree.size = static_cast<uint64_t>(size);
  tree.root = root;
  return *SignNote(FormatTreeHead(tree), kLedger, ledger_);
}

void World::SealLedger() {
  std::vector<Digest> leaves;
  for (v1::LedgerItem& item : items) {
    leaves.push_back(LedgerEntryHash(item.entry()));
    item.set_txid(HexOf(leaves.back()));
  }
  const Digest root = MerkleRoot(leaves);
  head.set_tree_size(static_cast<int64_t>(items.size()));
  head.set_root(std::string(BytesOf(root)));
  head.set_note(HeadNote(head.tree_size(), root));
  for (size_t i = 0; i < items.size(); ++i) {
    const InclusionProof proof = *ProveInclusion(leaves, i);
    v1::LedgerInclusion* inclusion = items[i].mutable_inclusion();
    inclusion->Clear();
    inclusion->set_leaf_index(static_cast<int64_t>(i));
    inclusion->set_tree_size(head.tree_size());
    for (const Digest& sibling : proof.siblings) {
      inclusion->add_siblings(std::string(BytesOf(sibling)));
    }
  }
}

void World::Publish() {
  items.clear();
  windows.clear();
  dropped.clear();
  dropped_keys_.clear();
  for (const WrittenWindow& revision : written) {
    AppendItem(revision.bytes);
    const Checkpoint& checkpoint = revision.checkpoint;
    v1::Window window;
    *window.mutable_id() = MakeWindowId(checkpoint.pipeline, checkpoint.key,
                                        checkpoint.window_start_ms);
    *window.mutable_end() = ToProtoMillis(checkpoint.window_end_ms);
    window.set_revision(checkpoint.revision);
    window.mutable_checkpoint()->set_checkpoint(revision.bytes);
    window.mutable_checkpoint()->set_signature(producer_.Sign(revision.bytes));
    window.mutable_checkpoint()->set_signer(kProducer);
    window.mutable_receipt()->set_state(v1::Receipt::ANCHORED);
    window.mutable_payload();
    for (const WindowRecords::Entry& entry : revision.records.entries) {
      v1::PayloadRecord* record = window.mutable_payload()->add_records();
      record->set_offset(entry.offset);
      record->set_canonical(std::string(revision.records.Canonical(entry)));
      record->set_leaf_hash(std::string(BytesOf(entry.leaf_hash)));
    }
    windows.push_back(std::move(window));
  }
  std::stable_sort(windows.begin(), windows.end(), Less);
  SealLedger();

  for (const auto& [id, reason] : reasons_) {
    for (const OwnedRecord& record : log) {
      if (record.offset != id.second) continue;
      v1::DroppedRecord shown;
      shown.mutable_record()->set_offset(record.offset);
      shown.mutable_record()->set_log_time_ms(record.log_time_ms);
      if (record.key.has_value()) shown.mutable_record()->set_key(*record.key);
      if (record.value.has_value()) {
        shown.mutable_record()->set_value(*record.value);
      }
      for (const auto& [name, value] : record.headers) {
        v1::Header* header = shown.mutable_record()->add_headers();
        header->set_name(name);
        if (value.has_value()) header->set_value(*value);
      }
      shown.set_reason(ReasonOf(reason));
      shown.set_record_sha256(std::string(BytesOf(RecordHash(record.View()))));
      dropped.push_back(std::move(shown));
      dropped_keys_.push_back(id.first);
    }
  }

  progress.Clear();
  v1::PipelineProgress* pipeline = progress.add_pipelines();
  pipeline->set_name(spec_.name);
  pipeline->set_canonical_spec(CanonicalSpec(spec_));
  v1::PartitionProgress* partition = pipeline->add_partitions();
  partition->set_topic(topic_);
  partition->set_partition(partition_);
  partition->set_origin(origin_);
}

void World::Serve() {
  if (server_ != nullptr) return;
  anchor_ = std::make_unique<Anchor>(*this);
  window_hash_ = std::make_unique<WindowHash>(*this);
  grpc::ServerBuilder peers;
  peers.RegisterService(anchor_.get());
  peers.RegisterService(window_hash_.get());
  peers_ = peers.BuildAndStart();

  VerifierModule::Options options;
  options.trust = trust;
  options.specs = configured;
  options.anchor = peers_->InProcessChannel({});
  options.window_hash = peers_->InProcessChannel({});
  options.log = verifier_log;
  module_ = *VerifierModule::Open(std::move(options));
  grpc::ServerBuilder builder;
  builder.RegisterService(module_->service());
  server_ = builder.BuildAndStart();
  client_ = v1::VerifierService::NewStub(server_->InProcessChannel({}));
}

absl::StatusOr<v1::VerifyWindowResponse> World::Verify(absl::string_view key,
                                                       int64_t start_ms,
                                                       bool replay) {
  Serve();
  v1::VerifyWindowRequest request;
  *request.mutable_window() = MakeWindowId(spec_.name, key, start_ms);
  request.set_replay(replay);
  v1::VerifyWindowResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      client_->VerifyWindow(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return response;
}

absl::StatusOr<World::RangeResult> World::VerifyRange(
    const v1::VerifyRangeRequest& request) {
  Serve();
  grpc::ClientContext context;
  const auto reader = client_->VerifyRange(&context, request);
  RangeResult result;
  v1::VerifyRangeResponse response;
  while (reader->Read(&response)) {
    if (response.has_window()) result.windows.push_back(response.window());
    if (response.has_progress()) {
      result.progress.push_back(response.progress());
    }
    if (response.has_totals()) result.totals.push_back(response.totals());
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return FromGrpcStatus(status);
  return result;
}

}  // namespace windproof
