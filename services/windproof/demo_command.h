// `windproof demo`: everything once, from files to tampering that is caught.
#ifndef WINDPROOF_SERVICES_WINDPROOF_DEMO_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_DEMO_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterDemo(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_DEMO_COMMAND_H_
