// What goes wrong with replies, on request.
//
// A fault is for calls of one method, or of any; it is used up after `count`
// calls, or stays until Clear(). A call takes every fault that fits it.
// Thread-safe.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_FAULTS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_FAULTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/sync/mutex.h"

namespace windproof::fake_node {

struct Fault {
  enum class Kind {
    kLoseReply,    // the call is done, the connection reset
    kDropRequest,  // the connection is reset, the call not done
    kDelay,        // the call is done, the reply comes `number` ms later
    kDuplicate,    // the call is done twice; the first reply is sent
    kRefuse,       // 503 "Work queue depth exceeded", not done
    kHtml,         // status `number` and an HTML body, not done
    kHalf,         // done; the connection is closed after half of the reply
    kOverLong,     // done; `number` bytes of spaces behind the reply
    kNonJson,      // done; the body is `text`
    kSlow,         // done; the reply is sent in pieces over `number` ms
    kWrongId,      // done; the reply has another id
    kError,        // error `number` with message `text`, not done
  };

  Kind kind = Kind::kLoseReply;
  int64_t count = 1;   // below 0: until Clear()
  std::string method;  // empty: any
  int64_t number = 0;
  std::string text;
};

// "lose_reply", "drop_request", "delay", "duplicate", "refuse", "html", "half",
// "over_long", "non_json", "slow", "wrong_id", "error"; nothing for another.
absl::optional<Fault::Kind> FaultKind(absl::string_view name);

class Faults {
 public:
  void Add(Fault fault);
  void Clear();

  // The faults for one request, which uses them up.
  std::vector<Fault> Take(const std::vector<std::string>& methods);

 private:
  Mutex mutex_;
  std::vector<Fault> faults_ ABSL_GUARDED_BY(mutex_);
};

// The fault of that kind, or null.
const Fault* FindFault(const std::vector<Fault>& faults, Fault::Kind kind);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_FAULTS_H_
