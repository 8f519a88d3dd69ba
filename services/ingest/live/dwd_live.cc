#include "services/ingest/live/dwd_live.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/server/logging.h"
#include "services/ingest/live/live_error.h"
#include "services/ingest/live/live_product.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr int64_t kHourMs = 3'600'000;

int64_t NowMs() {
  return std::chrono::duration_cast<milliseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

int64_t SteadyMs() {
  return std::chrono::duration_cast<milliseconds>(
             steady_clock::now().time_since_epoch())
      .count();
}

DwdCadence CadenceOf(const DwdLiveOptions& options,
                     const std::vector<PipelineSpec>& pipelines) {
  if (options.cadence.has_value()) return *options.cadence;
  for (const PipelineSpec& spec : pipelines) {
    if (spec.name == "weather-hourly") return DwdCadence::kHourly;
  }
  return DwdCadence::kTenMinutes;
}

// The rules of the pipelines that read a station.
absl::StatusOr<std::vector<LiveRules>> RulesOf(
    const std::string& station, const std::vector<PipelineSpec>& pipelines) {
  const std::string topic = absl::StrCat("weather.", station);
  std::vector<LiveRules> rules;
  for (const PipelineSpec& spec : pipelines) {
    const absl::StatusOr<TopicMatcher> matcher =
        TopicMatcher::Create(spec.topics);
    if (!matcher.ok()) return matcher.status();
    if (matcher->Matches(topic)) {
      rules.push_back({spec.window_ms, spec.grace_ms});
    }
  }
  if (rules.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--dwd-live ", station, ": its topic is ", topic,
        ", which no pipeline reads; --pipeline weather, weather-hourly or a "
        "spec with that topic is accepted"));
  }
  return rules;
}

// Adds one after the other, with the labels of a station or of its file.
class Page {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Page(Labels labels, std::vector<Metric>* metrics)
      : labels_(std::move(labels)), metrics_(*metrics) {}

  void Counter(const char* name, const char* help, int64_t value,
               const Labels& more = {}) {
    Add(Metric::Type::kCounter, name, help, static_cast<double>(value), more);
  }
  void Gauge(const char* name, const char* help, double value) {
    Add(Metric::Type::kGauge, name, help, value, {});
  }

 private:
  void Add(Metric::Type type, const char* name, const char* help, double value,
           const Labels& more) {
    Metric& metric = metrics_.emplace_back();
    metric.name = absl::StrCat("windproof_dwd_live_", name);
    metric.help = help;
    metric.type = type;
    metric.labels = labels_;
    metric.labels.insert(metric.labels.end(), more.begin(), more.end());
    metric.value = value;
  }

  const Labels labels_;
  std::vector<Metric>& metrics_;
};

double Seconds(int64_t ms) { return static_cast<double>(ms) / 1'000; }

}  // namespace

int64_t DefaultSilentAfterMs(DwdCadence cadence) {
  return cadence == DwdCadence::kHourly ? 72 * kHourMs : 3 * kHourMs;
}

absl::StatusOr<std::unique_ptr<DwdLive>> DwdLive::Open(
    const DwdLiveOptions& options, const std::vector<PipelineSpec>& pipelines,
    LiveSink& sink) {
  if (options.stations.size() > DwdLiveOptions::kStationsMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--dwd-live names ", options.stations.size(), " stations; up to ",
        DwdLiveOptions::kStationsMax, " are accepted, each has a thread"));
  }
  const DwdCadence cadence = CadenceOf(options, pipelines);
  const int64_t silent_after_ms =
      options.silent_after_ms.value_or(DefaultSilentAfterMs(cadence));
  if (options.state_watermarks &&
      silent_after_ms < CadenceSeconds(cadence) * 1'000) {
    LogWarning(
        "dwd-live: --dwd-silent-after is shorter than the time between two "
        "rows; rows that are on time may be late",
        {{"silent_after_ms", silent_after_ms},
         {"cadence_ms", CadenceSeconds(cadence) * 1'000}});
  }
  std::vector<LivePoller::Options> pollers;
  for (const std::string& station : options.stations) {
    auto rules = RulesOf(station, pipelines);
    if (!rules.ok()) return rules.status();
    LivePoller::Options& poller = pollers.emplace_back();
    poller.station = station;
    poller.cadence = cadence;
    poller.files = LiveFilesOf(options.base_url, cadence, station);
    poller.rules = *std::move(rules);
    poller.poll_ms = options.poll_ms;
    if (options.state_watermarks) poller.silent_after_ms = silent_after_ms;
    poller.backoff = options.backoff;
  }

  std::unique_ptr<DwdLive> live(new DwdLive());
  auto store = OpenLiveStore(options.store_path);
  if (!store.ok()) return store.status();
  live->store_ = *std::move(store);
  std::random_device seed;
  for (LivePoller::Options& poller : pollers) {
    auto fetcher = CurlFetcher::Open(options.http);
    if (!fetcher.ok()) return fetcher.status();
    Station& station =
        *live->stations_.emplace_back(std::make_unique<Station>());
    station.fetcher = *std::move(fetcher);
    station.random.seed(seed());
    station.poller = std::make_unique<LivePoller>(
        std::move(poller),
        LivePoller::Parts{.fetcher = *station.fetcher,
                          .sink = sink,
                          .store = *live->store_,
                          .now_ms = &NowMs,
                          .steady_ms = &SteadyMs,
                          .random = [&random = station.random] {
                            return std::uniform_real_distribution<double>()(
                                random);
                          }});
    const absl::Status opened = station.poller->Open();
    if (!opened.ok()) return opened;
  }
  LogInfo(
      "dwd-live",
      {{"stations", static_cast<int64_t>(options.stations.size())},
       {"base_url", options.base_url},
       {"product", cadence == DwdCadence::kHourly ? "hourly" : "ten-minutes"},
       {"poll_ms", options.poll_ms},
       {"silent_after_ms",
        options.state_watermarks ? silent_after_ms : int64_t{-1}}});
  return live;
}

DwdLive::~DwdLive() {
  Stop();
  Join();
}

void DwdLive::Start() {
  for (const auto& station : stations_) {
    station->thread =
        std::thread([this, &poller = *station->poller] { Run(poller); });
  }
}

void DwdLive::Stop() {
  for (const auto& station : stations_) {
    if (station->poller != nullptr) station->poller->Stop();
  }
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
}

void DwdLive::Join() {
  for (const auto& station : stations_) {
    if (station->thread.joinable()) station->thread.join();
  }
}

void DwdLive::Run(LivePoller& poller) {
  while (true) {
    const steady_clock::time_point next{milliseconds(poller.Step())};
    MutexLock lock(mutex_);
    while (!stopping_ && steady_clock::now() < next) {
      changed_.WaitUntil(mutex_, next);
    }
    if (stopping_) return;
  }
}

std::vector<Metric> DwdLive::Metrics() const {
  std::vector<Metric> metrics;
  const int64_t now_ms = NowMs();
  for (const auto& station : stations_) {
    AppendLiveMetrics(station->poller->status(), now_ms, &metrics);
  }
  return metrics;
}

void AppendLiveMetrics(const LiveStatus& status, int64_t now_ms,
                       std::vector<Metric>* metrics) {
  Page page({{"station", status.station}}, metrics);
  if (status.last_row_s.has_value()) {
    page.Gauge("last_row_seconds",
               "Time of the newest row sent, since the epoch.",
               static_cast<double>(*status.last_row_s));
    page.Gauge("silent_seconds", "Age of the newest row sent.",
               Seconds(now_ms - *status.last_row_s * 1'000));
  }
  page.Counter("rows_sent_total", "Rows written to the log.", status.rows_sent);
  page.Counter("rows_changed_total",
               "Of the rows written, those sent before with other values.",
               status.rows_changed);
  page.Counter("rows_refused_total", "Rows that no pipeline takes.",
               status.rows_refused);
  page.Counter("rows_rejected_total", "Rows that could not be read.",
               status.rows_rejected);
  page.Counter("watermarks_total",
               "Watermarks stated because the station is silent.",
               status.watermarks);
  for (const LiveFileStatus& file : status.files) {
    Page of_file({{"station", status.station},
                  {"file", std::string(LiveFileKindName(file.kind))}},
                 metrics);
    of_file.Gauge("last_success_seconds",
                  "When the file was last read whole or was unchanged, since "
                  "the epoch; 0: not yet.",
                  Seconds(file.last_success_ms));
    of_file.Counter("answers_total", "Files read, and requests answered 304.",
                    file.answers, {{"result", "read"}});
    of_file.Counter("answers_total", "Files read, and requests answered 304.",
                    file.unchanged, {{"result", "unchanged"}});
    for (size_t i = 1; i < file.errors.size(); ++i) {
      const auto error = static_cast<LiveError>(i);
      if (error == LiveError::kCancelled) continue;
      of_file.Counter("errors_total", "Attempts that failed, by kind.",
                      file.errors[i],
                      {{"kind", std::string(LiveErrorName(error))}});
    }
    of_file.Gauge("failures", "Errors in a row, until now.", file.failures);
    of_file.Gauge("backoff_seconds",
                  "The wait after the last error; 0 without one.",
                  Seconds(file.backoff_ms));
  }
}

}  // namespace windproof
