// A real server that follows a test's open-data server, and what came of it.
#ifndef WINDPROOF_TESTS_LIVE_LIVE_RUN_H_
#define WINDPROOF_TESTS_LIVE_LIVE_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include "services/ingest/dwd/dwd_layout.h"
#include "services/ingest/live/live_product.h"
#include "services/ingest/live/testing/dwd_server.h"
#include "tests/e2e/process.h"

namespace windproof {

// `windproof serve` on `data_dir` with `more` flags.
std::unique_ptr<Process> Serve(const std::string& data_dir,
                               const std::vector<std::string>& more = {});

// Its flags to follow `stations` on `server`, many times a second.
std::vector<std::string> Following(const DwdServer& server,
                                   const std::string& stations,
                                   const std::string& silent_after = "never");

// The URL of a station's file.
std::string UrlOf(const DwdServer& server, const std::string& station,
                  LiveFileKind kind,
                  DwdCadence cadence = DwdCadence::kTenMinutes);

// Puts a zip there, with an ETag that no other content has.
void Publish(DwdServer& server, const std::string& url, const std::string& zip);

// The checkpoints of all windows of a pipeline, by key and start.
std::vector<std::string> Checkpoints(const std::string& address,
                                     const std::string& pipeline = "weather");

// What a checkpoint says of its window alone, whatever the offsets: key, start,
// records, root, aggregates.
std::string ContentOf(const std::string& checkpoint);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_LIVE_LIVE_RUN_H_
