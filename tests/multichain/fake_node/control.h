// A FakeNode's faults over HTTP, for tests whose node is a process.
//
// POST /control with a JSON object; the answer is {"ok":true,…} or
// {"ok":false,"error":"…"}. Commands are in README.md.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_CONTROL_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_CONTROL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "tests/multichain/fake_node/fake_node.h"
#include "tests/multichain/fake_node/http_server.h"
#include "tests/multichain/fake_node/json.h"

namespace windproof::fake_node {

// Runs one command; the answer's other members.
absl::StatusOr<Json> RunControl(FakeNode* node, const Json& command);

// On any free port of 127.0.0.1. `node` must outlive the server.
absl::StatusOr<std::unique_ptr<HttpServer>> StartControl(FakeNode* node);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_CONTROL_H_
