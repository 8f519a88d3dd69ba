#include "tests/multichain/fault/submitter.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/testing/checkpoints.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kCallTimeout{60};
constexpr milliseconds kRetryFirst{20};
constexpr milliseconds kRetryLast{500};
// Between calls that succeed: a station's windows do not come all at once.
constexpr milliseconds kPace{20};
constexpr int kReconnectMs = 50;

bool MayBeRepeated(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::INVALID_ARGUMENT:
      return false;  // these stop a key of window-hash
    default:
      return true;
  }
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace

Submitter::Submitter(const std::string& anchor, const Options& options)
    : options_(options),
      stub_(v1::AnchorService::NewStub(ChannelTo(anchor))),
      submitted_(options.keys) {}

Submitter::~Submitter() { End(); }

void Submitter::Submit(int batches) {
  for (int i = 0; i < batches && !testing::Test::HasFatalFailure(); ++i) {
    SubmitNext();
  }
}

void Submitter::Begin() {
  ending_.store(false);
  thread_ = std::thread([this] {
    while (!ending_.load() && !testing::Test::HasFailure()) {
      SubmitNext();
      std::this_thread::sleep_for(kPace);
    }
  });
}

void Submitter::End() {
  ending_.store(true);
  if (thread_.joinable()) thread_.join();
}

void Submitter::SubmitNext() {
  std::vector<std::string> batch;
  const bool first = last_.empty();
  for (int i = 0; i < options_.batch; ++i) {
    const int key = i % options_.keys;
    const std::string name = absl::StrCat(options_.name, key);
    const bool is_first = first && i < options_.keys;
    Checkpoint next = NextCheckpoint(name, is_first ? nullptr : &last_[key]);
    batch.push_back(EncodeCheckpoint(next));
    submitted_[key].push_back(batch.back());
    if (is_first) {
      last_.push_back(std::move(next));
    } else {
      last_[key] = std::move(next);
    }
  }
  SubmitUntilAnswered(batch);
}

void Submitter::SubmitAllAgain() {
  for (const std::vector<std::string>& checkpoints : submitted_) {
    for (size_t from = 0; from < checkpoints.size(); from += 1000) {
      const size_t end = std::min(checkpoints.size(), from + 1000);
      SubmitUntilAnswered({checkpoints.begin() + static_cast<int64_t>(from),
                           checkpoints.begin() + static_cast<int64_t>(end)});
    }
  }
}

void Submitter::SubmitUntilAnswered(
    const std::vector<std::string>& checkpoints) {
  v1::SubmitCheckpointsRequest request;
  for (const std::string& bytes : checkpoints) {
    v1::SignedCheckpoint* const checkpoint = request.add_checkpoints();
    checkpoint->set_checkpoint(bytes);
    checkpoint->set_signature(std::string(64, 's'));
    checkpoint->set_signer("windproof/producer-test");
  }
  milliseconds wait = kRetryFirst;
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    v1::SubmitCheckpointsResponse response;
    const grpc::Status status =
        stub_->SubmitCheckpoints(&context, request, &response);
    if (status.ok()) {
      EXPECT_EQ(response.receipts_size(), static_cast<int>(checkpoints.size()));
      for (int i = 0; i < response.receipts_size(); ++i) {
        const v1::Receipt& receipt = response.receipts(i);
        EXPECT_EQ(receipt.checkpoint_sha256(),
                  BytesOf(Sha256Of(checkpoints[static_cast<size_t>(i)])));
        EXPECT_NE(receipt.txid(), "");
      }
      return;
    }
    if (!MayBeRepeated(status)) {
      ADD_FAILURE() << "would stop a key: " << status.error_message();
      return;
    }
    ++failed_calls_;
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 2, kRetryLast);
  }
}

int64_t Submitter::count() const {
  int64_t count = 0;
  for (const std::vector<std::string>& key : submitted_) {
    count += static_cast<int64_t>(key.size());
  }
  return count;
}

int64_t ExpectOnChain(ChainNode& node,
                      const std::vector<const Submitter*>& submitters,
                      bool in_order) {
  // Where each checkpoint stands first.
  std::map<std::string, size_t> first;
  int64_t doubles = 0;
  std::map<std::string, std::vector<std::string>> keys;
  const std::vector<ChainItem> items = node.Items();
  for (size_t i = 0; i < items.size(); ++i) {
    const ChainItem& item = items[i];
    EXPECT_TRUE(item.valid) << item.txid;
    EXPECT_EQ(item.publisher, node.address());
    if (!first.try_emplace(item.text, i).second) ++doubles;
    const auto [place, is_new] = keys.try_emplace(item.text, item.keys);
    EXPECT_EQ(place->second, item.keys);
  }
  // Two may have submitted the same.
  std::set<std::string> expected;
  for (const Submitter* submitter : submitters) {
    for (const std::vector<std::string>& key : submitter->submitted()) {
      size_t last = 0;
      for (size_t seq = 0; seq < key.size(); ++seq) {
        const std::string& bytes = key[seq];
        const auto place = first.find(bytes);
        if (place == first.end()) {
          ADD_FAILURE() << "not on the chain: " << bytes;
          continue;
        }
        if (in_order && seq > 0) {
          EXPECT_GT(place->second, last)
              << "before seq " << seq - 1 << " of " << keys[bytes].front();
        }
        last = place->second;
        const auto checkpoint = ParseCheckpoint(bytes);
        EXPECT_TRUE(checkpoint.ok());
        if (!checkpoint.ok()) continue;
        EXPECT_EQ(
            absl::StrJoin(keys[bytes], " "),
            absl::StrCat(LedgerStreamKey(checkpoint->pipeline, checkpoint->key),
                         " ",
                         LedgerWindowKey(checkpoint->pipeline, checkpoint->key,
                                         checkpoint->window_start_ms)));
        expected.insert(bytes);
      }
    }
  }
  EXPECT_EQ(first.size(), expected.size()) << "items of nobody";
  return doubles;
}

}  // namespace windproof
