#include "services/anchor/multichain/stream_mirror.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kNumberBytes = 8;
constexpr int kOldestLookedAt = 4096;
constexpr size_t kWrittenAtOnce = 1000;
constexpr absl::string_view kProgress = "mprogress";

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "the mirror of the stream is damaged (", what,
      "); stop the anchor and delete the folder: it is rebuilt from the "
      "chain"));
}

}  // namespace

StreamMirror::StreamMirror(MirrorStore& store,
                           std::vector<std::string> publishers,
                           std::function<int64_t()> now_ms)
    : store_(store),
      publishers_(std::move(publishers)),
      now_ms_(std::move(now_ms)) {}

absl::StatusOr<std::unique_ptr<StreamMirror>> StreamMirror::Open(
    MirrorStore& store, std::vector<std::string> publishers,
    std::function<int64_t()> now_ms) {
  auto mirror = absl::WrapUnique(
      new StreamMirror(store, std::move(publishers), std::move(now_ms)));
  const absl::Status loaded = mirror->Load();
  if (!loaded.ok()) return loaded;
  return mirror;
}

absl::Status StreamMirror::Load() {
  size_ = foreign_ = doubles_ = lost_ = 0;
  progress_ = {};
  const auto kept = store_.Get(kProgress);
  if (!kept.ok()) return kept.status();
  if (kept->has_value()) {
    MirrorReader reader(**kept);
    size_ = reader.Number();
    foreign_ = reader.Number();
    doubles_ = reader.Number();
    lost_ = reader.Number();
    progress_.tip_height = reader.Number();
    progress_.settled = reader.Number();
    progress_.listed = reader.Number();
    progress_.tip_hash = std::string(reader.Text());
    progress_.last_name = std::string(reader.Text());
    if (!reader.ok() || !reader.done()) return Damaged("progress");
  }
  // Those that were known before have waited since then.
  absl::btree_map<int64_t, int64_t> before;
  before.swap(unconfirmed_);
  const int64_t now_ms = now_ms_();
  return store_.Scan("u", "u", [&](absl::string_view key, absl::string_view) {
    const int64_t position = MirrorNumberOf(key.substr(1));
    const auto known = before.find(position);
    unconfirmed_.emplace_hint(unconfirmed_.end(), position,
                              known == before.end() ? now_ms : known->second);
    return true;
  });
}

absl::Status StreamMirror::Commit(Progress progress) {
  std::string bytes;
  for (const int64_t number :
       {size_, foreign_, doubles_, lost_, progress.tip_height, progress.settled,
        progress.listed}) {
    AppendMirrorNumber(number, &bytes);
  }
  AppendMirrorText(progress.tip_hash, &bytes);
  AppendMirrorText(progress.last_name, &bytes);
  store_.Put(kProgress, bytes);
  const absl::Status committed = store_.Commit();
  if (committed.ok()) {
    progress_ = std::move(progress);
    return absl::OkStatus();
  }
  const absl::Status undone = Undo();
  return undone.ok() ? committed : undone;
}

absl::Status StreamMirror::Undo() {
  store_.Discard();
  return Load();
}

absl::StatusOr<std::vector<Digest>> StreamMirror::LoseAll() {
  std::vector<Digest> lost;
  for (int64_t position = 0; position < size_; ++position) {
    const absl::StatusOr<Item> item = at(position);
    if (!item.ok()) return item.status();
    if (item->lost) continue;
    lost.push_back(item->hash);
    Change change;
    absl::Status marked = MarkLost(position, &change);
    if (marked.ok() && lost.size() % kWrittenAtOnce == 0) {
      marked = Commit(progress_);
    }
    if (!marked.ok()) return marked;
  }
  while (true) {
    const absl::StatusOr<std::optional<Block>> last = LastBlock();
    if (!last.ok()) return last.status();
    if (!last->has_value()) break;
    DropBlock((*last)->height);
  }
  const absl::Status kept = Commit({});
  if (!kept.ok()) return kept;
  return lost;
}

absl::StatusOr<std::string> StreamMirror::Note(absl::string_view name) const {
  auto text = store_.Get(absl::StrCat("mnote.", name));
  if (!text.ok()) return text.status();
  return text->has_value() ? **std::move(text) : std::string();
}

absl::Status StreamMirror::SetNote(absl::string_view name,
                                   absl::string_view text) {
  store_.Put(absl::StrCat("mnote.", name), text);
  return Commit(progress_);
}

absl::Status StreamMirror::Clear() {
  const absl::Status cleared = store_.Clear();
  if (!cleared.ok()) return cleared;
  unconfirmed_.clear();
  return Load();
}

bool StreamMirror::IsOurs(const StreamItem& item) const {
  return std::any_of(item.publishers.begin(), item.publishers.end(),
                     [&](const std::string& publisher) {
                       return std::find(publishers_.begin(), publishers_.end(),
                                        publisher) != publishers_.end();
                     });
}

void StreamMirror::SetUnconfirmed(int64_t position, bool is_so) {
  const std::string key = MirrorPositionKey('u', position);
  if (!is_so) {
    if (unconfirmed_.erase(position) > 0) store_.Delete(key);
  } else if (unconfirmed_.emplace(position, now_ms_()).second) {
    store_.Put(key, "");
  }
}

absl::StatusOr<MirrorPlace> StreamMirror::PlaceOf(int64_t position) const {
  const auto bytes = store_.Get(MirrorPositionKey('s', position));
  if (!bytes.ok()) return bytes.status();
  MirrorPlace place;
  if (!bytes->has_value() || !DecodeMirrorPlace(**bytes, &place)) {
    return Damaged(absl::StrCat("place of item ", position));
  }
  return place;
}

absl::StatusOr<int64_t> StreamMirror::Add(const StreamItem& item,
                                          Change* change) {
  const int64_t position = size_;
  const std::string number = MirrorNumber(position);
  const Digest hash = Sha256Of(item.data);
  if (item.data_is == StreamItem::Data::kHere) {
    const std::string key = MirrorDataKey(hash);
    const auto positions = store_.Get(key);
    if (!positions.ok()) return positions.status();
    if (positions->has_value()) {
      const absl::StatusOr<int64_t> first = FindData(hash);
      if (!first.ok()) return first.status();
      if (*first >= 0) ++doubles_;
    }
    store_.Put(key, absl::StrCat(positions->value_or(""), number));
  }
  store_.Put(MirrorPositionKey('i', position), EncodeMirrorItem(item, hash));
  store_.Put(MirrorNameKey('n', item.txid, item.vout), number);
  for (const std::string& key : item.keys) {
    store_.Put(absl::StrCat(MirrorIndexPrefix(key), number), "");
  }
  MirrorPlace place;
  if (!item.valid) {
    place.lost = true;
    ++lost_;
  } else if (item.confirmed()) {
    place.height = item.height;
    place.block_hash = item.block_hash;
    store_.Put(MirrorHeightKey(item.height, position), BytesOf(hash));
    ++change->confirmed;
  } else {
    SetUnconfirmed(position, true);
  }
  store_.Put(MirrorPositionKey('s', position), EncodeMirrorPlace(place));
  ++size_;
  ++change->added;
  ++change->listed;
  change->positions.push_back(position);
  return position;
}

absl::StatusOr<int64_t> StreamMirror::Take(const StreamItem& item,
                                           Change* change) {
  if (item.data_is == StreamItem::Data::kNone) return -1;
  if (!IsOurs(item)) {
    const std::string key = MirrorNameKey('f', item.txid, item.vout);
    const auto known = store_.Get(key);
    if (!known.ok()) return known.status();
    if (!known->has_value()) {
      store_.Put(key, "");
      ++foreign_;
      ++change->listed;
    }
    return -1;
  }
  const auto known = store_.Get(MirrorNameKey('n', item.txid, item.vout));
  if (!known.ok()) return known.status();
  if (!known->has_value()) return Add(item, change);
  if ((*known)->size() != kNumberBytes) return Damaged("name of an item");
  const int64_t position = MirrorNumberOf(**known);
  if (!item.valid) {
    const absl::Status marked = MarkLost(position, change);
    if (!marked.ok()) return marked;
    return position;
  }

  const absl::StatusOr<MirrorPlace> before = PlaceOf(position);
  if (!before.ok()) return before.status();
  MirrorPlace now;
  now.height = item.height;
  now.block_hash = item.block_hash;
  if (!before->lost && before->height == now.height &&
      before->block_hash == now.block_hash) {
    return position;
  }
  if (before->lost) {
    // It is there after all: the chain went back to a branch that has it.
    --lost_;
    ++change->added;
  }
  if (before->height >= 0) {
    store_.Delete(MirrorHeightKey(before->height, position));
  }
  if (item.confirmed()) {
    store_.Put(MirrorHeightKey(item.height, position),
               BytesOf(Sha256Of(item.data)));
    ++change->confirmed;
  }
  SetUnconfirmed(position, !item.confirmed());
  store_.Put(MirrorPositionKey('s', position), EncodeMirrorPlace(now));
  change->positions.push_back(position);
  return position;
}

absl::Status StreamMirror::Unconfirm(int64_t height, Change* change) {
  std::vector<std::string> keys;
  const absl::Status scanned =
      store_.Scan("h", MirrorPositionKey('h', height),
                  [&](absl::string_view key, absl::string_view) {
                    keys.emplace_back(key);
                    return true;
                  });
  if (!scanned.ok()) return scanned;
  const std::string nowhere = EncodeMirrorPlace({});
  for (const std::string& key : keys) {
    if (key.size() != 1 + 2 * kNumberBytes) return Damaged("index of heights");
    const int64_t position =
        MirrorNumberOf(absl::string_view(key).substr(1 + kNumberBytes));
    store_.Delete(key);
    store_.Put(MirrorPositionKey('s', position), nowhere);
    SetUnconfirmed(position, true);
    change->positions.push_back(position);
  }
  return absl::OkStatus();
}

absl::Status StreamMirror::MarkLost(int64_t position, Change* change) {
  const absl::StatusOr<MirrorPlace> before = PlaceOf(position);
  if (!before.ok()) return before.status();
  if (before->lost) return absl::OkStatus();
  if (before->height >= 0) {
    store_.Delete(MirrorHeightKey(before->height, position));
  }
  MirrorPlace now;
  now.lost = true;
  store_.Put(MirrorPositionKey('s', position), EncodeMirrorPlace(now));
  SetUnconfirmed(position, false);
  ++lost_;
  change->positions.push_back(position);
  return absl::OkStatus();
}

absl::StatusOr<StreamMirror::Item> StreamMirror::at(int64_t position) const {
  const auto bytes = store_.Get(MirrorPositionKey('i', position));
  if (!bytes.ok()) return bytes.status();
  Item item;
  if (!bytes->has_value() ||
      !DecodeMirrorItem(**bytes, &item.item, &item.hash)) {
    return Damaged(absl::StrCat("item ", position));
  }
  absl::StatusOr<MirrorPlace> place = PlaceOf(position);
  if (!place.ok()) return place.status();
  item.lost = place->lost;
  item.item.height = place->height;
  item.item.block_hash = std::move(place->block_hash);
  return item;
}

absl::Status StreamMirror::Visit(
    int64_t first, const std::string* key,
    absl::FunctionRef<bool(int64_t position, Item& item)> visit) const {
  absl::Status failed;
  const auto visit_at = [&](int64_t position) {
    absl::StatusOr<Item> item = at(position);
    if (!item.ok()) {
      failed = item.status();
      return false;
    }
    return visit(position, *item);
  };
  if (key == nullptr) {
    for (int64_t position = first; position < size_; ++position) {
      if (!visit_at(position)) break;
    }
    return failed;
  }
  const std::string prefix = MirrorIndexPrefix(*key);
  const absl::Status scanned = store_.Scan(
      prefix, absl::StrCat(prefix, MirrorNumber(first)),
      [&](absl::string_view found, absl::string_view) {
        return visit_at(MirrorNumberOf(found.substr(prefix.size())));
      });
  return failed.ok() ? scanned : failed;
}

absl::Status StreamMirror::VisitHeights(
    int64_t first, int64_t end,
    absl::FunctionRef<void(int64_t position, const Digest& data)> visit) const {
  const std::string beyond = MirrorPositionKey('h', end);
  return store_.Scan(
      "h", MirrorPositionKey('h', first),
      [&](absl::string_view key, absl::string_view value) {
        if (key >= beyond) return false;
        const absl::StatusOr<Digest> data = DigestFromBytes(value);
        if (data.ok()) {
          visit(MirrorNumberOf(key.substr(1 + kNumberBytes)), *data);
        }
        return true;
      });
}

absl::StatusOr<int64_t> StreamMirror::FindData(const Digest& hash) const {
  const auto positions = store_.Get(MirrorDataKey(hash));
  if (!positions.ok()) return positions.status();
  if (!positions->has_value()) return -1;
  for (absl::string_view rest = **positions; rest.size() >= kNumberBytes;
       rest.remove_prefix(kNumberBytes)) {
    const int64_t position = MirrorNumberOf(rest.substr(0, kNumberBytes));
    const absl::StatusOr<MirrorPlace> place = PlaceOf(position);
    if (!place.ok()) return place.status();
    if (!place->lost) return position;
  }
  return -1;
}

std::optional<std::pair<int64_t, int64_t>> StreamMirror::OldestUnconfirmed()
    const {
  std::optional<std::pair<int64_t, int64_t>> oldest;
  int looked_at = 0;
  for (const auto& item : unconfirmed_) {
    if (!oldest.has_value() || item.second < oldest->second) oldest = item;
    if (++looked_at == kOldestLookedAt) break;
  }
  return oldest;
}

absl::StatusOr<std::optional<StreamMirror::Block>> StreamMirror::LastBlock()
    const {
  const auto last = store_.Last("b");
  if (!last.ok()) return last.status();
  if (!last->has_value()) return std::optional<Block>();
  MirrorReader reader((*last)->second);
  Block block;
  block.height = MirrorNumberOf(absl::string_view((*last)->first).substr(1));
  block.end = reader.Number();
  block.hash = std::string(reader.Text());
  if (!reader.ok()) return Damaged("a block");
  return std::optional<Block>(std::move(block));
}

void StreamMirror::PutBlock(const Block& block) {
  std::string value = MirrorNumber(block.end);
  AppendMirrorText(block.hash, &value);
  store_.Put(MirrorPositionKey('b', block.height), value);
}

void StreamMirror::DropBlock(int64_t height) {
  store_.Delete(MirrorPositionKey('b', height));
}

}  // namespace windproof
