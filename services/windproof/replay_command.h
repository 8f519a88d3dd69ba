// `windproof replay`: recomputes a pipeline from the record log and compares
// every checkpoint of the ledger. Needs neither window-hash nor a verifier.
#ifndef WINDPROOF_SERVICES_WINDPROOF_REPLAY_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_REPLAY_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterReplay(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_REPLAY_COMMAND_H_
