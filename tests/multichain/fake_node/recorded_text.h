// Long answers that a real node gave and that hardly depend on its state.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RECORDED_TEXT_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RECORDED_TEXT_H_

#include "absl/strings/string_view.h"

namespace windproof::fake_node {

// Results of getblockchainparams, getruntimeparams and help "publish".
absl::string_view RecordedParams();
absl::string_view RecordedRuntimeParams();
absl::string_view RecordedPublishHelp();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RECORDED_TEXT_H_
