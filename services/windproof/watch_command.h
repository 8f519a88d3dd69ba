// `windproof watch`: windows as they are anchored.
#ifndef WINDPROOF_SERVICES_WINDPROOF_WATCH_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_WATCH_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterWatch(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_WATCH_COMMAND_H_
