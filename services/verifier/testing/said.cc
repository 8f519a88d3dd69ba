#include "services/verifier/testing/said.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"

namespace windproof {

using Response = v1::VerifyWindowResponse;

PipelineSpec AmendSpec() {
  PipelineSpec spec = World::TestSpec();
  spec.late_policy = LatePolicy::kAmend;
  spec.amend_ms = 600'000;
  return spec;
}

std::string CanonicalRecord(absl::string_view time, absl::string_view t) {
  return absl::StrCat("{\"station\":\"a\",", t.empty() ? "" : "\"t\":", t,
                      t.empty() ? "" : ",", "\"time\":\"2026-01-25T12:", time,
                      "Z\"}");
}

v1::PayloadRecord* RecordOf(World& world, int record, int window) {
  return world.windows[window].mutable_payload()->mutable_records(record);
}

void SetBytes(v1::PayloadRecord* record, const std::string& bytes,
              bool with_leaf_hash) {
  record->set_canonical(bytes);
  if (with_leaf_hash) {
    record->set_leaf_hash(std::string(BytesOf(HashLeaf(bytes))));
  }
}

const v1::Check* Find(const Response& response, v1::Check::Name name) {
  for (const v1::Check& check : response.checks()) {
    if (check.name() == name) return &check;
  }
  return nullptr;
}

const v1::Finding* Find(const v1::Check& check, absl::string_view code) {
  for (const v1::Finding& finding : check.findings()) {
    if (finding.code() == code) return &finding;
  }
  return nullptr;
}

Response Verify(World& world, int64_t start_ms) {
  const absl::StatusOr<Response> response = world.Verify(World::kKey, start_ms);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? *response : Response();
}

void ExpectFound(const Response& response, const Said& said) {
  EXPECT_EQ(response.verdict(), Response::FAILED) << response.DebugString();
  const v1::Check* check = Find(response, said.check);
  ASSERT_NE(check, nullptr) << response.DebugString();
  EXPECT_EQ(check->result(), v1::Check::FAIL) << response.DebugString();
  const v1::Finding* finding = Find(*check, said.code);
  ASSERT_NE(finding, nullptr) << said.code << "\n" << response.DebugString();
  EXPECT_EQ(finding->has_record(), said.record.has_value());
  if (said.record.has_value()) {
    EXPECT_EQ(finding->record(), *said.record);
  }
  EXPECT_EQ(finding->has_offset(), said.offset.has_value());
  if (said.offset.has_value()) {
    EXPECT_EQ(finding->offset(), *said.offset);
  }
  if (said.expected == Said::kSomething) {
    EXPECT_FALSE(finding->expected().empty()) << finding->DebugString();
  } else {
    EXPECT_EQ(finding->expected(), said.expected);
  }
  if (said.found == Said::kSomething) {
    EXPECT_FALSE(finding->found().empty()) << finding->DebugString();
  } else {
    EXPECT_EQ(finding->found(), said.found);
  }
  EXPECT_FALSE(finding->message().empty());
}

}  // namespace windproof
