#include "services/verifier/signature_check.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace windproof {
namespace {

CheckOutcome Fail(absl::string_view code, std::string expected,
                  std::string found, std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message = std::move(message);
  return CheckOutcome::Of({std::move(finding)});
}

}  // namespace

CheckOutcome CheckSignature(absl::string_view checkpoint,
                            absl::string_view signature,
                            absl::string_view signer,
                            absl::Span<const VerifierKey> producers) {
  const std::string trusted = absl::StrJoin(
      producers, ", ", [](std::string* out, const VerifierKey& key) {
        absl::StrAppend(out, key.name);
      });
  if (signature.empty()) {
    return Fail("SIGNATURE_MISSING", absl::StrCat("a signature by ", trusted),
                "", "no signature is served with the checkpoint");
  }
  bool named = false;
  for (const VerifierKey& key : producers) {
    if (key.name != signer) continue;
    named = true;
    if (key.key.Verify(checkpoint, signature)) return CheckOutcome::Of({});
  }
  if (!named) {
    return Fail("SIGNER_UNTRUSTED", trusted, Shown(signer),
                absl::StrCat("the checkpoint is signed by ", Shown(signer),
                             ", which the trust file does not name"));
  }
  return Fail("SIGNATURE_INVALID", absl::StrCat("a signature by ", signer),
              absl::BytesToHexString(signature.substr(0, 64)),
              absl::StrCat("this is not the signature of ", Shown(signer),
                           " over the anchored checkpoint"));
}

}  // namespace windproof
