// The service as a client sees it: a real server in this process, with and
// without faults of the ledger behind it.
#include "services/anchor/anchor_service.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/signed_note.h"
#include "gtest/gtest.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/anchor/anchor_module.h"
#include "services/anchor/embedded_ledger_tamper.h"
#include "services/anchor/ledger_entry.h"
#include "services/anchor/ledger_head.h"
#include "services/anchor/testing/checkpoints.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

constexpr char kName[] = "windproof/ledger-test";

class AnchorServiceTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override { Stop(); }

  void Start() {
    AnchorModule::Options options;
    options.ledger_path = dir_.path();
    options.ledger_name = kName;
    options.warn = [this](absl::string_view line) {
      warnings_.emplace_back(line);
    };
    options.alarm = [this](absl::string_view line) {
      alarms_.emplace_back(line);
    };
    auto module = AnchorModule::Open(options, key_);
    ASSERT_TRUE(module.ok()) << module.status();
    module_ = *std::move(module);
    ASSERT_TRUE(module_->Start().ok());
    grpc::ServerBuilder builder;
    builder.RegisterService(module_->service());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::AnchorService::NewStub(server_->InProcessChannel({}));
  }

  // As a server does it.
  void Stop() {
    if (module_ == nullptr) return;
    module_->StopIntake();
    server_->Shutdown();
    server_.reset();
    module_->Shutdown(std::chrono::steady_clock::now());
    module_.reset();
  }

  grpc::Status Submit(const std::vector<Checkpoint>& checkpoints,
                      v1::SubmitCheckpointsResponse* response) {
    v1::SubmitCheckpointsRequest request;
    for (const Checkpoint& checkpoint : checkpoints) {
      v1::SignedCheckpoint* in = request.add_checkpoints();
      in->set_checkpoint(EncodeCheckpoint(checkpoint));
      in->set_signature(std::string(64, 's'));
      in->set_signer("windproof/producer-test");
    }
    grpc::ClientContext context;
    return stub_->SubmitCheckpoints(&context, request, response);
  }

  void MustSubmit(const std::vector<Checkpoint>& checkpoints) {
    v1::SubmitCheckpointsResponse response;
    const grpc::Status status = Submit(checkpoints, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  grpc::Status Get(const std::string& key, int64_t start_ms,
                   v1::GetCheckpointResponse* response) {
    v1::GetCheckpointRequest request;
    request.mutable_window()->set_pipeline("weather");
    request.mutable_window()->set_key(key);
    request.mutable_window()->mutable_start()->set_seconds(start_ms / 1000);
    grpc::ClientContext context;
    return stub_->GetCheckpoint(&context, request, response);
  }

  grpc::Status List(const v1::ListCheckpointsRequest& request,
                    v1::ListCheckpointsResponse* response) {
    grpc::ClientContext context;
    return stub_->ListCheckpoints(&context, request, response);
  }

  // What an auditor checks of an item, from nothing but the reply.
  void ExpectVerifies(const v1::LedgerItem& item, const v1::LedgerHead& head) {
    const auto opened =
        OpenLedgerHead(head.note(), MakeVerifierKey(kName, key_.PublicKey()));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(static_cast<int64_t>(opened->size), head.tree_size());
    EXPECT_EQ(BytesOf(opened->root), head.root());
    InclusionProof proof{static_cast<uint64_t>(item.inclusion().leaf_index()),
                         static_cast<uint64_t>(item.inclusion().tree_size()),
                         {}};
    for (const std::string& sibling : item.inclusion().siblings()) {
      proof.siblings.push_back(*DigestFromBytes(sibling));
    }
    EXPECT_EQ(item.inclusion().leaf_index(), item.position());
    const absl::Status included =
        CheckLedgerInclusion(item.entry(), proof, *opened);
    EXPECT_TRUE(included.ok()) << included;
    const auto entry = ParseLedgerEntry(item.entry());
    ASSERT_TRUE(entry.ok()) << entry.status();
    EXPECT_EQ(entry->data, item.checkpoint());
    EXPECT_EQ(entry->publisher, item.publisher());
    EXPECT_EQ(entry->signer, "windproof/producer-test");
    EXPECT_EQ(entry->signature, std::string(64, 's'));
  }

  TempDir dir_;
  const Ed25519PrivateKey key_ = *Ed25519PrivateKey::Generate();
  std::vector<std::string> warnings_;
  std::vector<std::string> alarms_;
  std::unique_ptr<AnchorModule> module_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::AnchorService::Stub> stub_;
};

TEST_F(AnchorServiceTest, ACheckpointGoesInAndComesOutProved) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 5);
  v1::SubmitCheckpointsResponse submitted;
  ASSERT_TRUE(Submit(chain, &submitted).ok());
  ASSERT_EQ(submitted.receipts_size(), 5);
  for (int i = 0; i < 5; ++i) {
    const v1::Receipt& receipt = submitted.receipts(i);
    EXPECT_EQ(receipt.state(), v1::Receipt::ANCHORED);
    EXPECT_EQ(receipt.position(), i);
    EXPECT_EQ(receipt.ledger(), kName);
    EXPECT_GT(receipt.time().seconds(), 0);

    v1::GetCheckpointResponse got;
    ASSERT_TRUE(Get("00433", chain[i].window_start_ms, &got).ok());
    ASSERT_EQ(got.items_size(), 1);
    EXPECT_EQ(got.items(0).checkpoint(), EncodeCheckpoint(chain[i]));
    EXPECT_EQ(got.items(0).txid(), receipt.txid());
    EXPECT_EQ(got.items(0).confirmations(), 1);
    ExpectVerifies(got.items(0), got.head());
  }
  v1::GetCheckpointResponse missing;
  const grpc::Status status = Get("00433", chain[4].window_end_ms, &missing);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(absl::StrContains(status.error_message(),
                                "weather/00433/2026-01-25T05:00:00Z"))
      << status.error_message();
}

TEST_F(AnchorServiceTest, SurvivesARestart) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 4);
  MustSubmit({chain[0], chain[1]});
  Stop();
  Start();
  MustSubmit(chain);
  v1::LedgerStatus ledger;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->GetLedgerStatus(&context, {}, &ledger).ok());
  EXPECT_EQ(ledger.kind(), "embedded");
  EXPECT_EQ(ledger.ledger(), kName);
  EXPECT_EQ(ledger.size(), 4);
  EXPECT_EQ(ledger.head().tree_size(), 4);
  EXPECT_EQ(ledger.confirmations_required(), 1);
  EXPECT_EQ(ledger.broken(), "");
  EXPECT_TRUE(warnings_.empty());
  EXPECT_TRUE(module_->Ready().ok());
  EXPECT_FALSE(module_->Metrics().empty());
}

TEST_F(AnchorServiceTest, ListsAreWholeWhateverThePageSize) {
  const std::vector<Checkpoint> a = CheckpointChain("a", 7);
  const std::vector<Checkpoint> b = CheckpointChain("b", 6);
  Checkpoint other = NextCheckpoint("a", nullptr);
  other.pipeline = "other";
  for (int i = 0; i < 6; ++i) MustSubmit({a[i], b[i]});
  MustSubmit({other, a[6]});
  const struct {
    const char* pipeline;
    const char* key;
    size_t count;
  } kCases[] = {{"weather", "", 13}, {"weather", "a", 7}, {"weather", "b", 6},
                {"other", "", 1},    {"other", "a", 1},   {"weather", "c", 0},
                {"nothing", "", 0},  {"", "", 14},        {"", "a", 8}};
  for (const auto& test : kCases) {
    for (const int page_size : {0, 1, 2, 3, 5, 100}) {
      v1::ListCheckpointsRequest request;
      request.set_pipeline(test.pipeline);
      request.set_key(test.key);
      request.set_page_size(page_size);
      std::set<int64_t> seen;
      int64_t last = -1;
      while (true) {
        v1::ListCheckpointsResponse response;
        const grpc::Status status = List(request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        for (const v1::LedgerItem& item : response.items()) {
          EXPECT_GT(item.position(), last);
          last = item.position();
          seen.insert(item.position());
          ExpectVerifies(item, response.head());
        }
        if (response.next_page_token().empty()) break;
        request.set_page_token(response.next_page_token());
      }
      EXPECT_EQ(seen.size(), test.count) << test.pipeline << "/" << test.key;
    }
  }
}

TEST_F(AnchorServiceTest, RefusesRequestsWithoutSense) {
  MustSubmit(CheckpointChain("a", 3));
  v1::ListCheckpointsRequest list;
  list.set_pipeline("weather");
  list.set_page_size(1);
  v1::ListCheckpointsResponse listed;
  ASSERT_TRUE(List(list, &listed).ok());
  const std::string token = listed.next_page_token();

  list.set_key("a");
  list.set_page_token(token);
  EXPECT_EQ(List(list, &listed).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT)
      << "a token of another list";
  list.set_key("");
  for (const std::string& bad : {std::string("x"), token + "A", token.substr(1),
                                 std::string(1000, '_')}) {
    list.set_page_token(bad);
    EXPECT_EQ(List(list, &listed).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << bad;
  }
  list.set_page_token("");
  for (const int size : {-1, 1001}) {
    list.set_page_size(size);
    EXPECT_EQ(List(list, &listed).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }

  v1::SubmitCheckpointsRequest submit;
  v1::SubmitCheckpointsResponse submitted;
  const auto expect_refused = [&](const std::string& what) {
    grpc::ClientContext context;
    const grpc::Status status =
        stub_->SubmitCheckpoints(&context, submit, &submitted);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_TRUE(absl::StrContains(status.error_message(), what))
        << status.error_message();
  };
  expect_refused("checkpoints has 0 elements");
  v1::SignedCheckpoint* in = submit.add_checkpoints();
  expect_refused("checkpoints[0].checkpoint has 0 bytes");
  in->set_checkpoint("{}");
  in->set_signature("short");
  expect_refused("checkpoints[0].signature has 5 bytes; 64 are accepted");
  in->set_signature(std::string(64, 's'));
  expect_refused("checkpoints[0].signer has 0 bytes");
  in->set_signer("p");
  expect_refused("checkpoints[0]: ");
  for (int i = 0; i < 1000; ++i) *submit.add_checkpoints() = *in;
  expect_refused("checkpoints has 1001 elements");

  v1::GetCheckpointRequest get;
  v1::GetCheckpointResponse got;
  const auto expect_get_refused = [&](const std::string& what) {
    grpc::ClientContext context;
    const grpc::Status status = stub_->GetCheckpoint(&context, get, &got);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_TRUE(absl::StrContains(status.error_message(), what))
        << status.error_message();
  };
  expect_get_refused("window.pipeline");
  get.mutable_window()->set_pipeline("weather");
  expect_get_refused("window.key");
  get.mutable_window()->set_key("a");
  expect_get_refused("window.start");
  get.mutable_window()->mutable_start()->set_nanos(1);
  expect_get_refused("window.start");
  get.mutable_window()->mutable_start()->set_nanos(0);
  get.mutable_window()->mutable_start()->set_seconds(INT64_MAX);
  expect_get_refused("window.start");
}

TEST_F(AnchorServiceTest, EquivocationIsAlreadyExistsAndWarned) {
  std::vector<Checkpoint> chain = CheckpointChain("00433", 1);
  MustSubmit(chain);
  chain[0].root = Sha256Of("other");
  v1::SubmitCheckpointsResponse response;
  EXPECT_EQ(Submit(chain, &response).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
  ASSERT_EQ(alarms_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(alarms_[0], "equivocation"));
}

TEST_F(AnchorServiceTest, ABrokenLedgerIsReadButNotWritten) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 4);
  MustSubmit({chain[0], chain[1], chain[2]});
  Stop();
  {
    auto tamper = EmbeddedLedgerTamper::Open(dir_.path());
    ASSERT_TRUE(tamper.ok()) << tamper.status();
    Checkpoint altered = chain[1];
    altered.aggregates[0].max = 99;
    ASSERT_TRUE((*tamper)->ReplaceEntryData(1, EncodeCheckpoint(altered)).ok());
  }
  Start();
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(warnings_[0], "entry 1 was altered"));
  v1::SubmitCheckpointsResponse submitted;
  EXPECT_EQ(Submit({chain[3]}, &submitted).error_code(),
            grpc::StatusCode::DATA_LOSS);
  v1::GetCheckpointResponse got;
  ASSERT_TRUE(Get("00433", chain[0].window_start_ms, &got).ok());
  ExpectVerifies(got.items(0), got.head());
  ASSERT_TRUE(Get("00433", chain[1].window_start_ms, &got).ok());
  EXPECT_NE(got.items(0).checkpoint(), EncodeCheckpoint(chain[1]));
  v1::LedgerStatus ledger;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->GetLedgerStatus(&context, {}, &ledger).ok());
  EXPECT_TRUE(absl::StrContains(ledger.broken(), "entry 1 was altered"));
  EXPECT_TRUE(module_->Ready().ok()) << "the verifier must be able to ask";
}

TEST_F(AnchorServiceTest, ReadOnlyModuleServesAStoppedStore) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  MustSubmit(chain);
  Stop();
  AnchorModule::Options options;
  options.ledger_path = dir_.path();
  auto module = AnchorModule::OpenReadOnly(options);
  ASSERT_TRUE(module.ok()) << module.status();
  grpc::ServerBuilder builder;
  builder.RegisterService((*module)->service());
  const auto server = builder.BuildAndStart();
  stub_ = v1::AnchorService::NewStub(server->InProcessChannel({}));
  v1::GetCheckpointResponse got;
  ASSERT_TRUE(Get("00433", chain[1].window_start_ms, &got).ok());
  ExpectVerifies(got.items(0), got.head());
  v1::SubmitCheckpointsResponse submitted;
  EXPECT_EQ(
      Submit({NextCheckpoint("00433", &chain[1])}, &submitted).error_code(),
      grpc::StatusCode::FAILED_PRECONDITION);
  server->Shutdown();
}

TEST_F(AnchorServiceTest, WatchGivesWhatIsThereAndWhatComes) {
  const std::vector<Checkpoint> a = CheckpointChain("a", 70);
  const std::vector<Checkpoint> b = CheckpointChain("b", 2);
  MustSubmit({a.begin(), a.begin() + 66});
  MustSubmit({b[0]});
  grpc::ClientContext context;
  v1::WatchCheckpointsRequest request;
  request.set_pipeline("weather");
  request.set_key("a");
  request.set_position(1);
  const auto reader = stub_->WatchCheckpoints(&context, request);
  v1::LedgerItem item;
  for (int i = 1; i < 66; ++i) {
    ASSERT_TRUE(reader->Read(&item));
    EXPECT_EQ(item.checkpoint(), EncodeCheckpoint(a[i]));
  }
  for (int i = 66; i < 70; ++i) {
    MustSubmit({a[i]});
    ASSERT_TRUE(reader->Read(&item));
    EXPECT_EQ(item.checkpoint(), EncodeCheckpoint(a[i]));
  }
  context.TryCancel();
  EXPECT_FALSE(reader->Read(&item));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(AnchorServiceTest, WatchFromNowOnGivesNothingOlder) {
  MustSubmit(CheckpointChain("a", 2));
  grpc::ClientContext context;
  v1::WatchCheckpointsRequest request;
  request.set_position(-1);
  const auto reader = stub_->WatchCheckpoints(&context, request);
  // "Now" is when the server gets the request, which a client cannot see: new
  // ones are anchored until one comes.
  v1::LedgerItem item;
  std::atomic<bool> seen{false};
  std::thread submitter([&] {
    for (int i = 0; !seen; ++i) {
      MustSubmit(CheckpointChain(absl::StrCat("b", i), 1));
    }
  });
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_GE(item.position(), 2);
  seen = true;
  submitter.join();
  context.TryCancel();
  while (reader->Read(&item)) EXPECT_GE(item.position(), 2);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(AnchorServiceTest, WatchesEndWhenTheServerStops) {
  MustSubmit(CheckpointChain("a", 1));
  grpc::ClientContext context;
  const auto reader = stub_->WatchCheckpoints(&context, {});
  v1::LedgerItem item;
  ASSERT_TRUE(reader->Read(&item));
  std::thread stopper([this] { Stop(); });
  EXPECT_FALSE(reader->Read(&item));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopper.join();
}

// Without this a client could not tell when its watch has begun.
TEST_F(AnchorServiceTest, AWatchSaysThatItHasBegunBeforeItsFirstItem) {
  grpc::ClientContext context;
  v1::WatchCheckpointsRequest request;
  request.set_position(-1);
  const auto reader = stub_->WatchCheckpoints(&context, request);
  reader->WaitForInitialMetadata();
  MustSubmit(CheckpointChain("a", 1));
  v1::LedgerItem item;
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_EQ(item.position(), 0);
  context.TryCancel();
  while (reader->Read(&item)) {
  }
  reader->Finish();
}

TEST_F(AnchorServiceTest, WatchRefusesAWrongPosition) {
  grpc::ClientContext context;
  v1::WatchCheckpointsRequest request;
  request.set_position(-2);
  const auto reader = stub_->WatchCheckpoints(&context, request);
  v1::LedgerItem item;
  EXPECT_FALSE(reader->Read(&item));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace windproof
