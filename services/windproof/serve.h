// `windproof serve`: all of Windproof on one data folder, in one process.
#ifndef WINDPROOF_SERVICES_WINDPROOF_SERVE_H_
#define WINDPROOF_SERVICES_WINDPROOF_SERVE_H_

#include "common/server/command_line.h"

namespace windproof {

// Adds the command with its flags, help and action.
void RegisterServe(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_SERVE_H_
