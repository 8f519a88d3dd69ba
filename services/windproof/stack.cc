#include "services/windproof/stack.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/embedded_log.h"
#include "common/server/address.h"
#include "common/server/data_dir.h"
#include "common/server/files.h"
#include "common/server/key_store.h"
#include "common/server/logging.h"
#include "common/server/rpc_server.h"
#include "common/server/run_server.h"
#include "common/server/trust_file.h"
#include "common/spec_file/spec_file.h"
#include "services/anchor/anchor_module.h"
#include "services/ingest/ingest_module.h"
#include "services/ingest/live/dwd_live_options.h"
#include "services/verifier/verifier_module.h"
#include "services/window_hash/window_hash_module.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

// The trust file of a folder whose ledger is elsewhere is made by hand.
absl::Status NoTrustYet(const std::string& path, const std::string& data_dir) {
  return absl::FailedPreconditionError(absl::StrCat(
      path,
      " is missing: with --anchor it must name the ledger's key (the anchor's "
      "DIR/keys/ledger.vkey) and the producer's (",
      data_dir, "/keys/producer.vkey), or --trust another such file"));
}

}  // namespace

// In the order in which they need each other; ended in reverse.
struct Stack::Parts {
  explicit Parts(const Options& options) : options(options) {}

  absl::Status Open();
  absl::Status OpenAnchor();
  absl::Status OpenWindowHash();
  absl::Status OpenIngest();
  absl::Status OpenVerifier();
  absl::StatusOr<TrustConfig> Trust() const;
  std::vector<ServiceModule*> Modules() const;

  const Options options;
  std::vector<PipelineSpec> specs;
  std::unique_ptr<DataDir> dir;
  std::optional<NamedKey> producer;
  std::optional<NamedKey> ledger_key;
  std::unique_ptr<EmbeddedLog> log;
  std::unique_ptr<AnchorModule> anchor;
  std::unique_ptr<RpcServer> anchor_server;  // for window-hash and verifier
  std::shared_ptr<grpc::Channel> anchor_channel;
  std::unique_ptr<WindowHashModule> window_hash;
  std::unique_ptr<RpcServer> window_hash_server;  // for the verifier
  std::unique_ptr<IngestModule> ingest;
  std::unique_ptr<VerifierModule> verifier;
  std::unique_ptr<RpcServer> server;  // for Channel()
};

absl::Status Stack::Parts::Open() {
  // A read-only stack serves what its store knows, without any spec given.
  if (!options.read_only) {
    absl::StatusOr<std::vector<PipelineSpec>> loaded =
        LoadSpecs(options.pipelines);
    if (!loaded.ok()) return loaded.status();
    specs = *std::move(loaded);
  }

  absl::StatusOr<std::unique_ptr<DataDir>> opened =
      DataDir::Open(options.data_dir, options.read_only ? DataDir::Use::kRead
                                                        : DataDir::Use::kWrite);
  if (!opened.ok()) return opened.status();
  dir = *std::move(opened);

  absl::StatusOr<std::unique_ptr<EmbeddedLog>> opened_log = EmbeddedLog::Open(
      {.path = dir->Sub("log"), .read_only = options.read_only});
  if (!opened_log.ok()) return opened_log.status();
  log = *std::move(opened_log);

  absl::Status status = OpenAnchor();
  if (status.ok()) status = OpenWindowHash();
  if (status.ok()) status = OpenIngest();
  if (status.ok()) status = OpenVerifier();
  return status;
}

absl::Status Stack::Parts::OpenAnchor() {
  if (!options.anchor_address.empty()) {
    const absl::StatusOr<Address> address =
        ParseAddress(options.anchor_address);
    if (!address.ok()) return address.status();
    anchor_channel = RpcServer::ChannelTo(address->Text());
    return absl::OkStatus();
  }
  AnchorModule::Options anchor_options{
      .ledger_path = dir->Sub("ledger"),
      .warn = [](absl::string_view line) { LogWarning(line); },
  };
  absl::StatusOr<std::unique_ptr<AnchorModule>> opened =
      absl::InternalError("not opened");
  if (options.read_only) {
    opened = AnchorModule::OpenReadOnly(std::move(anchor_options));
  } else {
    absl::StatusOr<NamedKey> key = LoadOrMakeKey(dir->path(), "ledger");
    if (!key.ok()) return key.status();
    anchor_options.ledger_name = key->name;
    opened = AnchorModule::Open(std::move(anchor_options), key->key);
    ledger_key.emplace(*std::move(key));
  }
  if (!opened.ok()) return opened.status();
  anchor = *std::move(opened);

  absl::StatusOr<std::unique_ptr<RpcServer>> started =
      RpcServer::Start({.listen = "", .modules = {anchor.get()}});
  if (!started.ok()) return started.status();
  anchor_server = *std::move(started);
  anchor_channel = anchor_server->Channel();
  return absl::OkStatus();
}

absl::Status Stack::Parts::OpenWindowHash() {
  WindowHashModule::Options window_hash_options;
  window_hash_options.store_path = dir->Sub("window_hash");
  window_hash_options.read_only = options.read_only;
  window_hash_options.pipelines = specs;
  if (!options.read_only) {
    absl::StatusOr<NamedKey> key = LoadOrMakeKey(dir->path(), "producer");
    if (!key.ok()) return key.status();
    producer.emplace(*std::move(key));
    window_hash_options.log = log.get();
    window_hash_options.anchor = anchor_channel;
    window_hash_options.signer_name = producer->name;
    window_hash_options.signer_key = producer->key;
    window_hash_options.warn = [](absl::string_view line) { LogWarning(line); };
  }
  absl::StatusOr<std::unique_ptr<WindowHashModule>> opened =
      WindowHashModule::Open(std::move(window_hash_options));
  if (!opened.ok()) return opened.status();
  window_hash = *std::move(opened);
  specs = window_hash->pipelines();

  absl::StatusOr<std::unique_ptr<RpcServer>> started =
      RpcServer::Start({.listen = "", .modules = {window_hash.get()}});
  if (!started.ok()) return started.status();
  window_hash_server = *std::move(started);
  return absl::OkStatus();
}

absl::Status Stack::Parts::OpenIngest() {
  if (options.read_only) return absl::OkStatus();
  std::optional<DwdLiveOptions> live = options.live;
  if (live.has_value()) live->store_path = dir->Sub("dwd_live");
  absl::StatusOr<std::unique_ptr<IngestModule>> opened = IngestModule::Open(
      {.pipelines = specs, .log = log.get(), .live = std::move(live)});
  if (!opened.ok()) return opened.status();
  ingest = *std::move(opened);
  return absl::OkStatus();
}

absl::StatusOr<TrustConfig> Stack::Parts::Trust() const {
  if (!options.trust_path.empty()) return LoadTrust(options.trust_path);
  if (producer.has_value() && ledger_key.has_value()) {
    const absl::Status ensured =
        EnsureTrust(dir->path(), ledger_key->Public(), producer->Public());
    if (!ensured.ok()) return ensured;
  }
  const std::string path = TrustPath(dir->path());
  absl::StatusOr<TrustConfig> trust = LoadTrust(path);
  if (absl::IsNotFound(trust.status()) && !options.anchor_address.empty()) {
    return NoTrustYet(path, dir->path());
  }
  return trust;
}

absl::Status Stack::Parts::OpenVerifier() {
  absl::StatusOr<TrustConfig> trust = Trust();
  if (!trust.ok()) return trust.status();
  VerifierModule::Options verifier_options;
  verifier_options.trust = *std::move(trust);
  verifier_options.anchor = anchor_channel;
  verifier_options.window_hash = window_hash_server->Channel();
  // Those of a stopped store have no topics; the verifier asks window-hash for
  // them and checks them against the hash in each checkpoint.
  if (!options.read_only) verifier_options.specs = specs;
  verifier_options.log = log.get();
  absl::StatusOr<std::unique_ptr<VerifierModule>> opened =
      VerifierModule::Open(std::move(verifier_options));
  if (!opened.ok()) return opened.status();
  verifier = *std::move(opened);
  return absl::OkStatus();
}

std::vector<ServiceModule*> Stack::Parts::Modules() const {
  std::vector<ServiceModule*> modules;
  if (anchor != nullptr) modules.push_back(anchor.get());
  modules.push_back(window_hash.get());
  if (ingest != nullptr) modules.push_back(ingest.get());
  modules.push_back(verifier.get());
  return modules;
}

Stack::Stack(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Stack>> Stack::Open(const Options& options) {
  auto parts = std::make_unique<Parts>(options);
  const absl::Status opened = parts->Open();
  if (!opened.ok()) return opened;
  return std::unique_ptr<Stack>(new Stack(std::move(parts)));
}

Stack::~Stack() { Shutdown(steady_clock::now()); }

std::vector<ServiceModule*> Stack::modules() const { return parts_->Modules(); }

absl::Status Stack::Start() {
  const std::vector<ServiceModule*> modules = parts_->Modules();
  const absl::Status started = StartModules(modules);
  if (!started.ok()) return started;
  absl::StatusOr<std::unique_ptr<RpcServer>> server =
      RpcServer::Start({.listen = "", .modules = modules});
  if (!server.ok()) {
    StopModules(modules, steady_clock::now());
    return server.status();
  }
  parts_->server = *std::move(server);
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> Stack::Channel() {
  return parts_->server->Channel();
}

void Stack::Shutdown(steady_clock::time_point deadline) {
  if (parts_->server == nullptr) return;  // not started, or done
  StopServer(*parts_->server, parts_->Modules(), deadline);
  parts_->server.reset();
}

const std::vector<PipelineSpec>& Stack::pipelines() const {
  return parts_->specs;
}

}  // namespace windproof
