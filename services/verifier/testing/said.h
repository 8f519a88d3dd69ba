// What a test of the verifier says about a World: how it changes it, asks and
// what the answer must hold.
//
// Thread-compatible.
#ifndef WINDPROOF_SERVICES_VERIFIER_TESTING_SAID_H_
#define WINDPROOF_SERVICES_VERIFIER_TESTING_SAID_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "proto/windproof/v1/verifier.pb.h"
#include "proto/windproof/v1/window.pb.h"
#include "services/verifier/testing/world.h"

namespace windproof {

// Start of the small world's first window.
inline constexpr int64_t kNoon = World::kBaseMs;
inline constexpr int64_t kMinute = 60'000;

// The rules of the small world, with late records amending its windows.
PipelineSpec AmendSpec();

// The canonical bytes of the small world's record of 12:`time` with temperature
// `t`; an empty one is absent.
std::string CanonicalRecord(absl::string_view time, absl::string_view t);

// A record of the payload that window-hash shows.
v1::PayloadRecord* RecordOf(World& world, int record, int window = 0);

void SetBytes(v1::PayloadRecord* record, const std::string& bytes,
              bool with_leaf_hash);

// VerifyWindow of the window of World::kKey; a test failure where it is an
// error.
v1::VerifyWindowResponse Verify(World& world, int64_t start_ms = kNoon);

// The row or finding of that name; null where there is none.
const v1::Check* Find(const v1::VerifyWindowResponse& response,
                      v1::Check::Name name);
const v1::Finding* Find(const v1::Check& check, absl::string_view code);

// What a finding must say.
struct Said {
  static constexpr char kSomething[] = "*";

  v1::Check::Name check;
  std::string code;
  std::optional<int64_t> record;
  std::optional<int64_t> offset;
  std::string expected = kSomething;
  std::string found = kSomething;
};

// A test failure unless `response` is FAILED and says so.
void ExpectFound(const v1::VerifyWindowResponse& response, const Said& said);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_TESTING_SAID_H_
