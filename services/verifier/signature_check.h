// SIGNATURE: the producer's Ed25519 signature over the anchored bytes, by a key
// that the verifier trusts.
//
// Source: RFC 8032; docs/formats/. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_SIGNATURE_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_SIGNATURE_CHECK_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/signed_note.h"
#include "services/verifier/finding.h"

namespace windproof {

// `signer` only tells which of the `producers` to try; it proves nothing.
CheckOutcome CheckSignature(absl::string_view checkpoint,
                            absl::string_view signature,
                            absl::string_view signer,
                            absl::Span<const VerifierKey> producers);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_SIGNATURE_CHECK_H_
