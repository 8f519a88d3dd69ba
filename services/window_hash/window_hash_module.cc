#include "services/window_hash/window_hash_module.h"

#include <openssl/rand.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/window_hash/metrics.h"
#include "services/window_hash/stored_view.h"

namespace windproof {
namespace {

constexpr size_t kRunBytes = 8;

absl::Status CheckOptions(const WindowHashModule::Options& options) {
  if (options.store_path.empty()) {
    return absl::InvalidArgumentError(
        "window-hash: store_path is empty; a folder is accepted");
  }
  if (options.read_only) return absl::OkStatus();
  if (options.pipelines.empty()) {
    return absl::InvalidArgumentError(
        "window-hash: no pipeline is given; one or more are accepted");
  }
  if (options.group != nullptr && options.advertise.empty()) {
    return absl::InvalidArgumentError(
        "window-hash: the address to advertise is empty; HOST:PORT is "
        "accepted");
  }
  if (options.log == nullptr || options.anchor == nullptr ||
      !options.signer_key.has_value() || options.signer_name.empty()) {
    return absl::InvalidArgumentError(
        "window-hash: a record log, a channel to the anchor and a signer with "
        "its key are needed unless it is read-only");
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const std::vector<PipelineSpec>& specs) {
  for (size_t i = 0; i < specs.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (specs[i].name == specs[k].name) {
        return absl::InvalidArgumentError(
            absl::StrCat("window-hash: two pipelines are named ", specs[i].name,
                         "; each name once is accepted"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

class WindowHashModule::LiveView final : public PartitionsView {
 public:
  explicit LiveView(const WindowHashModule& module) : module_(module) {}

  absl::StatusOr<std::vector<PartitionProgress>> Partitions(
      absl::string_view pipeline) override {
    return module_.follower_->Partitions(pipeline);
  }
  absl::StatusOr<bool> IsOpen(absl::string_view pipeline, absl::string_view key,
                              int64_t window_start_ms) override {
    return module_.follower_->IsOpen(pipeline, key, window_start_ms);
  }
  bool Has(const PipelineSource& source) override {
    return module_.options_.group == nullptr || module_.follower_->Has(source);
  }
  int64_t OutboxSize(absl::string_view pipeline) override {
    return module_.outbox_->Waiting(pipeline);
  }
  absl::Status OutboxProblem(absl::string_view pipeline) override {
    return module_.outbox_->Problem(pipeline);
  }

 private:
  const WindowHashModule& module_;
};

absl::StatusOr<std::unique_ptr<WindowHashModule>> WindowHashModule::Open(
    Options options) {
  absl::Status status = CheckOptions(options);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<PayloadStore>> store = PayloadStore::Open(
      {.path = options.store_path, .read_only = options.read_only});
  if (!store.ok()) return store.status();
  if (options.read_only) {
    absl::StatusOr<std::vector<PipelineSpec>> stored =
        (*store)->StoredPipelines();
    if (!stored.ok()) return stored.status();
    for (PipelineSpec& spec : *stored) {
      const bool given = std::any_of(
          options.pipelines.begin(), options.pipelines.end(),
          [&](const PipelineSpec& other) { return other.name == spec.name; });
      if (!given) options.pipelines.push_back(std::move(spec));
    }
  }
  status = CheckNames(options.pipelines);
  if (!status.ok()) return status;
  for (const PipelineSpec& spec : options.pipelines) {
    status = (*store)->UsePipeline(spec);
    if (!status.ok()) return status;
  }
  std::unique_ptr<WindowHashModule> module(
      new WindowHashModule(std::move(options), *std::move(store)));
  if (!module->options_.read_only) {
    status = module->Build();
    if (!status.ok()) return status;
  }
  return module;
}

WindowHashModule::WindowHashModule(Options options,
                                   std::unique_ptr<PayloadStore> store)
    : options_(std::move(options)),
      store_(std::move(store)),
      view_(options_.read_only
                ? std::unique_ptr<PartitionsView>(
                      new StoredView(options_.pipelines, *store_))
                : std::unique_ptr<PartitionsView>(new LiveView(*this))),
      service_(options_.pipelines, *store_, *view_) {}

absl::Status WindowHashModule::Build() {
  signer_.emplace(CheckpointSigner{.name = options_.signer_name,
                                   .key = *options_.signer_key});
  anchor_ = std::make_unique<AnchorClient>(options_.anchor,
                                           options_.anchor_call_timeout);
  Outbox::Options outbox;
  outbox.on_damage = [this](const PipelineSource& source,
                            const absl::Status& error) {
    follower_->StopPartition(source, error);
  };
  outbox.on_problem = [this](const absl::Status& why) {
    Warn("checkpoints wait in the outbox", why);
  };
  outbox_ = std::make_unique<Outbox>(outbox, *store_, *anchor_);
  LogFollower::Options follower;
  follower.threads = options_.threads;
  follower.queue_batches = options_.queue_batches;
  follower.batch_records = options_.batch_records;
  follower.worker.spill_max_lag = options_.spill_max_lag;
  follower.worker.on_windows = [this](const PipelineSource& source,
                                      const CommittedWindows& committed) {
    outbox_->Add(source, committed);
  };
  follower.worker.on_stop = [this](const PipelineSource&,
                                   const absl::Status& why) {
    Warn("a partition stopped", why);
  };
  follower.worker.on_wait = [this](const PipelineSource&,
                                   const absl::Status& why) {
    Warn("a changelog cannot be written, tried again", why);
  };
  if (options_.group != nullptr) {
    follower.group = options_.group;
    follower.on_opened = [this](const PipelineSource& source) {
      const absl::Status loaded = outbox_->Load(source);
      if (!loaded.ok()) Warn("stored checkpoints wait", loaded);
    };
    follower.on_closed = [this](const PipelineSource& source) {
      outbox_->Release(source);
    };
  }
  absl::StatusOr<std::unique_ptr<LogFollower>> created = LogFollower::Create(
      follower, options_.pipelines, *options_.log, *store_, *signer_);
  if (!created.ok()) return created.status();
  follower_ = *std::move(created);
  if (options_.group != nullptr) BuildReplicas();
  return absl::OkStatus();
}

void WindowHashModule::BuildReplicas() {
  // Epochs of two runs of one replica must differ.
  std::string run(kRunBytes, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(run.data()),
             static_cast<int>(run.size()));
  run = absl::BytesToHexString(run);
  replicas_ = std::make_unique<ReplicaSet>(ReplicaSet::Options{
      .advertise = options_.advertise,
      .group = options_.group,
      .patience = options_.replica_patience,
      .own =
          [this, run](absl::string_view pipeline) {
            LogFollower::Owned owned = follower_->OwnedPartitions(pipeline);
            return Coverage{.epoch = absl::StrCat(run, ":", owned.epoch),
                            .partitions = std::move(owned.partitions)};
          },
      .expected =
          [this](absl::string_view pipeline) {
            return follower_->ExpectedPartitions(pipeline);
          },
  });
  replica_service_ = std::make_unique<ReplicaService>(service_, *replicas_);
}

void WindowHashModule::Warn(absl::string_view what,
                            const absl::Status& why) const {
  if (options_.warn == nullptr) return;
  options_.warn(absl::StrCat("window-hash: ", what, ": ", why.message()));
}

WindowHashModule::~WindowHashModule() {
  // Also after a start that failed: threads first, then what they use.
  if (follower_ != nullptr) follower_->Stop();
  if (outbox_ != nullptr) outbox_->Stop(std::chrono::steady_clock::now());
}

absl::Status WindowHashModule::Start() {
  if (options_.read_only) return absl::OkStatus();
  // The outbox first: it takes up what is stored before more is added. With a
  // group each partition's is taken up when the partition is.
  if (options_.group == nullptr) {
    const absl::Status loaded = outbox_->Load();
    if (!loaded.ok()) return loaded;
  }
  outbox_->Start();
  return follower_->Start();
}

absl::Status WindowHashModule::Ready() {
  if (options_.read_only) return absl::OkStatus();
  return follower_->LogStatus();
}

absl::Status WindowHashModule::Fatal() {
  if (options_.read_only) return absl::OkStatus();
  return follower_->ShutOut();
}

std::vector<std::pair<std::string, absl::Status>> WindowHashModule::Parts() {
  std::map<std::string, absl::Status> parts;
  if (follower_ == nullptr) return {};
  for (const PipelineSpec& spec : options_.pipelines) {
    for (const PartitionStatus& status : follower_->Statuses(spec.name)) {
      // Where pipelines share it, the one that stopped is told.
      parts[absl::StrCat(status.source.source.topic, "/",
                         status.source.source.partition)]
          .Update(status.error);
    }
  }
  return {parts.begin(), parts.end()};
}

std::vector<Metric> WindowHashModule::Metrics() {
  std::vector<Metric> metrics;
  for (const PipelineSpec& spec : options_.pipelines) {
    const absl::StatusOr<std::vector<PartitionProgress>> partitions =
        view_->Partitions(spec.name);
    if (!partitions.ok()) continue;
    AppendPipelineMetrics(spec.name, *partitions, view_->OutboxSize(spec.name),
                          &metrics);
  }
  if (outbox_ != nullptr) AppendOutboxMetrics(outbox_->counters(), &metrics);
  return metrics;
}

void WindowHashModule::StopIntake() {
  if (follower_ != nullptr) follower_->StopIntake();
}

void WindowHashModule::Shutdown(
    std::chrono::steady_clock::time_point deadline) {
  if (follower_ != nullptr) follower_->Stop();
  if (outbox_ != nullptr) outbox_->Stop(deadline);
  // What is lost without this can be made again; it only takes longer.
  (void)store_->Sync();
}

}  // namespace windproof
