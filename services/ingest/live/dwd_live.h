// The live source: follows stations on a DWD open-data server, each on a thread
// of its own, and puts their rows into the record log.
//
// Thread-safe after Open().
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/server/service_module.h"
#include "common/sync/mutex.h"
#include "services/ingest/dwd/dwd_layout.h"
#include "services/ingest/live/curl_fetcher.h"
#include "services/ingest/live/dwd_live_options.h"
#include "services/ingest/live/live_poller.h"
#include "services/ingest/live/live_sink.h"
#include "services/ingest/live/live_store.h"

namespace windproof {

// Hourly values appear once a day, for the day before.
int64_t DefaultSilentAfterMs(DwdCadence cadence);

class DwdLive {
 public:
  // `pipelines` are valid. InvalidArgument: a station whose topic no pipeline
  // reads, too many stations. Otherwise as
  // OpenLiveStore(). `sink` must outlive it.
  static absl::StatusOr<std::unique_ptr<DwdLive>> Open(
      const DwdLiveOptions& options, const std::vector<PipelineSpec>& pipelines,
      LiveSink& sink);

  // As Stop() and Join().
  ~DwdLive();
  DwdLive(const DwdLive&) = delete;
  DwdLive& operator=(const DwdLive&) = delete;

  // Begins. Once.
  void Start();

  // Ends transfers at once; what was handed to the log is still waited for.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for the threads, after Stop().
  void Join();

  std::vector<Metric> Metrics() const;

 private:
  struct Station {
    std::unique_ptr<CurlFetcher> fetcher;
    std::mt19937_64 random;
    std::unique_ptr<LivePoller> poller;
    std::thread thread;
  };

  DwdLive() = default;

  void Run(LivePoller& poller) ABSL_LOCKS_EXCLUDED(mutex_);

  std::unique_ptr<LiveStore> store_;
  std::vector<std::unique_ptr<Station>> stations_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

// What /metrics shows of a station at `now_ms`.
void AppendLiveMetrics(const LiveStatus& status, int64_t now_ms,
                       std::vector<Metric>* metrics);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_H_
