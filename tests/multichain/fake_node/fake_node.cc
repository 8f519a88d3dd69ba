#include "tests/multichain/fake_node/fake_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"

namespace windproof::fake_node {
namespace {

using SteadyClock = std::chrono::steady_clock;

// In the journal, beside the chain's own events.
constexpr char kKeysEvent = 'K';

// As the recorded chain's; the same for all, so that the genesis is.
constexpr int64_t kGenesisTime = 1'795'448'839;

SteadyClock::time_point In(int64_t millis) {
  return SteadyClock::now() + std::chrono::milliseconds(millis);
}

Fault MakeFault(Fault::Kind kind, int64_t count, absl::string_view method,
                int64_t number = 0, absl::string_view text = "") {
  Fault fault;
  fault.kind = kind;
  fault.count = count;
  fault.method = std::string(method);
  fault.number = number;
  fault.text = std::string(text);
  return fault;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FakeNode>> FakeNode::Start(Options options) {
  std::unique_ptr<FakeNode> node(new FakeNode(std::move(options)));
  absl::Status status = node->Load();
  if (status.ok()) status = node->Serve();
  if (!status.ok()) return status;
  FakeNode* raw = node.get();
  node->miner_ = std::thread([raw] { raw->MinerLoop(); });
  return node;
}

FakeNode::~FakeNode() {
  {
    MutexLock lock(mutex_);
    exiting_ = true;
    changed_.NotifyAll();
  }
  if (miner_.joinable()) miner_.join();
  Down();
}

absl::Status FakeNode::Load() {
  MutexLock lock(mutex_);
  NodeSettings& settings = state_.settings;
  settings.chain_name = options_.chain_name;
  settings.target_block_ms = options_.target_block_ms;
  settings.mine_empty_rounds = options_.mine_empty_rounds;
  settings.max_block_bytes = options_.max_block_bytes;
  state_.wallet_seed =
      absl::StrCat(options_.chain_name, "/", options_.wallet_seed);
  state_.NewKey();
  if (!options_.data_dir.empty()) {
    NodeState* state = &state_;
    const auto replay = [state](absl::string_view event) {
      if (!event.empty() && event[0] == kKeysEvent) {
        state->NewKey();
        return true;
      }
      return state->chain.Apply(event);
    };
    absl::StatusOr<std::unique_ptr<Journal>> journal = Journal::Open(
        absl::StrCat(options_.data_dir, "/chain.journal"), replay);
    if (!journal.ok()) return journal.status();
    journal_ = *std::move(journal);
    Journal* raw = journal_.get();
    state_.chain.set_sink(
        [raw](absl::string_view event) { raw->Append(event); });
  }
  kept_keys_ = state_.keys.size();
  if (state_.chain.block_count() == 0) {
    // Whoever's wallet this is, the chain is the administrator's.
    const Key admin(absl::StrCat(options_.chain_name, "/genesis/0"));
    state_.chain.Init(options_.chain_name, admin.hash(), kGenesisTime);
    for (uint32_t i = 0; i < options_.initial_blocks; ++i) {
      fake_node::MineBlock(&state_);
    }
  }
  state_.block_salt = state_.chain.block_count();
  return absl::OkStatus();
}

absl::Status FakeNode::Serve() {
  {
    MutexLock lock(mutex_);
    down_ = false;
    warm_at_ = In(options_.warm_up_ms);
  }
  HttpServer::Options options;
  options.port = port_ != 0 ? port_ : options_.port;
  options.idle_ms = options_.idle_close_ms;
  options.front = [](const HttpRequest& request) { return Front(request); };
  options.handler = [this](const HttpRequest& request) {
    return Handle(request);
  };
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start(std::move(options));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  port_ = server_->port();
  MutexLock lock(mutex_);
  state_.settings.port = port_;
  return absl::OkStatus();
}

std::string FakeNode::url() const {
  return absl::StrCat("http://127.0.0.1:", port_);
}

int FakeNode::port() const { return port_; }

std::string FakeNode::address() const {
  MutexLock lock(mutex_);
  return state_.keys.front().address();
}

std::string FakeNode::genesis_hash() const {
  MutexLock lock(mutex_);
  return ShownHash(state_.chain.block(state_.chain.BlockAt(0)).hash);
}

uint32_t FakeNode::height() const {
  MutexLock lock(mutex_);
  return state_.chain.height();
}

bool FakeNode::stopping() const {
  MutexLock lock(mutex_);
  return state_.stopping;
}

void FakeNode::MinerLoop() {
  MutexLock lock(mutex_);
  const int64_t target = state_.settings.target_block_ms;
  auto next = In(target);
  while (!exiting_) {
    if (target == 0) {
      changed_.Wait(mutex_);
      continue;
    }
    if (SteadyClock::now() < next) {
      changed_.WaitUntil(mutex_, next);
      continue;
    }
    next += std::chrono::milliseconds(target);
    if (next < SteadyClock::now()) next = In(target);
    if (!down_ && !state_.hung && SteadyClock::now() >= stalled_until_ &&
        WantsBlock(state_)) {
      fake_node::MineBlock(&state_);
    }
  }
}

void FakeNode::MineBlock() { MineBlocks(1); }

void FakeNode::MineBlocks(uint32_t count) {
  MutexLock lock(mutex_);
  for (uint32_t i = 0; i < count; ++i) fake_node::MineBlock(&state_);
}

void FakeNode::PauseMining() {
  MutexLock lock(mutex_);
  state_.mining_paused = true;
}

void FakeNode::ResumeMining() {
  MutexLock lock(mutex_);
  state_.mining_paused = false;
}

absl::Status FakeNode::Reorg(uint32_t depth, Fate fate) {
  MutexLock lock(mutex_);
  return Reorganise(&state_, depth, fate);
}

void FakeNode::ReleaseHeld() {
  MutexLock lock(mutex_);
  Release(&state_);
}

absl::Status FakeNode::ConflictTransaction(absl::string_view txid) {
  MutexLock lock(mutex_);
  const absl::optional<Digest> id = HashFromShown(txid);
  const absl::optional<TxRef> tx =
      id.has_value() ? state_.chain.FindTx(*id) : absl::nullopt;
  if (!tx.has_value() || !state_.chain.tx(*tx).valid()) {
    return absl::NotFoundError(
        absl::StrCat("txid ", txid, " is no valid transaction of this node"));
  }
  return Conflict(&state_, *tx);
}

absl::Status FakeNode::Permit(absl::string_view method,
                              absl::string_view address,
                              absl::string_view permission) {
  Json params = Json::Array();
  params.Append(Json::String(address));
  params.Append(Json::String(permission));
  const RpcResult result = Call(method, params);
  if (result.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(result.error->code, " ", result.error->message));
}

absl::Status FakeNode::Grant(absl::string_view address,
                             absl::string_view permission) {
  return Permit("grant", address, permission);
}

absl::Status FakeNode::Revoke(absl::string_view address,
                              absl::string_view permission) {
  return Permit("revoke", address, permission);
}

std::vector<std::string> FakeNode::Export() const {
  MutexLock lock(mutex_);
  return state_.chain.Export(true);
}

absl::StatusOr<std::unique_ptr<FakeNode>> FakeNode::Fork(Options options) {
  options.chain_name = options_.chain_name;
  options.initial_blocks = 0;
  absl::StatusOr<std::unique_ptr<FakeNode>> node = Start(std::move(options));
  if (!node.ok()) return node;
  const absl::Status copied = (*node)->Import(Export());
  if (!copied.ok()) return copied;
  return node;
}

absl::Status FakeNode::SyncFrom(const FakeNode& other) {
  return Import(other.Export());
}

absl::Status FakeNode::Import(const std::vector<std::string>& events) {
  MutexLock lock(mutex_);
  if (state_.incoming_paused) return absl::OkStatus();
  if (!state_.chain.Adopt(events)) {
    return absl::InvalidArgumentError(
        "the events are not of a chain with this genesis");
  }
  return absl::OkStatus();
}

void FakeNode::LoseNextReply(int64_t count, absl::string_view method) {
  Inject(MakeFault(Fault::Kind::kLoseReply, count, method));
}

void FakeNode::DropNextRequest(int64_t count, absl::string_view method) {
  Inject(MakeFault(Fault::Kind::kDropRequest, count, method));
}

void FakeNode::DuplicateNext(int64_t count, absl::string_view method) {
  Inject(MakeFault(Fault::Kind::kDuplicate, count, method));
}

void FakeNode::Refuse503(int64_t count, absl::string_view method) {
  Inject(MakeFault(Fault::Kind::kRefuse, count, method));
}

void FakeNode::FailNext(int code, absl::string_view message, int64_t count,
                        absl::string_view method) {
  Inject(MakeFault(Fault::Kind::kError, count, method, code, message));
}

void FakeNode::DelayReplies(int64_t millis, int64_t count,
                            absl::string_view method) {
  Inject(MakeFault(Fault::Kind::kDelay, count, method, millis));
}

void FakeNode::Stall(int64_t millis) {
  MutexLock lock(mutex_);
  stalled_until_ = In(millis);
  changed_.NotifyAll();
}

void FakeNode::Hang() {
  MutexLock lock(mutex_);
  state_.hung = true;
}

void FakeNode::WarmUp(int64_t millis) {
  MutexLock lock(mutex_);
  warm_at_ = In(millis);
}

void FakeNode::AdvanceClock(int64_t seconds) {
  MutexLock lock(mutex_);
  state_.clock_offset_s += seconds;
}

void FakeNode::Down() {
  {
    MutexLock lock(mutex_);
    down_ = true;
    changed_.NotifyAll();
  }
  server_.reset();
}

absl::Status FakeNode::Up() {
  {
    MutexLock lock(mutex_);
    state_.mining_paused = false;
    state_.incoming_paused = false;
    state_.offchain_paused = false;
    state_.lock_leaked = false;
    state_.hung = false;
    state_.stopping = false;
    stalled_until_ = {};
  }
  return Serve();
}

absl::Status FakeNode::Restart() {
  Down();
  return Up();
}

}  // namespace windproof::fake_node
