#include "common/server/address.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(AddressTest, GoesBothWays) {
  for (const char* text : {"127.0.0.1:7400", "localhost:0", "[::1]:65535",
                           "anchor.windproof.svc:7403", "0.0.0.0:1"}) {
    const absl::StatusOr<Address> address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->Text(), text);
  }
  EXPECT_EQ(ParseAddress("[::1]:80")->host, "::1");
}

TEST(AddressTest, EverythingElseIsRefusedAndNamed) {
  for (const char* text :
       {"", "7400", ":7400", "localhost", "localhost:", "localhost:x",
        "localhost:-1", "localhost:+1", "localhost:65536", "localhost:123456",
        "::1:80", "[]:80", "http://localhost:80", "a b:80"}) {
    const absl::StatusOr<Address> address = ParseAddress(text);
    EXPECT_TRUE(absl::IsInvalidArgument(address.status())) << text;
    EXPECT_NE(address.status().message().find(text), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace windproof
