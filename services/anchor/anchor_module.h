// The anchor as a whole: ledger, anchorer and gRPC service, built from options.
//
// Used by the anchor's own main and by the all-in-one server.
#ifndef WINDPROOF_SERVICES_ANCHOR_ANCHOR_MODULE_H_
#define WINDPROOF_SERVICES_ANCHOR_ANCHOR_MODULE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/ed25519.h"
#include "common/server/service_module.h"
#include "services/anchor/anchorer.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/multichain_config.h"

namespace windproof {

// Thread-safe.
class AnchorModule : public ServiceModule {
 public:
  struct Options {
    // Folder of the embedded ledger, or of batched mode's log: DIR/ledger.
    std::string ledger_path;
    std::string ledger_name;  // its identity, windproof/ledger-…
    // In the place of the embedded ledger; its confirmations count.
    std::optional<MultiChainConfig> multichain;
    std::string multichain_path;  // its folder: DIR/multichain
    int64_t confirmations_required = 1;
    int64_t pending_max = 16'384;
    // Told what an operator must know: a ledger that is broken. One line, no
    // newline. Must be thread-safe.
    std::function<void(absl::string_view)> warn;
    // The same of an equivocation, for which there is no good reason.
    std::function<void(absl::string_view)> alarm;
  };

  // Opens and checks the ledger, which is made where there is none, and reads
  // it. A ledger that is broken is no error: it is warned of, reads go on.
  //
  // FailedPrecondition: it is another key's ledger. Unavailable, DataLoss: it
  // cannot be opened.
  static absl::StatusOr<std::unique_ptr<AnchorModule>> Open(
      Options options, const Ed25519PrivateKey& ledger_key);

  // The same over options.multichain, which must be there and in direct mode.
  // No node needs to answer yet: until one does, Ready() says why.
  //
  // InvalidArgument: a URL. Unavailable: another process has the folder.
  static absl::StatusOr<std::unique_ptr<AnchorModule>> OpenMultiChain(
      Options options);

  // The same in batched mode: over the log in options.ledger_path, of that name
  // and key, whose heads go onto the chain. Errors as of both.
  static absl::StatusOr<std::unique_ptr<AnchorModule>> OpenBatched(
      Options options, const Ed25519PrivateKey& log_key);

  // The same over the embedded ledger in options.ledger_path of a stopped
  // store, which nothing is written to: for audits of a data folder.
  static absl::StatusOr<std::unique_ptr<AnchorModule>> OpenReadOnly(
      Options options);

  ~AnchorModule() override;

  grpc::Service* service() override;
  absl::string_view full_name() const override;
  absl::Status Start() override;
  // OK while the ledger can be read, also when it is broken: whoever audits it
  // then needs it most. A ledger on a chain must take items, too.
  absl::Status Ready() override;
  std::vector<Metric> Metrics() override;
  void StopIntake() override;
  void Shutdown(std::chrono::steady_clock::time_point deadline) override;

  Ledger& ledger();

 private:
  struct Parts;

  explicit AnchorModule(std::unique_ptr<Parts> parts);
  static absl::StatusOr<std::unique_ptr<AnchorModule>> Build(
      Options options, std::unique_ptr<Ledger> ledger);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_ANCHOR_MODULE_H_
