#include "services/anchor/multichain/multichain_ledger.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "services/anchor/multichain/intent_store.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/multichain/rocks_mirror_store.h"
#include "services/anchor/multichain/split_watch.h"
#include "services/anchor/multichain/stream_item.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_pages.h"
#include "services/anchor/multichain/stream_publisher.h"
#include "services/anchor/multichain/stream_view.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

// Of the name of the folder of a node that is compared.
constexpr size_t kCompareNameDigits = 16;

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
  // Of each node that is compared.
  std::vector<std::unique_ptr<SplitWatch>> splits;
  std::unique_ptr<StreamPages> pages;
  std::thread poller;

  absl::Status CompareNodes();
  std::optional<SplitView> SplitAt(int64_t height) const;
  void DescribeSplits(ChainState* state) const;
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
  DescribeSplits(&*state.chain);
  return state;
}

absl::Status MultiChainLedger::Parts::CompareNodes() {
  for (const std::string& url : options.config.compare_urls) {
    const std::string folder =
        HexOf(Sha256Of(url)).substr(0, kCompareNameDigits);
    absl::StatusOr<std::unique_ptr<SplitWatch>> watch = SplitWatch::Open(
        {.config = options.config,
         .url = url,
         .mirror_path = absl::StrCat(options.store_path, "/compare-", folder),
         .evidence_path = absl::StrCat(options.store_path, "/split-view"),
         .poll_ms = options.poll_ms,
         .now_ms = options.now_ms,
         .steady_ms = options.steady_ms,
         .warn = options.warn,
         .rpc = nullptr},
        *node, *view);
    if (!watch.ok()) return watch.status();
    splits.push_back(*std::move(watch));
  }
  return absl::OkStatus();
}

std::optional<SplitView> MultiChainLedger::Parts::SplitAt(
    int64_t height) const {
  for (const std::unique_ptr<SplitWatch>& watch : splits) {
    std::optional<SplitView> split = watch->Current();
    if (!split.has_value()) continue;
    if (split->height_only ? height == split->height
                           : height >= split->height) {
      return split;
    }
  }
  return std::nullopt;
}

void MultiChainLedger::Parts::DescribeSplits(ChainState* state) const {
  for (const std::unique_ptr<SplitWatch>& watch : splits) {
    const int64_t agreed = watch->agreed();
    state->agreed_height = watch == splits.front()
                               ? agreed
                               : std::min(agreed, state->agreed_height);
    state->split_views += watch->found();
    const std::optional<SplitView> split = watch->Current();
    if (split.has_value() && state->split_view.empty()) {
      state->split_view = split->what;
    }
  }
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
  Parts& ref = *parts;
  const absl::Status compared = ref.CompareNodes();
  if (!compared.ok()) return compared;
  parts->pages = std::make_unique<StreamPages>(
      config, given.now_ms,
      [&ref](int64_t height) { return ref.SplitAt(height); }, *parts->node,
      *parts->view, kept);
  auto ledger = absl::WrapUnique(new MultiChainLedger(std::move(parts)));
  ref.poller = std::thread([&ref] { ref.Run(); });
  return ledger;
}

MultiChainLedger::~MultiChainLedger() {
  parts_->splits.clear();
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

absl::StatusOr<LedgerChanges> MultiChainLedger::Changes(int64_t first,
                                                        int64_t max_items) {
  return parts_->pages->Changes(first, max_items);
}

bool MultiChainLedger::WaitForGrowth(int64_t size,
                                     steady_clock::time_point deadline) {
  return parts_->view->WaitForGrowth(size, deadline);
}

void MultiChainLedger::StopWaiting() { parts_->view->StopWaiting(); }

}  // namespace windproof
