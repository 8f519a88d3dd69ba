#include "tests/multichain/fault/chain_node.h"

#include <httplib.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace windproof {
namespace {

using fake_node::Json;

constexpr char kUser[] = "multichainrpc";
constexpr char kPassword[] = "password";
constexpr int64_t kPageItems = 500;

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "stand-in node: " << why << std::endl;
  std::abort();
}

// PORT of http://127.0.0.1:PORT/…
int PortOf(absl::string_view url) {
  const std::vector<std::string> parts =
      absl::StrSplit(url, absl::ByAnyChar(":/"));
  int port = 0;
  if (parts.size() < 5 || !absl::SimpleAtoi(parts[4], &port)) {
    Die(absl::StrCat("no port in ", url));
  }
  return port;
}

Json Post(int port, const char* path, const std::string& body) {
  httplib::Client client("127.0.0.1", port);
  client.set_basic_auth(kUser, kPassword);
  client.set_read_timeout(120);
  const httplib::Result got = client.Post(path, body, "application/json");
  if (!got) Die(absl::StrCat(body, ": ", httplib::to_string(got.error())));
  absl::optional<Json> answer = fake_node::ParseJson(got->body);
  if (!answer.has_value()) {
    Die(absl::StrCat(body, ": ", got->status, " ", got->body));
  }
  return *std::move(answer);
}

std::string StringOf(const Json& object, absl::string_view name) {
  const Json* const value = object.Find(name);
  return value == nullptr ? "" : value->AsString();
}

int64_t NumberOf(const Json& object, absl::string_view name) {
  const Json* const value = object.Find(name);
  return value == nullptr ? -1 : value->AsInt();
}

}  // namespace

ChainNode::ChainNode(int64_t target_block_ms)
    : target_block_ms_(target_block_ms), dir_(FreshPath("node")) {
  std::filesystem::create_directory(dir_);
  Start();
  const Json status = Control(Json::Object().Add("fault", "status"));
  genesis_ = StringOf(status, "genesis");
  address_ = StringOf(status, "address");
}

void ChainNode::Kill() {
  process_->Signal(SIGKILL);
  process_->Wait();
}

void ChainNode::Start() {
  process_ = std::make_unique<Process>(
      Binary("tests/multichain/fake_node/fake_node"),
      std::vector<std::string>{"--listen", absl::StrCat("127.0.0.1:", port_),
                               "--data-dir", dir_, "--target-block-time",
                               absl::StrCat(target_block_ms_)});
  // READY URL CONTROL URL
  const std::vector<std::string> words =
      absl::StrSplit(process_->ReadLine(), ' ');
  if (words.size() != 4) Die(process_->err());
  url_ = words[1];
  port_ = PortOf(url_);
  control_port_ = PortOf(words[3]);
}

Json ChainNode::Control(const Json& command) {
  Json answer = Post(control_port_, "/control", fake_node::JsonText(command));
  const Json* const ok = answer.Find("ok");
  if (ok == nullptr || !ok->AsBool()) {
    Die(absl::StrCat(fake_node::JsonText(command), ": ",
                     StringOf(answer, "error")));
  }
  return answer;
}

void ChainNode::Fault(absl::string_view name) {
  Control(Json::Object().Add("fault", name));
}

void ChainNode::Mine(int64_t count) {
  Control(Json::Object().Add("fault", "mine").Add("count", count));
}

int64_t ChainNode::Requests() {
  return NumberOf(Control(Json::Object().Add("fault", "status")), "requests");
}

Json ChainNode::Call(absl::string_view method, const std::string& params) {
  const Json answer = Post(port_, "/",
                           absl::StrCat(R"({"id":1,"method":")", method,
                                        R"(","params":)", params, "}"));
  const Json* const error = answer.Find("error");
  const Json* const result = answer.Find("result");
  if (result == nullptr || (error != nullptr && !error->is_null())) {
    Die(absl::StrCat(method, ": ", fake_node::JsonText(answer)));
  }
  return *result;
}

std::vector<ChainItem> ChainNode::Items() {
  std::vector<ChainItem> items;
  while (true) {
    const Json page = Call("liststreamitems",
                           absl::StrCat("[\"", kStream, "\",true,", kPageItems,
                                        ",", items.size(), "]"));
    for (const Json& shown : page.elements()) {
      ChainItem item;
      item.txid = StringOf(shown, "txid");
      item.vout = NumberOf(shown, "vout");
      item.confirmations = NumberOf(shown, "confirmations");
      if (const Json* const keys = shown.Find("keys")) {
        for (const Json& key : keys->elements()) {
          item.keys.push_back(key.AsString());
        }
      }
      const Json* const publishers = shown.Find("publishers");
      if (publishers != nullptr && publishers->size() > 0) {
        item.publisher = publishers->at(0).AsString();
      }
      if (const Json* const data = shown.Find("data")) {
        item.text = StringOf(*data, "text");
      }
      const Json* const valid = shown.Find("valid");
      item.valid = valid != nullptr && valid->AsBool();
      items.push_back(std::move(item));
    }
    if (static_cast<int64_t>(page.size()) < kPageItems) return items;
  }
}

std::string ChainNode::Logs() const { return process_->err(); }

}  // namespace windproof
