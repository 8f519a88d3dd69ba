// `windproof resubmit`: all windows once more to the anchor, whose ledger is a
// new one.
#ifndef WINDPROOF_SERVICES_WINDPROOF_RESUBMIT_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_RESUBMIT_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterResubmit(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_RESUBMIT_COMMAND_H_
