#include "tests/multichain/fake_node/control.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/faults.h"
#include "tests/multichain/fake_node/mining.h"

namespace windproof::fake_node {
namespace {

int64_t Number(const Json& command, absl::string_view name, int64_t otherwise) {
  const Json* value = command.Find(name);
  return value != nullptr && value->is_int() ? value->AsInt() : otherwise;
}

std::string String(const Json& command, absl::string_view name) {
  const Json* value = command.Find(name);
  return value != nullptr ? value->AsString() : "";
}

absl::StatusOr<Fate> ReadFate(const std::string& name) {
  if (name == "held") return Fate::kHeld;
  if (name == "conflict") return Fate::kConflict;
  if (name == "mined_again") return Fate::kMinedAgain;
  return absl::InvalidArgumentError(absl::StrCat(
      "fate is '", name, "'; held, conflict and mined_again are accepted"));
}

absl::StatusOr<Json> Done(const absl::Status& status) {
  if (!status.ok()) return status;
  return Json::Object();
}

// One event a line, in hex.
absl::Status WriteEvents(const FakeNode& node, const std::string& path) {
  std::ofstream file(path);
  for (const std::string& event : node.Export()) file << ToHex(event) << '\n';
  file.close();
  if (!file) return absl::UnavailableError("cannot write " + path);
  return absl::OkStatus();
}

absl::Status ReadEvents(FakeNode* node, const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::UnavailableError("cannot read " + path);
  std::vector<std::string> events;
  for (std::string line; std::getline(file, line);) {
    const absl::optional<std::string> event = FromHex(line);
    if (!event.has_value()) return absl::DataLossError(path + " is no export");
    events.push_back(*event);
  }
  return node->Import(events);
}

absl::StatusOr<Json> RunChain(FakeNode* node, const std::string& name,
                              const Json& command) {
  if (name == "mine") {
    node->MineBlocks(static_cast<uint32_t>(Number(command, "count", 1)));
    return Json::Object().Add("height", node->height());
  }
  if (name == "pause_mining") {
    node->PauseMining();
    return Json::Object();
  }
  if (name == "resume_mining") {
    node->ResumeMining();
    return Json::Object();
  }
  if (name == "reorg") {
    const absl::StatusOr<Fate> fate = ReadFate(String(command, "fate"));
    if (!fate.ok()) return fate.status();
    return Done(
        node->Reorg(static_cast<uint32_t>(Number(command, "depth", 1)), *fate));
  }
  if (name == "release") {
    node->ReleaseHeld();
    return Json::Object();
  }
  if (name == "conflict") {
    return Done(node->ConflictTransaction(String(command, "txid")));
  }
  if (name == "grant" || name == "revoke") {
    const std::string address = String(command, "address").empty()
                                    ? node->address()
                                    : String(command, "address");
    const std::string permission = String(command, "permission");
    return Done(name == "grant" ? node->Grant(address, permission)
                                : node->Revoke(address, permission));
  }
  if (name == "export")
    return Done(WriteEvents(*node, String(command, "file")));
  if (name == "import") return Done(ReadEvents(node, String(command, "file")));
  return absl::NotFoundError(absl::StrCat("no fault is named '", name, "'"));
}

absl::StatusOr<Json> RunNode(FakeNode* node, const std::string& name,
                             const Json& command) {
  const int64_t millis = Number(command, "ms", 0);
  if (name == "clear") {
    node->ClearFaults();
  } else if (name == "stall") {
    node->Stall(millis);
  } else if (name == "hang") {
    node->Hang();
  } else if (name == "warm_up") {
    node->WarmUp(millis);
  } else if (name == "clock") {
    node->AdvanceClock(Number(command, "seconds", 0));
  } else if (name == "down") {
    node->Down();
  } else if (name == "up") {
    return Done(node->Up());
  } else if (name == "restart") {
    return Done(node->Restart());
  } else if (name == "status") {
    return Json::Object()
        .Add("url", node->url())
        .Add("height", node->height())
        .Add("requests", node->requests())
        .Add("address", node->address())
        .Add("genesis", node->genesis_hash());
  } else {
    return RunChain(node, name, command);
  }
  return Json::Object();
}

}  // namespace

absl::StatusOr<Json> RunControl(FakeNode* node, const Json& command) {
  const std::string name = String(command, "fault");
  const absl::optional<Fault::Kind> kind = FaultKind(name);
  if (!kind.has_value()) return RunNode(node, name, command);
  Fault fault;
  fault.kind = *kind;
  fault.count = Number(command, "count", 1);
  fault.method = String(command, "method");
  fault.number = Number(command, "number", 0);
  fault.text = String(command, "text");
  node->Inject(std::move(fault));
  return Json::Object();
}

absl::StatusOr<std::unique_ptr<HttpServer>> StartControl(FakeNode* node) {
  HttpServer::Options options;
  options.workers = 1;
  options.handler = [node](const HttpRequest& request) {
    const absl::optional<Json> command = ParseJson(request.body);
    absl::StatusOr<Json> done =
        absl::InvalidArgumentError("POST /control takes a JSON object");
    if (request.target == "/control" && command.has_value() &&
        command->is_object()) {
      done = RunControl(node, *command);
    }
    Json reply = Json::Object().Add("ok", done.ok());
    if (done.ok()) {
      for (size_t i = 0; i < done->size(); ++i) {
        reply.Add(done->name(i), done->at(i));
      }
    } else {
      reply.Add("error", std::string(done.status().message()));
    }
    return JsonReply(done.ok() ? 200 : 400, JsonText(reply) + "\n");
  };
  return HttpServer::Start(std::move(options));
}

}  // namespace windproof::fake_node
