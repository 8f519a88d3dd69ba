#include "services/ingest/publish_failure.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "proto/windproof/v1/ingest.pb.h"

namespace windproof {
namespace {

std::vector<NewRecord> Records(size_t count) {
  std::vector<NewRecord> records(count);
  for (NewRecord& record : records) record.topic = "weather.00433";
  return records;
}

// The detail of a google.rpc.Status, read field by field.
v1::PublishRecordsResponse DetailOf(const grpc::Status& status) {
  google::protobuf::UnknownFieldSet fields;
  EXPECT_TRUE(fields.ParseFromString(status.error_details()));
  v1::PublishRecordsResponse response;
  int details = 0;
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& field = fields.field(i);
    if (field.number() == 1) {
      EXPECT_EQ(static_cast<int>(field.varint()), status.error_code());
    } else if (field.number() == 3) {
      google::protobuf::Any any;
      EXPECT_TRUE(any.ParseFromString(field.length_delimited()));
      EXPECT_TRUE(any.UnpackTo(&response));
      ++details;
    }
  }
  EXPECT_EQ(details, 1);
  return response;
}

TEST(PublishFailureTest, WithoutAnOutcomeItIsThePlainStatus) {
  const grpc::Status status =
      PublishFailure(absl::UnavailableError("away"), Records(2));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "away");
  EXPECT_TRUE(status.error_details().empty());
}

TEST(PublishFailureTest, SaysOfEachRecordWhereItIs) {
  const std::vector<AppendedRecord> outcome = {
      {0, 7}, {1, -1}, {0, -1}, {0, 8}, {1, -1}};
  const grpc::Status status = PublishFailure(
      WithAppendOutcome(absl::UnavailableError("3 of 5"), outcome), Records(5));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "3 of 5");
  const v1::PublishRecordsResponse response = DetailOf(status);
  ASSERT_EQ(response.records_size(), 5);
  EXPECT_EQ(response.records(0).topic(), "weather.00433");
  EXPECT_EQ(response.records(0).offset(), 7);
  EXPECT_EQ(response.records(1).partition(), 1);
  EXPECT_EQ(response.records(1).offset(), -1);
  ASSERT_EQ(response.not_written_size(), 2);
  EXPECT_EQ(response.not_written(0).begin(), 1);
  EXPECT_EQ(response.not_written(0).end(), 3);
  EXPECT_EQ(response.not_written(1).begin(), 4);
  EXPECT_EQ(response.not_written(1).end(), 5);
}

TEST(PublishFailureTest, FitsInAHeaderWhateverFailed) {
  std::vector<AppendedRecord> outcome(10'000, AppendedRecord{0, 5});
  outcome[77].offset = -1;
  grpc::Status status = PublishFailure(
      WithAppendOutcome(absl::UnavailableError("1"), outcome), Records(10'000));
  const v1::PublishRecordsResponse response = DetailOf(status);
  EXPECT_EQ(response.records_size(), 0);
  ASSERT_EQ(response.not_written_size(), 1);
  EXPECT_EQ(response.not_written(0).begin(), 77);

  for (size_t i = 0; i < outcome.size(); i += 2) outcome[i].offset = -1;
  status =
      PublishFailure(WithAppendOutcome(absl::UnavailableError("half"), outcome),
                     Records(10'000));
  EXPECT_EQ(status.error_message(), "half");
  EXPECT_TRUE(status.error_details().empty());
}

}  // namespace
}  // namespace windproof
