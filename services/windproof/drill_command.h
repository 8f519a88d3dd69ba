// `windproof drill tamper`: alters a stopped store, to see it caught.
#ifndef WINDPROOF_SERVICES_WINDPROOF_DRILL_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_DRILL_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterDrill(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_DRILL_COMMAND_H_
