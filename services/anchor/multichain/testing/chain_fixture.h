// A stand-in node, and a ledger on it that looks at it often. For tests.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_CHAIN_FIXTURE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_CHAIN_FIXTURE_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/multichain_ledger.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/testing/temp_dir.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {

// Counts calls by method. Thread-safe.
class RpcCounts {
 public:
  void Add(absl::string_view method) {
    MutexLock lock(mutex_);
    ++counts_[std::string(method)];
  }
  int64_t Of(const std::string& method) {
    MutexLock lock(mutex_);
    return counts_[method];
  }

 private:
  Mutex mutex_;
  std::map<std::string, int64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

class CountingRpc final : public JsonRpc {
 public:
  CountingRpc(std::unique_ptr<JsonRpc> inner, RpcCounts& counts)
      : inner_(std::move(inner)), counts_(counts) {}
  RpcReply Call(absl::string_view method, absl::string_view params) override {
    counts_.Add(method);
    return inner_->Call(method, params);
  }
  void Cancel() override { inner_->Cancel(); }

 private:
  const std::unique_ptr<JsonRpc> inner_;
  RpcCounts& counts_;
};

// A time that a test sets. Thread-safe.
class TestTime {
 public:
  explicit TestTime(int64_t ms) : ms_(ms) {}
  void Advance(int64_t ms) {
    MutexLock lock(mutex_);
    ms_ += ms;
  }
  int64_t now_ms() {
    MutexLock lock(mutex_);
    return ms_;
  }

 private:
  Mutex mutex_;
  int64_t ms_ ABSL_GUARDED_BY(mutex_);
};

class ChainFixture {
 public:
  ChainFixture() {
    auto node = FakeNode::Start({});
    EXPECT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
    config_ = ConfigOf(*node_);
    Open();
  }

  static MultiChainConfig ConfigOf(FakeNode& node) {
    MultiChainConfig config;
    config.urls = {node.url()};
    config.chain = node.options().chain_name;
    config.genesis = node.genesis_hash();
    config.stream = "checkpoints";
    config.address = node.address();
    config.publishers = {node.address()};
    config.user = node.options().user;
    config.password = node.options().password;
    config.create_stream = true;
    return config;
  }

  // From the next Open() on.
  void SetPollMs(int64_t poll_ms) { poll_ms_ = poll_ms; }
  void Close() { ledger_.reset(); }

  void Open() {
    Close();
    MultiChainLedger::Options options;
    options.config = config_;
    options.store_path = folder();
    options.poll_ms = poll_ms_;
    options.now_ms = [this] { return wall_.now_ms(); };
    options.steady_ms = [this] { return steady_.now_ms(); };
    auto rpc = OpenNodeRpc(config_);
    EXPECT_TRUE(rpc.ok()) << rpc.status();
    options.rpc = std::make_unique<CountingRpc>(*std::move(rpc), counts_);
    options.warn = [this](absl::string_view line) {
      MutexLock lock(mutex_);
      warnings_.emplace_back(line);
    };
    auto ledger = MultiChainLedger::Open(std::move(options));
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
  }

  MultiChainLedger& ledger() { return *ledger_; }
  FakeNode& node() { return *node_; }
  MultiChainConfig& config() { return config_; }
  std::string folder() const { return dir_.path() + "/multichain"; }
  RpcCounts& counts() { return counts_; }
  TestTime& wall() { return wall_; }
  TestTime& steady() { return steady_; }

  // The items as the ledger says now, in order of position.
  std::vector<LedgerItem> All(bool with_inclusion = false) {
    LedgerQuery query;
    query.with_inclusion = with_inclusion;
    const auto state = ledger_->State();
    EXPECT_TRUE(state.ok()) << state.status();
    std::vector<LedgerItem> items;
    for (bool at_end = false; !at_end;) {
      auto page = ledger_->Read(query);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (LedgerItem& item : page->items) items.push_back(std::move(item));
      query.first = page->next;
      at_end = page->at_end;
    }
    return items;
  }

  bool Warned(absl::string_view text) {
    MutexLock lock(mutex_);
    for (const std::string& line : warnings_) {
      if (absl::StrContains(line, text)) return true;
    }
    return false;
  }

  static LedgerDraft Draft(const std::string& data) {
    return {{"p/k", "p/k/" + data}, data, "signer", std::string(64, 's')};
  }

  // Waits for what another thread brings about.
  static bool Eventually(const std::function<bool()>& is_so) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

 private:
  TempDir dir_;
  std::unique_ptr<FakeNode> node_;
  MultiChainConfig config_;
  RpcCounts counts_;
  int64_t poll_ms_ = 20;
  TestTime wall_{1'769'299'200'000};
  TestTime steady_{1'000'000};
  Mutex mutex_;
  std::vector<std::string> warnings_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<MultiChainLedger> ledger_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_CHAIN_FIXTURE_H_
