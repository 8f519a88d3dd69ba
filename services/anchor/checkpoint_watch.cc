#include "services/anchor/checkpoint_watch.h"

#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/server/grpc_status.h"
#include "services/anchor/anchor_codec.h"

namespace windproof {
namespace {

constexpr int64_t kChunkItems = 64;
// Of which it is known what was told last, so that it is not told again.
constexpr size_t kToldMax = 2048;

}  // namespace

// One call. gRPC calls OnWriteDone, OnCancel and OnDone, each from a thread of
// its own; OnDone is the last of all and destroys the stream.
class CheckpointWatch::Stream final
    : public grpc::ServerWriteReactor<v1::LedgerItem> {
 public:
  Stream(CheckpointWatch& watch, LedgerFilter filter, int64_t position)
      : watch_(watch),
        filter_(std::move(filter)),
        first_(position),
        position_(position) {}

  // Ends the call, once no write is under way.
  void End(const grpc::Status& status) {
    MutexLock lock(mutex_);
    if (!end_.has_value()) end_ = status;
    Continue();
  }

  // Looks for items, unless it is doing so already.
  void Wake() {
    MutexLock lock(mutex_);
    woken_ = true;
    Continue();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok && !end_.has_value()) {
      end_ = grpc::Status(grpc::StatusCode::CANCELLED, "the client has gone");
    }
    woken_ = true;
    Continue();
  }

  void OnCancel() override {
    End(grpc::Status(grpc::StatusCode::CANCELLED, "cancelled by the client"));
  }

  void OnDone() override {
    {
      MutexLock lock(watch_.mutex_);
      watch_.streams_.erase(this);
    }
    delete this;
  }

 private:
  // Does the next thing that there is to do.
  void Continue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (!end_.has_value() && woken_ && items_.empty()) Read();
    if (end_.has_value()) {
      finished_ = true;
      Finish(*end_);
      return;
    }
    if (items_.empty()) return;
    writing_ = true;
    out_ = std::move(items_.front());
    items_.pop_front();
    StartWrite(&out_);
  }

  // Reads until there is something to write or nothing more to read.
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    bool more = true;
    while (items_.empty() && more) {
      // What has changed of that which was read, before more is read.
      absl::Status status = ReadChanges(&more);
      if (status.ok() && items_.empty() && !more) status = ReadOn(&more);
      if (!status.ok()) {
        end_ = ToGrpcStatus(status);
        return;
      }
    }
    // At the end, only growth brings more.
    woken_ = !items_.empty();
  }

  absl::Status ReadChanges(bool* more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool begun = change_ >= 0;
    const absl::StatusOr<LedgerChanges> changes =
        watch_.ledger_.Changes(change_, kChunkItems);
    if (!changes.ok()) return changes.status();
    if (begun && changes->missed) {
      return absl::ResourceExhaustedError(
          "the client reads too slowly: changes were missed. Watch again");
    }
    change_ = changes->next;
    *more = !changes->at_end;
    for (const LedgerItem& item : changes->items) {
      // What was not read yet is read as it stands.
      if (item.position >= first_ && item.position < position_ &&
          Matches(filter_, item)) {
        Tell(item);
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadOn(bool* more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    LedgerQuery query;
    query.first = position_;
    query.max_items = kChunkItems;
    const absl::StatusOr<LedgerPage> page =
        ReadMatching(watch_.ledger_, filter_, query);
    if (!page.ok()) return page.status();
    position_ = page->next;
    *more = !page->at_end;
    for (const LedgerItem& item : page->items) {
      if (change_ < 0 &&
          item.confirmations < watch_.options_.confirmations_required) {
        // Nothing else would tell when the ledger has confirmed it.
        position_ = item.position;
        *more = false;
        break;
      }
      Tell(item);
    }
    return absl::OkStatus();
  }

  void Tell(const LedgerItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const int64_t required = watch_.options_.confirmations_required;
    const v1::Receipt::State state = StateOf(item, required);
    if (told_.size() >= kToldMax) told_.clear();
    const auto [told, is_new] = told_.try_emplace(item.position, state);
    if (!is_new && told->second == state) return;
    told->second = state;
    items_.push_back(ToProto(item, required));
  }

  CheckpointWatch& watch_;
  const LedgerFilter filter_;
  const int64_t first_;  // position of interest

  Mutex mutex_;
  // Of the ledger's changes, the next one to be seen; -1: those from now on.
  int64_t change_ ABSL_GUARDED_BY(mutex_) = -1;
  absl::flat_hash_map<int64_t, v1::Receipt::State> told_
      ABSL_GUARDED_BY(mutex_);
  int64_t position_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;  // there may be more to read
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::LedgerItem> items_ ABSL_GUARDED_BY(mutex_);
  v1::LedgerItem out_;  // gRPC's from StartWrite() to OnWriteDone()
};

CheckpointWatch::CheckpointWatch(Options options, Ledger& ledger)
    : options_(options), ledger_(ledger) {}

CheckpointWatch::~CheckpointWatch() { Stop(); }

void CheckpointWatch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void CheckpointWatch::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    for (Stream* stream : streams_) {
      stream->End(
          grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is ending"));
    }
  }
  ledger_.StopWaiting();
  if (thread_.joinable()) thread_.join();
}

grpc::ServerWriteReactor<v1::LedgerItem>* CheckpointWatch::NewStream(
    LedgerFilter filter, int64_t position) {
  auto* stream = new Stream(*this, std::move(filter), position);
  MutexLock lock(mutex_);
  if (stopped_) {
    stream->End(
        grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is ending"));
  } else if (static_cast<int>(streams_.size()) >= options_.max_streams) {
    stream->End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                             absl::StrCat(options_.max_streams,
                                          " watches are open; no more are "
                                          "accepted")));
  } else {
    streams_.insert(stream);
    // At once: so a client knows that it will see what is anchored from now on.
    stream->StartSendInitialMetadata();
    stream->Wake();
  }
  return stream;
}

grpc::ServerWriteReactor<v1::LedgerItem>* CheckpointWatch::Refuse(
    const grpc::Status& status) {
  auto* stream = new Stream(*this, {}, 0);
  stream->End(status);
  return stream;
}

int64_t CheckpointWatch::streams() {
  MutexLock lock(mutex_);
  return static_cast<int64_t>(streams_.size());
}

void CheckpointWatch::Run() {
  int64_t size = 0;
  while (true) {
    // The ledger wakes us; the deadline only bounds a wait that it forgot.
    ledger_.WaitForGrowth(
        size, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    size = ledger_.LastState().size;
    MutexLock lock(mutex_);
    if (stopped_) return;
    for (Stream* stream : streams_) stream->Wake();
  }
}

}  // namespace windproof
