// `windproof verify`: verdicts of windows, from a server or over a stopped
// store.
#ifndef WINDPROOF_SERVICES_WINDPROOF_VERIFY_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_VERIFY_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterVerify(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_VERIFY_COMMAND_H_
