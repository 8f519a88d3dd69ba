// `windproof windows`: what windows there are, and how far they got.
#ifndef WINDPROOF_SERVICES_WINDPROOF_WINDOWS_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_WINDOWS_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterWindows(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_WINDOWS_COMMAND_H_
