// Anchoring and reading back: the embedded ledger and what stands before it.
#include <stdlib.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "common/crypto/ed25519.h"
#include "services/anchor/anchorer.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/testing/checkpoints.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

constexpr char kName[] = "windproof/ledger-bench";

// Ends the benchmark: a number without its work would mislead.
template <typename T>
T Must(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
  std::abort();
}

// A folder under /var/tmp, which is on a disk where /tmp may not be.
class Folder {
 public:
  Folder() {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/var/tmp/windproof-bench-XXXXXX";
};

std::unique_ptr<EmbeddedLedger> Open(const Folder& folder,
                                     const Ed25519PrivateKey& key) {
  return Must(EmbeddedLedger::Open(folder.path(), kName, key, {}));
}

// `count` checkpoints of ten keys, in batches of 400.
std::vector<std::vector<Submission>> Batches(int count) {
  std::vector<std::vector<Checkpoint>> chains;
  for (int key = 0; key < 10; ++key) {
    chains.push_back(CheckpointChain(absl::StrCat("0042", key), count / 10));
  }
  std::vector<std::vector<Submission>> batches(1);
  for (int i = 0; i < count; ++i) {
    if (batches.back().size() == 400) batches.emplace_back();
    batches.back().push_back({EncodeCheckpoint(chains[i % 10][i / 10]),
                              std::string(64, 's'),
                              "windproof/producer-bench"});
  }
  return batches;
}

std::string AllBytes(const std::vector<std::vector<Submission>>& batches) {
  std::string bytes;
  for (const auto& batch : batches) {
    for (const Submission& submission : batch) bytes += submission.checkpoint;
  }
  return bytes;
}

void Anchor(Anchorer& anchorer,
            const std::vector<std::vector<Submission>>& batches) {
  for (const auto& batch : batches) Must(anchorer.Submit(batch));
}

// Parse, look up, publish with fsync, read back.
void AnchorCheckpoints(benchmark::State& state) {
  const auto batches = Batches(static_cast<int>(state.range(0)));
  const Ed25519PrivateKey key = Must(Ed25519PrivateKey::Generate());
  RunBesideSha256<WallTime>(state, AllBytes(batches), 1, [&] {
    const Folder folder;
    const auto ledger = Open(folder, key);
    Anchorer anchorer({}, *ledger);
    Anchor(anchorer, batches);
  });
}
BENCHMARK(AnchorCheckpoints)
    ->Arg(16'000)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();

// Opening checks all of it.
void OpenLedger(benchmark::State& state) {
  const auto batches = Batches(static_cast<int>(state.range(0)));
  const Ed25519PrivateKey key = Must(Ed25519PrivateKey::Generate());
  const Folder folder;
  {
    const auto ledger = Open(folder, key);
    Anchorer anchorer({}, *ledger);
    Anchor(anchorer, batches);
  }
  RunBesideSha256<WallTime>(state, AllBytes(batches), 1,
                            [&] { Open(folder, key); });
}
BENCHMARK(OpenLedger)
    ->Arg(16'000)
    ->Arg(200'000)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();

// All items in pages, each with its inclusion proof.
void ReadProved(benchmark::State& state) {
  const auto batches = Batches(static_cast<int>(state.range(0)));
  const Ed25519PrivateKey key = Must(Ed25519PrivateKey::Generate());
  const Folder folder;
  const auto ledger = Open(folder, key);
  Anchorer anchorer({}, *ledger);
  Anchor(anchorer, batches);
  RunBesideSha256<WallTime>(state, AllBytes(batches), 1, [&] {
    LedgerQuery query;
    query.with_inclusion = true;
    for (bool at_end = false; !at_end;) {
      const LedgerPage page = Must(ledger->Read(query));
      query.first = page.next;
      at_end = page.at_end;
    }
  });
}
BENCHMARK(ReadProved)
    ->Arg(16'000)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();

}  // namespace
}  // namespace windproof
