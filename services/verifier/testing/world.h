// A small world for the verifier: a record log that the real engine has read, a
// ledger with its checkpoints, and what window-hash would serve. Everything can
// be altered, in every place where somebody could lie.
#ifndef WINDPROOF_SERVICES_VERIFIER_TESTING_WORLD_H_
#define WINDPROOF_SERVICES_VERIFIER_TESTING_WORLD_H_

#include <grpcpp/server.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/ed25519.h"
#include "common/merkle/tree_head.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"
#include "common/pipeline/window_engine.h"
#include "common/server/trust_file.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/verifier/verifier_module.h"

namespace windproof {

class World {
 public:
  // Pipeline `test`: key field `station`, field `t` aggregated, windows of one
  // minute, ten seconds of grace.
  static PipelineSpec TestSpec();

  // One key's log of a few windows with all kinds of dropped records, an empty
  // window and, with AMEND, a revision.
  explicit World(PipelineSpec spec = TestSpec());
  // Any log.
  World(PipelineSpec spec, std::string topic, int32_t partition, int64_t origin,
        std::vector<OwnedRecord> log);
  ~World();

  // 1. What the engine made of the log; a lying producer alters it.
  std::vector<WrittenWindow> written;
  std::vector<OwnedRecord> log;

  // Makes prev and supersedes fit again after `written` was altered.
  void Relink();

  // 2. Signs and anchors `written`, and fills in what the services serve. Who
  // alters that is the anchor or window-hash.
  void Publish();
  std::vector<v1::LedgerItem> items;
  v1::LedgerHead head;
  bool head_there = true;
  std::vector<v1::LedgerHead> conflicts;
  bool proves_consistency = true;
  std::vector<v1::Window> windows;
  std::vector<v1::DroppedRecord> dropped;
  v1::GetProgressResponse progress;
  bool anchor_down = false;
  bool window_hash_down = false;
  bool payload_in_lists = true;
  // What GetWindow says where it has nothing.
  grpc::StatusCode no_window = grpc::StatusCode::NOT_FOUND;
  int page_size = 3;
  int chunk_size = 1;               // of a payload that is not in a list
  bool first_payload_lies = false;  // the first read so, not those after it

  // The ledger's entries as they are in `items`, under a new signed head: what
  // a lying ledger would show from the start.
  void SealLedger();
  // Puts a checkpoint on the ledger, at the end.
  void AppendItem(absl::string_view checkpoint);
  // The note of a head signed by the ledger.
  std::string HeadNote(int64_t size, const Digest& root) const;

  // 3. The verifier's own configuration.
  TrustConfig trust;
  std::vector<PipelineSpec> configured;
  RecordLog* verifier_log = nullptr;

  // Verifies through gRPC. What the verifier is configured with is read at the
  // first call.
  absl::StatusOr<v1::VerifyWindowResponse> Verify(absl::string_view key,
                                                  int64_t start_ms,
                                                  bool replay = false);
  struct RangeResult {
    std::vector<v1::VerifyWindowResponse> windows;
    std::vector<v1::VerifyProgress> progress;
    std::vector<v1::VerifyTotals> totals;
  };
  absl::StatusOr<RangeResult> VerifyRange(
      const v1::VerifyRangeRequest& request);

  const PipelineSpec& spec() const { return spec_; }
  const std::string& topic() const { return topic_; }
  static constexpr int64_t kBaseMs = 1'769'342'400'000;  // 2026-01-25T12:00:00Z
  static constexpr char kKey[] = "a";

  const Ed25519PrivateKey& producer() const { return producer_; }

 private:
  class Anchor;
  class WindowHash;

  void RunEngine();
  void Serve();

  const PipelineSpec spec_;
  const std::string topic_;
  const int32_t partition_;
  const int64_t origin_;
  const Ed25519PrivateKey producer_;
  const Ed25519PrivateKey ledger_;
  std::map<std::pair<std::string, int64_t>, DropReason> reasons_;
  std::vector<std::string> dropped_keys_;  // key of each of `dropped`

  std::unique_ptr<Anchor> anchor_;
  std::unique_ptr<WindowHash> window_hash_;
  std::unique_ptr<VerifierModule> module_;
  std::unique_ptr<grpc::Server> peers_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::VerifierService::Stub> client_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_TESTING_WORLD_H_
