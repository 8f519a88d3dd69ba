#include "services/anchor/anchor_module.h"

#include <atomic>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/signed_note.h"
#include "services/anchor/anchor_service.h"
#include "services/anchor/checkpoint_watch.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/multichain/batched_ledger.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/multichain_ledger.h"
#include "services/anchor/multichain/node_rpc.h"

namespace windproof {
namespace {

Anchorer::Options AnchorerOptions(const AnchorModule::Options& options) {
  Anchorer::Options result;
  result.confirmations_required = options.confirmations_required;
  result.pending_max = options.pending_max;
  result.on_equivocation = [alarm = options.alarm](const Equivocation& found) {
    if (!alarm) return;
    alarm(absl::StrCat("equivocation: window ", found.window, " revision ",
                       found.revision, " is anchored as ",
                       HexOf(found.anchored), ", and there is ",
                       HexOf(found.other)));
  };
  return result;
}

// Over `rpc`, or where it is null over the configured nodes.
absl::StatusOr<std::unique_ptr<MultiChainLedger>> OpenChain(
    const AnchorModule::Options& options, std::unique_ptr<JsonRpc> rpc) {
  MultiChainLedger::Options chain;
  chain.config = *options.multichain;
  chain.store_path = options.multichain_path;
  chain.warn = options.warn;
  chain.rpc = std::move(rpc);
  return MultiChainLedger::Open(std::move(chain));
}

}  // namespace

// In the order in which they need each other.
struct AnchorModule::Parts {
  Parts(const Options& options, std::unique_ptr<Ledger> owned)
      : ledger(std::move(owned)),
        anchorer(AnchorerOptions(options), *ledger),
        watch({options.confirmations_required}, *ledger),
        service(anchorer, *ledger, watch, options.confirmations_required) {}
  ~Parts() { StopReader(); }

  // Others write to the ledger, too: what they do is seen when it comes.
  void StartReader() {
    if (!ledger->LastState().chain.has_value()) return;
    reader = std::thread([this] {
      while (!stopped.load()) {
        // What cannot be read now is read with the next growth, or call.
        anchorer.CatchUpWithKnown().IgnoreError();
        ledger->WaitForGrowth(
            ledger->LastState().size,
            std::chrono::steady_clock::now() + std::chrono::seconds(30));
      }
    });
  }
  void StopReader() {
    stopped.store(true);
    ledger->StopWaiting();
    if (reader.joinable()) reader.join();
  }

  const std::unique_ptr<Ledger> ledger;
  Anchorer anchorer;
  CheckpointWatch watch;
  AnchorServiceImpl service;
  std::atomic<bool> stopped{false};
  std::thread reader;
};

AnchorModule::AnchorModule(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

AnchorModule::~AnchorModule() = default;

absl::StatusOr<std::unique_ptr<AnchorModule>> AnchorModule::Open(
    Options options, const Ed25519PrivateKey& ledger_key) {
  auto ledger = EmbeddedLedger::Open(options.ledger_path, options.ledger_name,
                                     ledger_key, {});
  if (!ledger.ok()) return ledger.status();
  return Build(std::move(options), *std::move(ledger));
}

absl::StatusOr<std::unique_ptr<AnchorModule>> AnchorModule::OpenMultiChain(
    Options options) {
  options.confirmations_required = options.multichain->confirmations;
  auto ledger = OpenChain(options, nullptr);
  if (!ledger.ok()) return ledger.status();
  return Build(std::move(options), *std::move(ledger));
}

absl::StatusOr<std::unique_ptr<AnchorModule>> AnchorModule::OpenBatched(
    Options options, const Ed25519PrivateKey& log_key) {
  const MultiChainConfig& config = *options.multichain;
  options.confirmations_required = config.confirmations;
  auto log = EmbeddedLedger::Open(options.ledger_path, options.ledger_name,
                                  log_key, {});
  if (!log.ok()) return log.status();
  absl::StatusOr<std::unique_ptr<JsonRpc>> rpc = OpenNodeRpc(config);
  if (!rpc.ok()) return rpc.status();
  JsonRpc& calls = **rpc;
  auto chain = OpenChain(options, *std::move(rpc));
  if (!chain.ok()) return chain.status();
  BatchedLedger::Options batched{
      .key = MakeVerifierKey(options.ledger_name, log_key.PublicKey())};
  batched.confirmations = config.confirmations;
  batched.flush_interval_ms = config.flush_interval_ms;
  batched.flush_count = config.flush_count;
  batched.warn = options.warn;
  batched.cancel = [&calls] { calls.Cancel(); };
  auto ledger = std::make_unique<BatchedLedger>(
      std::move(batched), *std::move(log), *std::move(chain));
  return Build(std::move(options), std::move(ledger));
}

absl::StatusOr<std::unique_ptr<AnchorModule>> AnchorModule::OpenReadOnly(
    Options options) {
  auto ledger = EmbeddedLedger::OpenReadOnly(options.ledger_path, nullptr);
  if (!ledger.ok()) return ledger.status();
  return Build(std::move(options), *std::move(ledger));
}

absl::StatusOr<std::unique_ptr<AnchorModule>> AnchorModule::Build(
    Options options, std::unique_ptr<Ledger> ledger) {
  auto module = absl::WrapUnique(
      new AnchorModule(std::make_unique<Parts>(options, std::move(ledger))));
  Parts& parts = *module->parts_;
  if (options.multichain.has_value() && options.multichain->address.empty()) {
    parts.service.RefuseSubmissions(
        "this anchor only reads the chain (--read-only): submit to the one "
        "that publishes");
  }
  const auto state = parts.ledger->State();
  // A chain may be away for hours. What there is to know is read when it comes.
  if (options.multichain.has_value() && absl::IsUnavailable(state.status())) {
    return module;
  }
  if (!state.ok()) return state.status();
  if (!state->broken.empty()) {
    if (options.warn) {
      options.warn(absl::StrCat(
          "the ledger ", state->name,
          " is broken and takes no more checkpoints: ", state->broken));
    }
    return module;
  }
  const absl::Status caught_up = parts.anchorer.CatchUp();
  if (!caught_up.ok() && !options.multichain.has_value()) return caught_up;
  return module;
}

grpc::Service* AnchorModule::service() { return &parts_->service; }

absl::string_view AnchorModule::full_name() const {
  return "windproof.v1.AnchorService";
}

absl::Status AnchorModule::Start() {
  parts_->watch.Start();
  parts_->StartReader();
  return absl::OkStatus();
}

absl::Status AnchorModule::Ready() {
  const LedgerState state = parts_->ledger->LastState();
  if (state.problem.empty()) return absl::OkStatus();
  return absl::UnavailableError(state.problem);
}

std::vector<Metric> AnchorModule::Metrics() {
  const Anchorer::Counters counters = parts_->anchorer.counters();
  std::vector<Metric> metrics;
  const auto add = [&](const char* name, const char* help, Metric::Type type,
                       double value) {
    metrics.push_back({name, help, type, {}, value});
  };
  const auto count = [&](const char* name, const char* help, int64_t value) {
    add(name, help, Metric::Type::kCounter, static_cast<double>(value));
  };
  const auto gauge = [&](const char* name, const char* help, int64_t value) {
    add(name, help, Metric::Type::kGauge, static_cast<double>(value));
  };
  count("windproof_anchor_checkpoints_total",
        "Checkpoints published to the ledger and read back.",
        counters.anchored);
  count("windproof_anchor_repeated_total",
        "Checkpoints that were submitted again.", counters.repeated);
  count("windproof_anchor_refused_total",
        "Calls refused for what was submitted.", counters.refused);
  count("windproof_anchor_failed_total",
        "Calls that failed for another reason.", counters.failed);
  count("windproof_anchor_equivocations_total",
        "Other checkpoints of an anchored window and revision, submitted or "
        "found on the ledger.",
        counters.equivocations);
  count("windproof_anchor_foreign_items_total",
        "Ledger items that are no checkpoint, or do not follow their key's "
        "last.",
        counters.foreign_items);
  gauge("windproof_anchor_ahead",
        "Ledger items that wait for one of their key that is to come before "
        "them.",
        counters.ahead);
  gauge("windproof_anchor_keys", "Keys known from the ledger.", counters.keys);
  gauge("windproof_anchor_pending", "Checkpoints in calls that wait or run.",
        counters.pending);
  gauge("windproof_anchor_watches", "Open WatchCheckpoints streams.",
        parts_->watch.streams());
  const LedgerState state = parts_->ledger->LastState();
  gauge("windproof_ledger_items", "Items on the ledger.", state.size);
  gauge("windproof_ledger_broken",
        "1 when the ledger was found broken and takes no more items.",
        state.broken.empty() ? 0 : 1);
  if (!state.chain.has_value()) return metrics;
  const ChainState& chain = *state.chain;
  gauge("windproof_chain_node_up",
        "1 while the node answers and lets the anchor work as configured.",
        state.problem.empty() ? 1 : 0);
  gauge("windproof_chain_height", "Height of the node's last block.",
        chain.height);
  gauge("windproof_chain_pending",
        "Checkpoints that are meant to be published and are not on the chain.",
        state.pending);
  gauge("windproof_chain_confirmed_items", "Items in a block.",
        chain.confirmed);
  gauge("windproof_chain_unconfirmed_items", "Items that wait for a block.",
        chain.unconfirmed);
  add("windproof_chain_oldest_unconfirmed_seconds",
      "How long the first of them has waited.", Metric::Type::kGauge,
      static_cast<double>(chain.oldest_unconfirmed_ms) / 1000);
  gauge("windproof_chain_foreign_items",
        "Items of publishers that are not allowed.", chain.foreign);
  gauge("windproof_chain_double_items",
        "Items that say what an earlier one says.", chain.doubles);
  gauge("windproof_chain_lost_items",
        "Items that a reorganisation took away for good.", chain.lost);
  gauge("windproof_anchor_split_view",
        "1 while another node of the chain shows something else.",
        chain.split_view.empty() ? 0 : 1);
  count("windproof_anchor_split_views_total",
        "How often another node of the chain showed something else.",
        chain.split_views);
  if (chain.mode != "batched") return metrics;
  gauge("windproof_chain_unpublished_entries",
        "Entries of the log that no head on the chain covers.",
        chain.unpublished);
  add("windproof_chain_oldest_unpublished_seconds",
      "How long the first of them has waited for a head.", Metric::Type::kGauge,
      static_cast<double>(chain.oldest_unpublished_ms) / 1000);
  return metrics;
}

void AnchorModule::StopIntake() {
  parts_->watch.Stop();
  parts_->StopReader();
}

void AnchorModule::Shutdown(std::chrono::steady_clock::time_point) {
  // Nothing waits here: a submission has its answer or was never accepted, and
  // every batch was synced.
  StopIntake();
}

Ledger& AnchorModule::ledger() { return *parts_->ledger; }

}  // namespace windproof
