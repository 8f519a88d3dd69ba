#include "services/anchor/multichain/multichain_ledger.h"

#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/multichain/intent_store.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/multichain/rocks_mirror_store.h"
#include "services/anchor/multichain/stream_item.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_pages.h"
#include "services/anchor/multichain/stream_publisher.h"
#include "services/anchor/multichain/stream_view.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

template <typename Clock>
int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             Clock::now().time_since_epoch())
      .count();
}

}  // namespace

// In the order in which they need each other.
struct MultiChainLedger::Parts {
  Options options;
  std::unique_ptr<JsonRpc> rpc;
  std::unique_ptr<IntentStore> intents;
  std::unique_ptr<StreamNode> node;
  std::unique_ptr<StreamView> view;
  std::unique_ptr<StreamPublisher> publisher;
  std::unique_ptr<StreamPages> pages;
  std::thread poller;

  bool publishes() const { return !options.config.address.empty(); }
  LedgerState KnownState();
  void Run();
};

LedgerState MultiChainLedger::Parts::KnownState() {
  LedgerState state;
  state.kind = "multichain";
  state.name = absl::StrCat(options.config.chain, "/", options.config.stream);
  view->Describe(&state);
  state.chain->mode = "direct";
  return state;
}

void MultiChainLedger::Parts::Run() {
  std::string told;
  do {
    if (view->Refresh(true).ok()) {
      view->WatchWaiting();
      const absl::Status tended =
          publishes() ? publisher->Tend() : absl::OkStatus();
      if (!tended.ok() && tended.message() != told && options.warn) {
        options.warn(tended.message());
      }
      told = std::string(tended.message());
    }
  } while (view->Sleep(steady_clock::now() +
                       std::chrono::milliseconds(options.poll_ms)));
}

MultiChainLedger::MultiChainLedger(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<MultiChainLedger>> MultiChainLedger::Open(
    Options options) {
  if (!options.now_ms) options.now_ms = NowMs<std::chrono::system_clock>;
  if (!options.steady_ms) options.steady_ms = NowMs<steady_clock>;
  auto parts = std::make_unique<Parts>();
  parts->rpc = std::move(options.rpc);
  parts->options = std::move(options);
  const Options& given = parts->options;
  const MultiChainConfig& config = given.config;
  if (parts->rpc == nullptr) {
    absl::StatusOr<std::unique_ptr<JsonRpc>> opened = OpenNodeRpc(config);
    if (!opened.ok()) return opened.status();
    parts->rpc = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<IntentStore>> intents =
      IntentStore::Open(given.store_path);
  if (!intents.ok()) return intents.status();
  parts->intents = *std::move(intents);
  absl::StatusOr<std::unique_ptr<RocksMirrorStore>> store =
      RocksMirrorStore::Open(absl::StrCat(given.store_path, "/mirror"));
  if (!store.ok()) return store.status();

  parts->node =
      std::make_unique<StreamNode>(*parts->rpc, config.stream, config.address);
  IntentStore& kept = *parts->intents;
  absl::StatusOr<std::unique_ptr<StreamView>> view = StreamView::Open(
      {.config = config,
       .steady_ms = given.steady_ms,
       .warn = given.warn,
       .also_check =
           [&kept, &config] { return kept.CheckStream(StreamNameOf(config)); }},
      *std::move(store), *parts->node);
  if (!view.ok()) return view.status();
  parts->view = *std::move(view);
  parts->publisher = std::make_unique<StreamPublisher>(
      StreamPublisher::Options{.confirmations = config.confirmations,
                               .steady_ms = given.steady_ms,
                               .warn = given.warn},
      *parts->node, *parts->view, kept);
  parts->pages = std::make_unique<StreamPages>(
      config, given.now_ms, *parts->node, *parts->view, kept);
  Parts& ref = *parts;
  auto ledger = absl::WrapUnique(new MultiChainLedger(std::move(parts)));
  ref.poller = std::thread([&ref] { ref.Run(); });
  return ledger;
}

MultiChainLedger::~MultiChainLedger() {
  StopWaiting();
  parts_->rpc->Cancel();
  parts_->poller.join();
}

absl::StatusOr<std::vector<std::string>> MultiChainLedger::Publish(
    absl::Span<const LedgerDraft> items) {
  if (!parts_->publishes()) {
    return absl::FailedPreconditionError(
        "no publishing address is configured: the ledger is only read");
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const absl::Status status = CheckStreamDraft(items[i], i);
    if (!status.ok()) return status;
  }
  if (items.empty()) return std::vector<std::string>();
  return parts_->publisher->Publish(items);
}

bool MultiChainLedger::WillPublish(const Digest& data) {
  // What is meant and there is not asked about.
  return parts_->intents->Get(data).ok();
}

absl::StatusOr<LedgerPage> MultiChainLedger::Find(absl::string_view key,
                                                  const LedgerQuery& query) {
  const std::string text(key);
  return parts_->pages->Page(query, &text);
}

absl::StatusOr<LedgerPage> MultiChainLedger::Read(const LedgerQuery& query) {
  return parts_->pages->Page(query, nullptr);
}

absl::StatusOr<LedgerState> MultiChainLedger::State() {
  const absl::Status status = parts_->view->Refresh(false);
  if (!status.ok()) return absl::UnavailableError(status.message());
  return parts_->KnownState();
}

LedgerState MultiChainLedger::LastState() {
  LedgerState state = parts_->KnownState();
  state.problem = parts_->view->Problem();
  state.pending = parts_->publisher->pending();
  return state;
}

bool MultiChainLedger::WaitForGrowth(int64_t size,
                                     steady_clock::time_point deadline) {
  return parts_->view->WaitForGrowth(size, deadline);
}

void MultiChainLedger::StopWaiting() { parts_->view->StopWaiting(); }

}  // namespace windproof
