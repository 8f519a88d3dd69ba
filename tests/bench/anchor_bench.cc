// What anchoring on a MultiChain stream costs, beside the node alone, all in
// one run:
//   (a) the node's own publishfrom, and publishmultifrom of 32 items;
//   (b) the anchor in direct mode, from SubmitCheckpoints to PUBLISHED;
//   (c) the anchor in batched mode, and what it puts on the chain for each
//       checkpoint at 1, 100 and 10,000 a head;
//   (d) a backlog, handed in as fast as it is taken.
//
//   anchor_bench [--quick] [--backlog N] [--multichain-config FILE]
//
// Without FILE the node is the stand-in of tests/multichain/fake_node, and its
// figures are of this program alone; with FILE it is the one that FILE names,
// which must be allowed to create streams. Node, anchor and clients share this
// machine: wall times are of all of them together.
#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/json_value.h"
#include "common/pipeline/checkpoint.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/node_rpc.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/testing/checkpoints.h"
#include "tests/bench/kafka_services.h"
#include "tests/e2e/process.h"
#include "tests/multichain/fault/chain_node.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

// As large as window-hash's calls.
constexpr int kCallCheckpoints = 500;
constexpr int kMultiItems = 32;
constexpr int64_t kBlockMs = 1'000;
constexpr int64_t kMadeBefore = 250'000;

struct Arguments {
  int64_t direct = 20'000;
  int64_t batched = 200'000;
  int64_t backlog = 1'000'000;
  std::string config;
};

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "anchor_bench: %s\n", message.c_str());
  std::exit(1);
}

Arguments ArgumentsOf(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--quick") {
      arguments.direct = 2'000;
      arguments.batched = 10'000;
      arguments.backlog = 20'000;
    } else if (argument == "--backlog" && i + 1 < argc &&
               absl::SimpleAtoi(argv[i + 1], &arguments.backlog) &&
               arguments.backlog >= 0) {
      ++i;
    } else if (argument == "--multichain-config" && i + 1 < argc) {
      arguments.config = argv[++i];
    } else {
      Fail(absl::StrCat("argument ", argument,
                        ": --quick, --backlog N and --multichain-config FILE "
                        "are accepted"));
    }
  }
  return arguments;
}

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// One key's checkpoints, as many as are asked for, made on the way.
class Source {
 public:
  explicit Source(std::string key) : key_(std::move(key)) {}

  v1::SubmitCheckpointsRequest Next(int count) {
    v1::SubmitCheckpointsRequest request;
    for (int i = 0; i < count; ++i) {
      last_ = NextCheckpoint(key_, first_ ? nullptr : &last_);
      first_ = false;
      v1::SignedCheckpoint* const checkpoint = request.add_checkpoints();
      checkpoint->set_checkpoint(EncodeCheckpoint(last_));
      checkpoint->set_signature(std::string(64, 's'));
      checkpoint->set_signer("windproof/producer-bench");
    }
    return request;
  }

 private:
  const std::string key_;
  bool first_ = true;
  Checkpoint last_;
};

// The node's own work, without an anchor.
class RawNode {
 public:
  RawNode(MultiChainConfig config, const std::string& stream)
      : config_(std::move(config)), stream_(stream) {
    auto rpc = OpenNodeRpc(config_);
    if (!rpc.ok()) Fail(rpc.status().ToString());
    rpc_ = *std::move(rpc);
    node_ = std::make_unique<StreamNode>(*rpc_, stream_, config_.address);
    const absl::Status created = node_->Create();
    if (!created.ok()) Fail(created.ToString());
  }

  std::string Version() {
    const RpcReply reply = rpc_->Call("getinfo", "[]");
    if (!reply.status.ok()) Fail(reply.status.ToString());
    const JsonValue* const version = reply.result.Find("version");
    return version == nullptr ? "?" : version->string;
  }

  // Items a second, one a call.
  double Publish(int64_t count) {
    const std::vector<LedgerDraft> drafts = Drafts("single", count);
    const auto start = steady_clock::now();
    for (const LedgerDraft& draft : drafts) {
      std::string text;
      AppendQuoted(draft.data, &text);
      const RpcReply reply =
          rpc_->Call("publishfrom",
                     absl::StrCat("[\"", config_.address, "\",\"", stream_,
                                  "\",[\"", absl::StrJoin(draft.keys, "\",\""),
                                  "\"],{\"text\":", text, "}]"));
      if (!reply.status.ok()) Fail(reply.status.ToString());
    }
    return static_cast<double>(count) / SecondsSince(start);
  }

  // The same, 32 a call.
  double PublishMulti(int64_t count) {
    const std::vector<LedgerDraft> drafts = Drafts("multi", count);
    const auto start = steady_clock::now();
    for (size_t from = 0; from < drafts.size(); from += kMultiItems) {
      const RpcReply reply = node_->Publish(
          absl::MakeConstSpan(drafts).subspan(from, kMultiItems));
      if (!reply.status.ok()) Fail(reply.status.ToString());
    }
    return static_cast<double>(count) / SecondsSince(start);
  }

  // Bytes of the transactions that hold a stream's items, and how many items.
  std::pair<int64_t, int64_t> BytesOf(const std::string& stream) {
    const RpcReply items = rpc_->Call(
        "liststreamitems", absl::StrCat("[\"", stream, "\",true,100000,0]"));
    if (!items.status.ok()) Fail(items.status.ToString());
    int64_t bytes = 0;
    for (const JsonValue& item : items.result.elements) {
      const RpcReply raw =
          rpc_->Call("getrawtransaction",
                     absl::StrCat("[\"", item.Find("txid")->string, "\"]"));
      if (!raw.status.ok()) Fail(raw.status.ToString());
      bytes += static_cast<int64_t>(raw.result.string.size() / 2);
    }
    return {bytes, static_cast<int64_t>(items.result.elements.size())};
  }

 private:
  static std::vector<LedgerDraft> Drafts(const std::string& key,
                                         int64_t count) {
    std::vector<LedgerDraft> drafts;
    Source source(key);
    const v1::SubmitCheckpointsRequest request =
        source.Next(static_cast<int>(count));
    for (int64_t i = 0; i < count; ++i) {
      drafts.push_back({{absl::StrCat("weather/", key),
                         absl::StrCat("weather/", key, "/", i)},
                        request.checkpoints(static_cast<int>(i)).checkpoint(),
                        "",
                        ""});
    }
    return drafts;
  }

  const MultiChainConfig config_;
  const std::string stream_;
  std::unique_ptr<JsonRpc> rpc_;
  std::unique_ptr<StreamNode> node_;
};

// An anchor as a process, on a stream of its own.
class BenchAnchor {
 public:
  BenchAnchor(const std::string& dir, const std::string& config)
      : process_(Binary("services/anchor/anchor"),
                 {"--data-dir", dir, "--listen", "127.0.0.1:0", "--ledger",
                  "multichain", "--multichain-config", config}) {
    ready_ = process_.WaitReady();
  }

  // Empty, or why the anchor did not start.
  std::string refusal() const { return ready_ ? "" : process_.err(); }

  // `clients` hand in `count` checkpoints together, `call` at once. What is
  // measured is from the first call to the last receipt. Checkpoints are made
  // before, as far as they fit into memory; else it is in it.
  double Submit(int64_t count, int call, int clients) {
    const int64_t calls = count / clients / call;
    std::vector<Source> sources;
    std::vector<std::vector<v1::SubmitCheckpointsRequest>> made(clients);
    for (int c = 0; c < clients; ++c) {
      sources.emplace_back(absl::StrCat("k", ++keys_));
      for (int64_t i = 0; i < calls && count <= kMadeBefore; ++i) {
        made[c].push_back(sources[c].Next(call));
      }
    }
    const auto start = steady_clock::now();
    std::vector<std::thread> threads;
    for (int c = 0; c < clients; ++c) {
      threads.emplace_back([&, c] {
        const auto stub = v1::AnchorService::NewStub(grpc::CreateChannel(
            process_.grpc(), grpc::InsecureChannelCredentials()));
        for (int64_t i = 0; i < calls; ++i) {
          SubmitOne(*stub, made[c].empty() ? sources[c].Next(call)
                                           : std::move(made[c][i]));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return static_cast<double>(calls * call * clients) / SecondsSince(start);
  }

  // Until the chain has all in blocks, or under heads.
  void Settle() {
    const auto stub = v1::AnchorService::NewStub(grpc::CreateChannel(
        process_.grpc(), grpc::InsecureChannelCredentials()));
    while (true) {
      grpc::ClientContext context;
      v1::LedgerStatus status;
      const grpc::Status got = stub->GetLedgerStatus(&context, {}, &status);
      if (!got.ok()) Fail(got.error_message());
      if (status.pending() == 0 && status.chain().unconfirmed() == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  double PeakMib() const { return MemoryMibOf(process_.pid(), "VmHWM"); }
  double CpuSeconds() const { return CpuSecondsOf(process_.pid()); }

 private:
  static void SubmitOne(v1::AnchorService::Stub& stub,
                        const v1::SubmitCheckpointsRequest& request) {
    while (true) {
      grpc::ClientContext context;
      v1::SubmitCheckpointsResponse response;
      const grpc::Status status =
          stub.SubmitCheckpoints(&context, request, &response);
      if (status.ok()) return;
      if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
        Fail(status.error_message());
      }
    }
  }

  Process process_;
  bool ready_ = false;
  int keys_ = 0;
};

// A folder that goes with the program, for all that is made.
class Folder {
 public:
  Folder() {
    std::string path =
        (std::filesystem::temp_directory_path() / "anchor_bench.XXXXXX")
            .string();
    if (mkdtemp(path.data()) == nullptr) Fail("no temporary folder");
    path_ = path;
    setenv("TEST_TMPDIR", path_.c_str(), 1);
    setenv(
        "TEST_SRCDIR",
        absl::StrCat(std::filesystem::read_symlink("/proc/self/exe").string(),
                     ".runfiles")
            .c_str(),
        1);
    setenv("TEST_WORKSPACE", "windproof", 1);
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string Sub(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }

 private:
  std::string path_;
};

class Bench {
 public:
  explicit Bench(const Arguments& arguments) : arguments_(arguments) {
    if (arguments_.config.empty()) {
      node_ = std::make_unique<ChainNode>(kBlockMs);
      base_ = absl::StrCat("node.urls=", node_->url(),
                           "\nchain=wxchain\ngenesis=", node_->genesis(),
                           "\naddress=", node_->address(),
                           "\nuser=multichainrpc\npassword=password\n");
    } else {
      // Each run has a stream of its own.
      for (const absl::string_view line :
           absl::StrSplit(FileContent(arguments_.config), '\n')) {
        if (absl::StartsWith(line, "stream") || absl::StartsWith(line, "mode"))
          continue;
        absl::StrAppend(&base_, line, "\n");
      }
    }
    run_ = absl::StrCat(steady_clock::now().time_since_epoch().count() %
                        1'000'000'000);
    const auto config = ReadMultiChainConfig(ConfigFile("raw", ""));
    if (!config.ok()) Fail(config.status().ToString());
    raw_ = std::make_unique<RawNode>(*config, Stream("raw"));
  }

  void Run() {
    absl::PrintF("node: %s, version %s\n",
                 node_ != nullptr
                     ? "the STAND-IN of tests/multichain/fake_node, not a real "
                       "multichaind; a block each second"
                     : "a real one, by --multichain-config",
                 raw_->Version());
    const double single = raw_->Publish(arguments_.direct / 4);
    absl::PrintF("%-46s %9.0f items/s\n", "(a) raw publishfrom", single);
    const double multi = raw_->PublishMulti(arguments_.direct);
    absl::PrintF("%-46s %9.0f items/s\n", "(a) raw publishmultifrom of 32",
                 multi);
    std::fflush(stdout);
    Direct(multi);
    Batched(1, 200, 1, 1);
    Batched(100, arguments_.batched / 10, 100, 1);
    Batched(10'000, arguments_.batched, kCallCheckpoints, 2);
    if (arguments_.backlog > 0) Backlog();
  }

 private:
  std::string Stream(const std::string& name) const {
    return absl::StrCat("bench-", run_, "-", name);
  }
  std::string ConfigFile(const std::string& name, const std::string& more) {
    const std::string path = folder_.Sub(name + ".properties");
    WriteContent(path, absl::StrCat(base_, "stream=", Stream(name),
                                    "\ncreate-stream=true\n", more));
    return path;
  }

  void Direct(double raw) {
    for (const int clients : {1, 4}) {
      const std::string name = absl::StrCat("direct", clients);
      BenchAnchor anchor(folder_.Sub(name), ConfigFile(name, ""));
      if (!anchor.refusal().empty()) Fail(anchor.refusal());
      const double rate =
          anchor.Submit(arguments_.direct, kCallCheckpoints, clients);
      absl::PrintF(
          "%-46s %9.0f checkpoints/s  %.2f of raw publishmulti  %.2f CPU-s/k  "
          "peak RSS %.0f MiB\n",
          absl::StrCat("(b) direct, to PUBLISHED, ", clients, " clients"), rate,
          rate / raw,
          anchor.CpuSeconds() * 1e3 / static_cast<double>(arguments_.direct),
          anchor.PeakMib());
      std::fflush(stdout);
    }
  }

  void Batched(int64_t head, int64_t count, int call, int clients) {
    const std::string name = absl::StrCat("batched", head);
    BenchAnchor anchor(
        folder_.Sub(name),
        ConfigFile(name, absl::StrCat("mode=batched\nflush-count=", head,
                                      "\nflush-interval-ms=",
                                      head == 1 ? 1 : 1'000, "\n")));
    if (!anchor.refusal().empty()) {
      absl::PrintF("(c) batched, flush-count %d: not measured: %s\n", head,
                   anchor.refusal());
      return;
    }
    const double rate = anchor.Submit(count, call, clients);
    anchor.Settle();
    const auto [bytes, heads] = raw_->BytesOf(Stream(name));
    absl::PrintF(
        "%-46s %9.0f checkpoints/s  %.2f on-chain bytes each  %.0f a head  "
        "peak RSS %.0f MiB\n",
        absl::StrCat("(c) batched, flush-count ", head), rate,
        static_cast<double>(bytes) / static_cast<double>(count),
        static_cast<double>(count) / static_cast<double>(heads),
        anchor.PeakMib());
    std::fflush(stdout);
  }

  void Backlog() {
    BenchAnchor anchor(folder_.Sub("backlog"),
                       ConfigFile("backlog", "mode=batched\n"));
    if (!anchor.refusal().empty()) {
      absl::PrintF("(d) a backlog: not measured: %s\n", anchor.refusal());
      return;
    }
    const double rate = anchor.Submit(arguments_.backlog, kCallCheckpoints, 2);
    anchor.Settle();
    absl::PrintF("%-46s %9.0f checkpoints/s  peak RSS %.0f MiB\n",
                 absl::StrCat("(d) batched, a backlog of ", arguments_.backlog),
                 rate, anchor.PeakMib());
  }

  const Arguments arguments_;
  const Folder folder_;
  std::unique_ptr<ChainNode> node_;
  std::string base_;
  std::string run_;
  std::unique_ptr<RawNode> raw_;
};

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) {
  windproof::Bench bench(windproof::ArgumentsOf(argc, argv));
  bench.Run();
  return 0;
}
