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
#include "absl/strings/str_join.h"
#include "common/record_log/embedded_log.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/record_log.h"
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
#include "services/windproof/absent_part.h"

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

absl::Status NoTrust(const std::string& path, const std::string& data_dir) {
  return absl::NotFoundError(absl::StrCat(
      "there is no trust file ", path,
      ": it says whose ledger and whose checkpoints are believed; --trust FILE "
      "names another, for instance a copy of ",
      data_dir, "/trust.json that was kept elsewhere"));
}

}  // namespace

// In the order in which they need each other; ended in reverse.
struct Stack::Parts {
  explicit Parts(const Options& options) : options(options) {}

  absl::Status Open();
  absl::Status OpenLog();
  absl::Status OpenAnchor();
  absl::Status OpenWindowHash();
  absl::Status OpenIngest();
  absl::Status CheckSomething() const;
  absl::Status OpenVerifier();
  absl::StatusOr<TrustConfig> Trust() const;
  std::vector<ServiceModule*> Modules() const;

  const Options options;
  std::vector<PipelineSpec> specs;
  std::unique_ptr<DataDir> dir;
  std::optional<NamedKey> producer;
  std::optional<NamedKey> ledger_key;
  std::unique_ptr<RecordLog> log;
  std::unique_ptr<ServiceModule> anchor;
  std::unique_ptr<RpcServer> anchor_server;  // for window-hash and verifier
  std::shared_ptr<grpc::Channel> anchor_channel;
  std::unique_ptr<ServiceModule> window_hash;
  std::unique_ptr<RpcServer> window_hash_server;  // for the verifier
  std::unique_ptr<IngestModule> ingest;
  std::unique_ptr<VerifierModule> verifier;
  std::unique_ptr<RpcServer> server;  // for Channel()
  // Read-only: what could not be opened.
  std::vector<std::string> missing;
  bool no_ledger = false;
  bool no_windows = false;
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

  absl::Status status = OpenLog();
  if (status.ok()) status = OpenAnchor();
  if (status.ok()) status = OpenWindowHash();
  if (status.ok()) status = CheckSomething();
  if (status.ok()) status = OpenIngest();
  if (status.ok()) status = OpenVerifier();
  return status;
}

absl::Status Stack::Parts::OpenLog() {
  if (options.kafka.has_value()) {
    absl::StatusOr<std::unique_ptr<KafkaLog>> opened =
        KafkaLog::Open(*options.kafka);
    if (!opened.ok()) return opened.status();
    log = *std::move(opened);
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> opened = EmbeddedLog::Open(
      {.path = dir->Sub("log"), .read_only = options.read_only});
  if (opened.ok()) {
    log = *std::move(opened);
    return absl::OkStatus();
  }
  // The verifier needs it only to name a record that was altered. One that is
  // in use means that the store is not a stopped one.
  if (!options.read_only || absl::IsFailedPrecondition(opened.status())) {
    return opened.status();
  }
  missing.push_back(absl::StrCat("no record log: ",
                                 WhyAbsent(dir->Sub("log"), opened.status())));
  return absl::OkStatus();
}

absl::Status Stack::Parts::CheckSomething() const {
  if (!no_ledger || !no_windows) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("nothing can be listed in ",
                                             dir->path(), ": ",
                                             absl::StrJoin(missing, "; ")));
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
      .alarm = [](absl::string_view line) { LogError(line); },
  };
  absl::StatusOr<std::unique_ptr<AnchorModule>> opened =
      absl::InternalError("not opened");
  if (options.multichain.has_value()) {
    anchor_options.multichain = options.multichain;
    anchor_options.multichain_path = dir->Sub("multichain");
  }
  if (options.multichain.has_value() && !options.multichain->batched) {
    opened = AnchorModule::OpenMultiChain(std::move(anchor_options));
  } else if (options.read_only) {
    opened = AnchorModule::OpenReadOnly(std::move(anchor_options));
  } else {
    absl::StatusOr<NamedKey> key = LoadOrMakeKey(dir->path(), "ledger");
    if (!key.ok()) return key.status();
    anchor_options.ledger_name = key->name;
    opened =
        options.multichain.has_value()
            ? AnchorModule::OpenBatched(std::move(anchor_options), key->key)
            : AnchorModule::Open(std::move(anchor_options), key->key);
    ledger_key.emplace(*std::move(key));
  }
  if (opened.ok()) {
    anchor = *std::move(opened);
  } else {
    if (!options.read_only) return opened.status();
    const std::string why = WhyAbsent(dir->Sub("ledger"), opened.status());
    missing.push_back(absl::StrCat("no ledger: ", why));
    no_ledger = true;
    anchor = MakeAbsentAnchor(why);
  }

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
  // RocksDB would make the folder, also when it only reads.
  const bool nothing_there =
      options.read_only && !HasStore(dir->Sub("window_hash"));
  absl::StatusOr<std::unique_ptr<WindowHashModule>> opened =
      nothing_there ? absl::NotFoundError("there is no store")
                    : WindowHashModule::Open(std::move(window_hash_options));
  if (opened.ok()) {
    specs = (*opened)->pipelines();
    window_hash = *std::move(opened);
  } else {
    if (!options.read_only) return opened.status();
    const std::string why = WhyAbsent(dir->Sub("window_hash"), opened.status());
    missing.push_back(absl::StrCat("no windows: ", why));
    no_windows = true;
    window_hash = MakeAbsentWindowHash(why);
  }

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
  if (producer.has_value() && options.multichain.has_value()) {
    const MultiChainConfig& config = *options.multichain;
    const absl::Status ensured = EnsureChainTrust(
        dir->path(),
        {config.chain, config.genesis, config.stream, config.publishers,
         config.confirmations},
        ledger_key.has_value() ? std::optional(ledger_key->Public())
                               : std::nullopt,
        producer->Public());
    if (!ensured.ok()) return ensured;
  } else if (producer.has_value() && ledger_key.has_value()) {
    const absl::Status ensured =
        EnsureTrust(dir->path(), ledger_key->Public(), producer->Public());
    if (!ensured.ok()) return ensured;
  }
  const std::string path = TrustPath(dir->path());
  absl::StatusOr<TrustConfig> trust = LoadTrust(path);
  if (!absl::IsNotFound(trust.status())) return trust;
  return options.anchor_address.empty() ? NoTrust(path, dir->path())
                                        : NoTrustYet(path, dir->path());
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

void Stack::EndBy(std::chrono::steady_clock::time_point deadline) {
  if (parts_->log != nullptr) parts_->log->EndBy(deadline);
}

const std::vector<std::string>& Stack::missing() const {
  return parts_->missing;
}

const std::vector<PipelineSpec>& Stack::pipelines() const {
  return parts_->specs;
}

}  // namespace windproof
