// `windproof anchor status`: the ledger as the anchor knows it, and what is
// wrong.
#ifndef WINDPROOF_SERVICES_WINDPROOF_ANCHOR_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_ANCHOR_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterAnchor(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_ANCHOR_COMMAND_H_
