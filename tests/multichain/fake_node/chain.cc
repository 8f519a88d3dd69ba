#include "tests/multichain/fake_node/chain.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/script.h"

namespace windproof::fake_node {
namespace {

// Types of events; each is followed by its payload.
constexpr char kInitEvent = 'I';
constexpr char kTxEvent = 'T';
constexpr char kBlockEvent = 'B';
constexpr char kActivateEvent = 'A';
constexpr char kHeldEvent = 'H';
constexpr char kTwiceEvent = 'D';
constexpr char kSubscribedEvent = 'S';
constexpr char kChunkEvent = 'C';

constexpr absl::string_view kMinerTag = "SPKb";
constexpr size_t kPublicKeySize = 33;

std::string TxPayload(absl::string_view raw, int64_t time, int64_t received,
                      bool may_conflict) {
  std::string payload;
  payload.reserve(raw.size() + 17);
  AppendLittle(static_cast<uint64_t>(time), 8, &payload);
  AppendLittle(static_cast<uint64_t>(received), 8, &payload);
  payload.push_back(may_conflict ? '\x01' : '\0');
  payload.append(raw.data(), raw.size());
  return payload;
}

std::string InitPayload(absl::string_view name, absl::string_view admin,
                        int64_t time) {
  std::string payload;
  AppendLittle(static_cast<uint64_t>(time), 8, &payload);
  return absl::StrCat(payload, admin, name);
}

// The hash of the key that a coinbase's "SPKb" output ends with.
absl::optional<std::string> MinerOf(absl::string_view script) {
  const auto ops = ScriptOps(script);
  if (!ops.has_value() || ops->size() != 2 || (*ops)[0].code != kOpReturn ||
      !absl::StartsWith((*ops)[1].data, kMinerTag) ||
      (*ops)[1].data.size() < kMinerTag.size() + kPublicKeySize) {
    return absl::nullopt;
  }
  const absl::string_view data = (*ops)[1].data;
  return Hash160(data.substr(data.size() - kPublicKeySize));
}

std::string Event(char type, absl::string_view payload) {
  return absl::StrCat(absl::string_view(&type, 1), payload);
}

}  // namespace

void Chain::Emit(char type, absl::string_view payload) const {
  if (sink_) sink_(Event(type, payload));
}

void Chain::Init(absl::string_view chain_name, absl::string_view admin_hash,
                 int64_t time) {
  Emit(kInitEvent, InitPayload(chain_name, admin_hash, time));
  const Sink sink = std::exchange(sink_, nullptr);
  name_ = std::string(chain_name);
  admin_ = std::string(admin_hash);
  genesis_time_ = time;
  const std::string coinbase = CoinbaseTransaction(
      absl::StrCat("MultiChain ", chain_name), {PayToScript(admin_hash)});
  const TxRef tx = *AddTransaction(coinbase, time, time);
  ChainStream root;
  root.name = "root";
  root.create_txid = txs_[tx].id;
  root.entity = EntityOf(root.create_txid);
  root.creator = admin_;
  root.subscribed = true;
  stream_by_entity_[root.entity] = 0;
  streams_.push_back(std::move(root));
  Header header;
  header.version = 1;
  header.time = static_cast<uint32_t>(time);
  header.merkle_root = txs_[tx].id;
  Activate(*AddBlock(SolvedHeader(header), {tx}));
  sink_ = sink;
}

bool Chain::Apply(absl::string_view event) {
  if (event.empty()) return false;
  const char type = event[0];
  const absl::string_view payload = event.substr(1);
  ByteReader reader(payload);
  if (type == kInitEvent) {
    const auto time = static_cast<int64_t>(reader.Little(8));
    const absl::string_view admin = reader.Take(20);
    if (!reader.ok() || !blocks_.empty()) return false;
    Init(payload.substr(28), admin, time);
    return true;
  }
  if (blocks_.empty()) return false;
  if (type == kTxEvent) {
    const auto time = static_cast<int64_t>(reader.Little(8));
    const auto received = static_cast<int64_t>(reader.Little(8));
    const bool may_conflict = reader.Little(1) != 0;
    return reader.ok() &&
           AddTransaction(payload.substr(17), time, received, may_conflict)
               .has_value();
  }
  if (type == kChunkEvent) {
    AddChunk(payload);
    return true;
  }
  return ApplyRefs(type, payload);
}

bool Chain::ApplyRefs(char type, absl::string_view payload) {
  ByteReader reader(payload);
  if (type == kActivateEvent) {
    const absl::optional<BlockRef> block = FindBlock(reader.Hash());
    if (!block.has_value()) return false;
    Activate(*block);
    return true;
  }
  if (type == kSubscribedEvent) {
    const auto stream = static_cast<uint32_t>(reader.Little(4));
    const bool subscribed = reader.Little(1) != 0;
    if (!reader.ok() || stream >= streams_.size()) return false;
    SetSubscribed(stream, subscribed);
    return true;
  }
  const absl::string_view start = reader.Take(type == kBlockEvent  ? kHeaderSize
                                              : type == kHeldEvent ? 1
                                                                   : 0);
  std::vector<TxRef> txs;
  while (reader.ok() && !reader.done()) {
    const absl::optional<TxRef> tx = FindTx(reader.Hash());
    if (!tx.has_value()) return false;
    txs.push_back(*tx);
  }
  if (!reader.ok() || txs.empty()) return false;
  switch (type) {
    case kBlockEvent:
      return AddBlock(start, txs).has_value();
    case kHeldEvent:
      SetHeld(txs[0], start[0] != 0);
      return true;
    case kTwiceEvent:
      ListTwice(txs);
      return true;
    default:
      return false;
  }
}

bool Chain::Adopt(absl::Span<const std::string> events) {
  if (events.empty() ||
      events[0] !=
          Event(kInitEvent, InitPayload(name_, admin_, genesis_time_))) {
    return false;
  }
  for (size_t i = 1; i < events.size(); ++i) {
    if (events[i][0] == kActivateEvent) {
      const absl::optional<BlockRef> block =
          FindBlock(ByteReader(absl::string_view(events[i]).substr(1)).Hash());
      // Below our own height a branch is kept, but not taken.
      if (block.has_value() && blocks_[*block].height > height()) {
        Activate(*block);
      }
      continue;
    }
    // A transaction that conflicts with ours is refused, and that is right.
    Apply(events[i]);
  }
  return true;
}

std::vector<std::string> Chain::Export(bool with_mempool) const {
  std::vector<std::string> events;
  events.push_back(
      Event(kInitEvent, InitPayload(name_, admin_, genesis_time_)));
  for (const auto& [hash, data] : chunks_) {
    events.push_back(Event(kChunkEvent, data));
  }
  for (size_t height = 1; height < active_.size(); ++height) {
    const ChainBlock& block = blocks_[active_[height]];
    std::string payload = block.header;
    for (const TxRef ref : block.txs) {
      const ChainTx& tx = txs_[ref];
      events.push_back(
          Event(kTxEvent, TxPayload(tx.raw, block.time, block.time, true)));
      absl::StrAppend(&payload, BytesOf(tx.id));
    }
    events.push_back(Event(kBlockEvent, payload));
    // Each on its own, so that what a block creates is there for the next.
    events.push_back(Event(kActivateEvent, BytesOf(block.hash)));
  }
  if (!with_mempool) return events;
  for (const TxRef ref : mempool_) {
    const ChainTx& tx = txs_[ref];
    if (tx.held) continue;
    events.push_back(
        Event(kTxEvent, TxPayload(tx.raw, tx.time, tx.received, false)));
  }
  return events;
}

absl::optional<TxRef> Chain::AddTransaction(absl::string_view raw, int64_t time,
                                            int64_t received,
                                            bool may_conflict) {
  const Digest id = DoubleSha256(raw);
  if (const auto known = FindTx(id)) return known;
  ChainTx tx;
  tx.raw = std::string(raw);
  const absl::optional<ParsedTransaction> parsed = ParseTransaction(tx.raw);
  if (!parsed.has_value()) return absl::nullopt;
  tx.id = id;
  tx.time = time;
  tx.received = received;
  tx.coinbase = parsed->coinbase();
  bool spendable = !tx.coinbase;
  if (!tx.coinbase && !parsed->inputs.empty()) {
    tx.signer = SignerOf(parsed->inputs[0]);
    for (const TxInput& input : parsed->inputs) {
      const absl::optional<TxRef> parent = FindTx(input.from.txid);
      if (!parent.has_value()) return absl::nullopt;
      tx.parents.push_back(*parent);
      if (!txs_[*parent].valid() || spent_.contains(input.from)) {
        spendable = false;
      }
    }
    if (!spendable && !may_conflict) return absl::nullopt;
  }
  Emit(kTxEvent, TxPayload(raw, time, received, may_conflict));
  const auto ref = static_cast<TxRef>(txs_.size());
  tx.first_item = static_cast<ItemRef>(items_.size());
  txs_.push_back(std::move(tx));
  tx_by_id_[id] = ref;
  // Moving a short string would have moved the bytes that `parsed` points to;
  // a transaction is never that short.
  AddStream(ref, *parsed);
  AddItems(ref, *parsed);
  // With `may_conflict` it waits for its block: it was never sent to us.
  if (spendable && !may_conflict) {
    EnterMempool(ref);
    ApplyEffects(ref);
  }
  return ref;
}

void Chain::AddStream(TxRef ref, const ParsedTransaction& parsed) {
  const ChainTx& tx = txs_[ref];
  for (const TxOutput& output : parsed.outputs) {
    const absl::optional<CreateScript> create =
        ParseCreateScript(output.script);
    if (!create.has_value()) continue;
    ChainStream stream;
    stream.name = create->name;
    stream.create_txid = tx.id;
    stream.create_tx = ref;
    stream.entity = EntityOf(tx.id);
    stream.restricts = create->restricts;
    stream.details = create->details;
    stream.creator = tx.signer;
    stream.exists = false;
    stream_by_entity_[stream.entity] = static_cast<uint32_t>(streams_.size());
    streams_.push_back(std::move(stream));
  }
}

ItemRef Chain::AddItems(TxRef ref, const ParsedTransaction& parsed) {
  ChainTx& tx = txs_[ref];
  for (size_t vout = 0; vout < parsed.outputs.size(); ++vout) {
    const absl::string_view script = parsed.outputs[vout].script;
    const absl::optional<ItemScript> item = ParseItemScript(script);
    if (!item.has_value()) continue;
    const auto stream = stream_by_entity_.find(item->entity);
    if (stream == stream_by_entity_.end()) continue;
    ChainItem entry;
    entry.tx = ref;
    entry.vout = static_cast<uint32_t>(vout);
    entry.stream = stream->second;
    entry.script_at = static_cast<uint32_t>(script.data() - tx.raw.data());
    entry.script_size = static_cast<uint32_t>(script.size());
    items_.push_back(entry);
    ++tx.item_count;
  }
  return tx.first_item;
}

void Chain::EnterMempool(TxRef ref) {
  txs_[ref].state = ChainTx::State::kUnconfirmed;
  txs_[ref].block = kNoRef;
  if (mempool_.insert(ref).second) mempool_bytes_ += txs_[ref].raw.size();
}

void Chain::LeaveMempool(TxRef ref) {
  if (mempool_.erase(ref) > 0) mempool_bytes_ -= txs_[ref].raw.size();
}

void Chain::ApplyEffects(TxRef ref) {
  const ChainTx& tx = txs_[ref];
  const absl::optional<ParsedTransaction> parsed = ParseTransaction(tx.raw);
  if (!tx.coinbase) {
    for (const TxInput& input : parsed->inputs) {
      spent_[input.from] = ref;
      auto unspent = unspent_.find(tx.signer);
      if (unspent != unspent_.end()) std::erase(unspent->second, input.from);
    }
  }
  for (size_t vout = 0; vout < parsed->outputs.size(); ++vout) {
    const absl::string_view script = parsed->outputs[vout].script;
    const absl::optional<std::string> hash = PaidTo(script);
    if (!hash.has_value()) continue;
    unspent_[*hash].push_back({tx.id, static_cast<uint32_t>(vout)});
    if (const auto permission = ParsePermissionScript(script)) {
      permissions_.Apply(*permission, tx.signer);
    }
  }
  const auto stream = stream_by_entity_.find(EntityOf(tx.id));
  if (stream != stream_by_entity_.end()) {
    ChainStream& created = streams_[stream->second];
    created.exists = true;
    PermissionScript all;
    all.entity = created.entity;
    all.public_key_hash = created.creator;
    all.to = kForever;
    for (const PermissionName& name : StreamPermissions()) {
      all.type |= name.type;
    }
    permissions_.Apply(all, created.creator);
  }
  IndexItems(tx);
}

void Chain::IndexItems(const ChainTx& tx) {
  const int times = tx.listed_twice && !tx.confirmed() ? 2 : 1;
  for (uint32_t i = 0; i < tx.item_count; ++i) {
    const ItemRef ref = tx.first_item + i;
    const ChainItem& item = items_[ref];
    const absl::optional<ItemScript> script =
        ParseItemScript(ItemScriptOf(item));
    for (int time = 0; time < times; ++time) {
      streams_[item.stream].index.Append(ref, script->keys, tx.signer);
    }
  }
}

void Chain::Rebuild() {
  permissions_.Clear();
  spent_.clear();
  unspent_.clear();
  for (ChainStream& stream : streams_) {
    stream.index.Clear();
    stream.exists = stream.create_tx == kNoRef;
  }
  PermissionScript all;
  all.public_key_hash = admin_;
  all.to = kForever;
  for (const PermissionName& name : ChainPermissions()) all.type |= name.type;
  permissions_.Apply(all, admin_);
  all.entity = streams_[0].entity;
  permissions_.Apply(all, admin_);
  for (const BlockRef block : active_) {
    for (const TxRef tx : blocks_[block].txs) ApplyEffects(tx);
  }
  for (const TxRef tx : mempool_) ApplyEffects(tx);
}

absl::optional<BlockRef> Chain::AddBlock(absl::string_view header,
                                         absl::Span<const TxRef> txs) {
  const Digest hash = DoubleSha256(header);
  if (const auto known = FindBlock(hash)) return known;
  const absl::optional<Header> parsed = ParseHeader(header);
  if (!parsed.has_value() || txs.empty()) return absl::nullopt;
  std::vector<Digest> ids;
  std::string payload(header);
  uint64_t size = kHeaderSize;
  std::string count;
  AppendCompactSize(txs.size(), &count);
  size += count.size();
  for (const TxRef tx : txs) {
    ids.push_back(txs_[tx].id);
    absl::StrAppend(&payload, BytesOf(txs_[tx].id));
    size += txs_[tx].raw.size();
  }
  if (MerkleRoot(ids) != parsed->merkle_root) return absl::nullopt;
  ChainBlock block;
  if (!blocks_.empty()) {
    const absl::optional<BlockRef> previous = FindBlock(parsed->previous);
    if (!previous.has_value()) return absl::nullopt;
    block.previous = *previous;
    block.height = blocks_[*previous].height + 1;
  }
  Emit(kBlockEvent, payload);
  block.header = std::string(header);
  block.hash = hash;
  block.time = parsed->time;
  block.size = size;
  block.txs.assign(txs.begin(), txs.end());
  block.miner = admin_;
  const auto coinbase = ParseTransaction(txs_[txs[0]].raw);
  for (const TxOutput& output : coinbase->outputs) {
    const absl::optional<std::string> miner = MinerOf(output.script);
    if (miner.has_value()) block.miner = *miner;
  }
  const auto ref = static_cast<BlockRef>(blocks_.size());
  blocks_.push_back(std::move(block));
  block_by_hash_[hash] = ref;
  return ref;
}

bool Chain::Extend(BlockRef tip) {
  if (active_.empty() || blocks_[tip].previous != tip_) return false;
  const std::vector<TxRef>& txs = blocks_[tip].txs;
  TxRef last = 0;
  for (size_t i = 1; i < txs.size(); ++i) {
    // In the order of arrival, so that no list changes its order.
    if (!mempool_.contains(txs[i]) || txs[i] < last ||
        txs_[txs[i]].listed_twice) {
      return false;
    }
    last = txs[i];
  }
  // What stays unconfirmed must come after all that is confirmed.
  auto first_left = mempool_.begin();
  for (size_t i = 1; i < txs.size(); ++i, ++first_left) {
    if (*first_left != txs[i]) return false;
  }
  for (size_t i = 0; i < txs.size(); ++i) {
    ChainTx& tx = txs_[txs[i]];
    LeaveMempool(txs[i]);
    tx.state = ChainTx::State::kConfirmed;
    tx.held = false;
    tx.block = tip;
    tx.index = static_cast<uint32_t>(i);
  }
  active_.push_back(tip);
  tip_ = tip;
  ApplyEffects(txs[0]);
  return true;
}

void Chain::Activate(BlockRef tip) {
  Emit(kActivateEvent, BytesOf(blocks_[tip].hash));
  if (Extend(tip)) return;
  std::vector<BlockRef> branch;
  for (BlockRef block = tip; block != kNoRef && !IsActive(block);
       block = blocks_[block].previous) {
    branch.push_back(block);
  }
  const bool only_grows = !branch.empty() && mempool_.empty() &&
                          blocks_[branch.back()].height == active_.size();
  const size_t kept =
      branch.empty() ? blocks_[tip].height + 1 : blocks_[branch.back()].height;
  for (; active_.size() > kept; active_.pop_back()) {
    for (const TxRef ref : blocks_[active_.back()].txs) {
      txs_[ref].block = kNoRef;
      txs_[ref].state = ChainTx::State::kInvalid;
      if (!txs_[ref].coinbase) EnterMempool(ref);
    }
  }
  std::vector<TxRef> connected;
  for (auto block = branch.rbegin(); block != branch.rend(); ++block) {
    active_.push_back(*block);
    const std::vector<TxRef>& txs = blocks_[*block].txs;
    for (size_t i = 0; i < txs.size(); ++i) {
      LeaveMempool(txs[i]);
      ChainTx& tx = txs_[txs[i]];
      tx.state = ChainTx::State::kConfirmed;
      tx.held = false;
      tx.listed_twice = false;
      tx.block = *block;
      tx.index = static_cast<uint32_t>(i);
      connected.push_back(txs[i]);
    }
  }
  tip_ = tip;
  if (only_grows && active_.size() > branch.size()) {
    for (const TxRef tx : connected) ApplyEffects(tx);
    return;
  }
  InvalidateConflicts(connected);
  Rebuild();
}

void Chain::InvalidateConflicts(absl::Span<const TxRef> connected) {
  absl::flat_hash_set<OutPoint> spent;
  for (const TxRef ref : connected) {
    if (txs_[ref].coinbase) continue;
    const auto parsed = ParseTransaction(txs_[ref].raw);
    for (const TxInput& input : parsed->inputs) spent.insert(input.from);
  }
  // In the order of arrival: parents before their children.
  const std::vector<TxRef> unconfirmed(mempool_.begin(), mempool_.end());
  for (const TxRef ref : unconfirmed) {
    const auto parsed = ParseTransaction(txs_[ref].raw);
    bool valid = true;
    for (const TxInput& input : parsed->inputs) {
      valid = valid && !spent.contains(input.from);
    }
    for (const TxRef parent : txs_[ref].parents) {
      valid = valid && txs_[parent].valid();
    }
    if (!valid) {
      LeaveMempool(ref);
      txs_[ref].state = ChainTx::State::kInvalid;
    }
  }
}

void Chain::SetHeld(TxRef tx, bool held) {
  Emit(kHeldEvent, absl::StrCat(absl::string_view(held ? "\x01" : "\0", 1),
                                BytesOf(txs_[tx].id)));
  txs_[tx].held = held;
}

void Chain::ListTwice(absl::Span<const TxRef> txs) {
  if (txs.empty()) return;
  std::string payload;
  for (const TxRef tx : txs) {
    absl::StrAppend(&payload, BytesOf(txs_[tx].id));
    txs_[tx].listed_twice = !txs_[tx].confirmed();
  }
  Emit(kTwiceEvent, payload);
  Rebuild();
}

void Chain::SetSubscribed(uint32_t stream, bool subscribed) {
  std::string payload;
  AppendLittle(stream, 4, &payload);
  payload.push_back(subscribed ? '\x01' : '\0');
  Emit(kSubscribedEvent, payload);
  streams_[stream].subscribed = subscribed;
}

void Chain::AddChunk(absl::string_view data) {
  const std::string hash(BytesOf(Sha256Of(data)));
  if (!chunks_.try_emplace(hash, data).second) return;
  Emit(kChunkEvent, data);
}

absl::optional<BlockRef> Chain::FindBlock(const Digest& hash) const {
  const auto block = block_by_hash_.find(hash);
  if (block == block_by_hash_.end()) return absl::nullopt;
  return block->second;
}

bool Chain::IsActive(BlockRef ref) const {
  const uint32_t height = blocks_[ref].height;
  return height < active_.size() && active_[height] == ref;
}

std::string Chain::RawBlock(BlockRef ref) const {
  const ChainBlock& block = blocks_[ref];
  std::string raw = block.header;
  raw.reserve(block.size);
  AppendCompactSize(block.txs.size(), &raw);
  for (const TxRef tx : block.txs) raw.append(txs_[tx].raw);
  return raw;
}

absl::optional<TxRef> Chain::FindTx(const Digest& id) const {
  const auto tx = tx_by_id_.find(id);
  if (tx == tx_by_id_.end()) return absl::nullopt;
  return tx->second;
}

uint32_t Chain::Confirmations(const ChainTx& tx) const {
  return tx.confirmed() ? height() - blocks_[tx.block].height + 1 : 0;
}

std::vector<OutPoint> Chain::Unspent(absl::string_view hash) const {
  const auto unspent = unspent_.find(hash);
  return unspent == unspent_.end() ? std::vector<OutPoint>() : unspent->second;
}

absl::string_view Chain::ItemScriptOf(const ChainItem& item) const {
  return absl::string_view(txs_[item.tx].raw)
      .substr(item.script_at, item.script_size);
}

const std::string* Chain::FindChunk(absl::string_view hash) const {
  const auto chunk = chunks_.find(hash);
  return chunk == chunks_.end() ? nullptr : &chunk->second;
}

size_t Chain::ConfirmedOf(const std::vector<ItemRef>& list) const {
  const auto end = std::partition_point(
      list.begin(), list.end(),
      [this](ItemRef item) { return txs_[items_[item].tx].confirmed(); });
  return static_cast<size_t>(end - list.begin());
}

}  // namespace windproof::fake_node
