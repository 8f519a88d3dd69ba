// `windproof pipeline check`: what a spec makes of records, before any is sent.
#ifndef WINDPROOF_SERVICES_WINDPROOF_PIPELINE_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_PIPELINE_COMMAND_H_

#include "common/server/command_line.h"

namespace windproof {

void RegisterPipeline(Command& root);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_PIPELINE_COMMAND_H_
