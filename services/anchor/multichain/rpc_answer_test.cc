#include "services/anchor/multichain/rpc_answer.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using Code = absl::StatusCode;

RpcReply Answer(int64_t http_status, const std::string& body, int64_t id = 7) {
  return ParseRpcAnswer(http_status, body, id, "getinfo");
}

std::string ErrorBody(int64_t code, const std::string& message, int64_t id) {
  return absl::StrCat("{\"result\":null,\"error\":{\"code\":", code,
                      ",\"message\":\"", message, "\"},\"id\":", id, "}\n");
}

TEST(RpcAnswerTest, AResultIsTheResult) {
  const RpcReply reply =
      Answer(200, "{\"result\":{\"blocks\":2},\"error\":null,\"id\":7}\n");
  ASSERT_TRUE(reply.status.ok()) << reply.status;
  EXPECT_EQ(reply.outcome, RpcOutcome::kDone);
  ASSERT_NE(reply.result.Find("blocks"), nullptr);
  EXPECT_EQ(reply.result.Find("blocks")->number, 2);
}

TEST(RpcAnswerTest, AnotherRequestsAnswerIsNone) {
  const RpcReply reply =
      Answer(200, "{\"result\":2,\"error\":null,\"id\":6}\n");
  EXPECT_EQ(reply.status.code(), Code::kDataLoss);
  EXPECT_EQ(reply.outcome, RpcOutcome::kUnknown);
  // Only errors come from before the dispatch.
  EXPECT_EQ(Answer(200, "{\"result\":2,\"error\":null,\"id\":0}\n").outcome,
            RpcOutcome::kUnknown);
  EXPECT_EQ(Answer(500, ErrorBody(-8, "x", 6)).outcome, RpcOutcome::kUnknown);
}

TEST(RpcAnswerTest, AnErrorFromBeforeTheDispatchHasTheIdZero) {
  const RpcReply reply = Answer(500, ErrorBody(-28, "Loading", 0));
  EXPECT_EQ(reply.status.code(), Code::kUnavailable);
  EXPECT_EQ(reply.outcome, RpcOutcome::kNotDone);
  EXPECT_EQ(reply.code, -28);
  EXPECT_TRUE(absl::StrContains(reply.status.message(), "Loading"));
}

TEST(RpcAnswerTest, HttpStatusesSayWhatHappened) {
  struct Row {
    const char* name;
    int64_t http_status;
    const char* body;
    Code code;
    RpcOutcome outcome;
  };
  for (const Row& row : {
           Row{"NoAuth", 401, "", Code::kUnauthenticated,
               RpcOutcome::kPermanent},
           Row{"Forbidden", 403, "", Code::kPermissionDenied,
               RpcOutcome::kPermanent},
           Row{"Busy", 503, "Work queue depth exceeded", Code::kUnavailable,
               RpcOutcome::kNotDone},
           Row{"OtherPath", 404, "", Code::kFailedPrecondition,
               RpcOutcome::kPermanent},
           Row{"NotPost", 405, "JSONRPC server handles only POST requests",
               Code::kFailedPrecondition, RpcOutcome::kPermanent},
           Row{"TooLarge", 413, "<HTML>", Code::kInvalidArgument,
               RpcOutcome::kPermanent},
           Row{"BadRequest", 400, "<HTML><HEAD>\n", Code::kInvalidArgument,
               RpcOutcome::kPermanent},
           Row{"Html", 200, "<html>hello</html>", Code::kDataLoss,
               RpcOutcome::kUnknown},
           Row{"Gateway", 502, "<html>", Code::kDataLoss, RpcOutcome::kUnknown},
           Row{"Empty", 200, "", Code::kDataLoss, RpcOutcome::kUnknown},
           Row{"Half", 200, "{\"result\":{\"bl", Code::kDataLoss,
               RpcOutcome::kUnknown},
           Row{"NoId", 200, "{\"result\":1,\"error\":null}\n", Code::kDataLoss,
               RpcOutcome::kUnknown},
           Row{"Twice", 200,
               "{\"result\":1,\"result\":2,\"error\":null,\"id\":7}\n",
               Code::kDataLoss, RpcOutcome::kUnknown},
       }) {
    const RpcReply reply = Answer(row.http_status, row.body);
    EXPECT_EQ(reply.status.code(), row.code) << row.name << reply.status;
    EXPECT_EQ(reply.outcome, row.outcome) << row.name;
    EXPECT_EQ(reply.code, 0) << row.name;
    EXPECT_TRUE(absl::StartsWith(reply.status.message(), "getinfo: "));
  }
}

TEST(RpcAnswerTest, AResultThatIsNoJsonIsToldFromAnotherAnswer) {
  EXPECT_TRUE(Answer(200,
                     "{\"result\":[infe+-2147483648],\"error\":null,\"id\":7}"
                     "\n")
                  .unparseable);
  EXPECT_FALSE(Answer(200, "<html></html>").unparseable);
  EXPECT_FALSE(Answer(200, "{\"result\":[infe+-2147483648").unparseable);
}

TEST(RpcAnswerTest, AHelpTextIsCutToALine) {
  const RpcReply reply =
      Answer(500, ErrorBody(-1, std::string(5000, 'x') + "\\nmore", 7));
  EXPECT_LT(reply.status.message().size(), 400u);
  EXPECT_EQ(absl::StrContains(reply.status.message(), "\n"), false);
}

TEST(RpcAnswerTest, CodesAreInOrderAndMeanOneThing) {
  int64_t last = -1'000'000;
  for (const RpcCodeMeaning& known : RpcCodes()) {
    EXPECT_GT(known.code, last);
    last = known.code;
    EXPECT_FALSE(known.meaning.empty());
    EXPECT_EQ(MeaningOf(known.code).status, known.status);
    // What was not executed can be tried; what may have been, never blindly.
    EXPECT_NE(known.outcome, RpcOutcome::kDone);
  }
  EXPECT_EQ(MeaningOf(-999).outcome, RpcOutcome::kUnknown);
}

TEST(RpcAnswerTest, ARequestNamesTheChain) {
  EXPECT_EQ(RpcRequestBody("getinfo", "[]", 3, "wx\"chain"),
            "{\"id\":3,\"method\":\"getinfo\",\"chain_name\":\"wx\\\"chain\","
            "\"params\":[]}");
  EXPECT_EQ(RpcRequestBody("getinfo", "[1]", 3, ""),
            "{\"id\":3,\"method\":\"getinfo\",\"params\":[1]}");
}

// Every exchange that was recorded from a real node.
TEST(RpcAnswerTest, RecordedAnswersAreUnderstood) {
  const char* const shared = getenv("WINDPROOF_SHARED");
  const std::string folder =
      absl::StrCat(shared == nullptr ? "" : shared, "/multichain/rpc");
  if (shared == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "WINDPROOF_SHARED names no folder with multichain/rpc";
  }
  // What they must come to, by code.
  const std::map<int64_t, Code> expected = {
      {-1, Code::kInvalidArgument},      {-5, Code::kInvalidArgument},
      {-8, Code::kInvalidArgument},      {-22, Code::kInvalidArgument},
      {-26, Code::kInvalidArgument},     {-28, Code::kUnavailable},
      {-701, Code::kFailedPrecondition}, {-702, Code::kUnimplemented},
      {-703, Code::kFailedPrecondition}, {-704, Code::kPermissionDenied},
      {-705, Code::kAlreadyExists},      {-708, Code::kNotFound},
      {-709, Code::kFailedPrecondition}, {-710, Code::kNotFound},
      {-711, Code::kNotFound},           {-712, Code::kNotFound},
      {-713, Code::kNotFound},           {-32600, Code::kFailedPrecondition},
      {-32601, Code::kUnimplemented},    {-32700, Code::kInternal},
  };
  std::set<int64_t> seen;
  int results = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    const absl::StatusOr<JsonValue> recorded = ParseJson(text.str());
    // What the node itself writes may be no JSON.
    if (!recorded.ok()) continue;
    const JsonValue* const body = recorded->Find("response_body");
    const JsonValue* const status = recorded->Find("http_status");
    if (body == nullptr || body->kind != JsonValue::Kind::kString ||
        status == nullptr || status->kind != JsonValue::Kind::kNumber) {
      continue;
    }
    // Some were asked with a text for an id, which we never do.
    const std::string bytes =
        absl::StrReplaceAll(body->string, {{"\"id\":\"abc\"", "\"id\":7"}});
    const absl::StatusOr<JsonValue> answer = ParseJson(bytes);
    const JsonValue* const id = answer.ok() ? answer->Find("id") : nullptr;
    // Ours are whole numbers that a double holds.
    if (id == nullptr || id->kind != JsonValue::Kind::kNumber ||
        id->number > 1e15) {
      continue;
    }
    const RpcReply reply =
        ParseRpcAnswer(static_cast<int64_t>(status->number), bytes,
                       static_cast<int64_t>(id->number), "recorded");
    const JsonValue* const error = answer->Find("error");
    ASSERT_NE(error, nullptr) << file.path();
    if (error->kind == JsonValue::Kind::kNull) {
      EXPECT_TRUE(reply.status.ok()) << file.path() << reply.status;
      ++results;
      continue;
    }
    const auto code = static_cast<int64_t>(error->Find("code")->number);
    ASSERT_EQ(expected.count(code), 1u) << file.path() << code;
    EXPECT_EQ(reply.status.code(), expected.at(code)) << file.path();
    EXPECT_EQ(reply.code, code) << file.path();
    seen.insert(code);
  }
  EXPECT_EQ(seen.size(), expected.size());
  EXPECT_GT(results, 100);
}

}  // namespace
}  // namespace windproof
