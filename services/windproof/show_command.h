// `windproof show`: all there is to know about one window.
#ifndef WINDPROOF_SERVICES_WINDPROOF_SHOW_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_SHOW_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterShow(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_SHOW_COMMAND_H_
