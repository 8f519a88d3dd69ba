// `windproof ingest dwd` and `ingest json`: files into the record log.
#ifndef WINDPROOF_SERVICES_WINDPROOF_INGEST_COMMAND_H_
#define WINDPROOF_SERVICES_WINDPROOF_INGEST_COMMAND_H_

#include <string>
#include <vector>

#include "common/server/command_line.h"

namespace windproof {

void RegisterIngest(Command& root);

// The first of `paths` that does not exist; empty where all do. `-` always
// does.
std::string FirstMissingPath(const std::vector<std::string>& paths);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_INGEST_COMMAND_H_
