#include "tests/cli/command_run.h"

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr std::chrono::seconds kHung{60};

const JsonValue* At(const JsonValue& value,
                    const std::vector<std::string>& members) {
  const JsonValue* at = &value;
  for (const std::string& member : members) {
    at = at->Find(member);
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace

Outcome Windproof(const std::vector<std::string>& arguments) {
  return RunProcess(Binary("services/windproof/windproof"), arguments);
}

TestServer::TestServer(const std::vector<std::string>& pipelines)
    : data_dir_(FreshPath("data")), pipelines_(pipelines) {
  Start("127.0.0.1:0");
}

void TestServer::Start(const std::string& listen) {
  std::vector<std::string> arguments = {"serve", "--data-dir", data_dir_,
                                        "--listen", listen};
  for (const std::string& pipeline : pipelines_) {
    arguments.push_back("--pipeline");
    arguments.push_back(pipeline);
  }
  process_ = std::make_unique<Process>(Binary("services/windproof/windproof"),
                                       arguments);
  EXPECT_TRUE(process_->WaitReady()) << process_->err();
  address_ = process_->grpc();
}

void TestServer::Kill() {
  process_->Signal(SIGKILL);
  EXPECT_EQ(process_->Wait(), 128 + SIGKILL);
}

void TestServer::Restart() { Start(address_); }

Outcome TestServer::Run(std::vector<std::string> arguments) const {
  arguments.push_back("--server");
  arguments.push_back(address_);
  return Windproof(arguments);
}

std::vector<JsonValue> TestServer::WaitForWindows(size_t count) const {
  const auto deadline = std::chrono::steady_clock::now() + kHung;
  while (true) {
    const Outcome windows = Run({"windows", "--output", "json"});
    EXPECT_EQ(windows.code, 0) << windows.err;
    std::vector<JsonValue> lines = JsonLines(windows.out);
    size_t anchored = 0;
    for (const JsonValue& line : lines) {
      if (Text(line, {"state"}) == "ANCHORED") ++anchored;
    }
    if (anchored >= count) return lines;
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << anchored << " of " << count << " windows are anchored";
      return lines;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::vector<JsonValue> JsonLines(absl::string_view text) {
  std::vector<JsonValue> values;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    absl::StatusOr<JsonValue> value = ParseJson(line);
    EXPECT_TRUE(value.ok()) << value.status() << " in: " << line;
    if (value.ok()) values.push_back(*std::move(value));
  }
  return values;
}

std::string Text(const JsonValue& value,
                 const std::vector<std::string>& members) {
  const JsonValue* at = At(value, members);
  return at == nullptr ? "" : at->string;
}

double Number(const JsonValue& value, const std::vector<std::string>& members) {
  const JsonValue* at = At(value, members);
  return at == nullptr || at->kind != JsonValue::Kind::kNumber ? -1
                                                               : at->number;
}

std::string SharedData() {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr || *shared == '\0') return "";
  const std::string path = std::string(shared) + "/data";
  return std::filesystem::is_directory(path) ? path : "";
}

}  // namespace windproof
