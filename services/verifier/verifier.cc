#include "services/verifier/verifier.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/server/grpc_status.h"
#include "services/verifier/key_run.h"
#include "services/verifier/pipeline_list.h"

namespace windproof {
namespace {

constexpr int64_t kWindowsPerProgress = 500;

std::string MillisText(int64_t millis) {
  return FormatTimestamp(TimestampFromMillis(millis));
}

// OK, or why the window is not one of the pipeline's.
absl::Status CheckStart(const PipelineSpec& spec, int64_t start_ms) {
  if (start_ms % spec.window_ms == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("window.start is ", MillisText(start_ms), "; pipeline ",
                   spec.name, " accepts whole multiples of ", spec.window_ms,
                   " ms since 1970-01-01T00:00:00Z"));
}

// The rules of a pipeline by what its chain names, else by configuration.
const PipelineSpec* SpecOfPipeline(SpecBook& specs, RunContext& context,
                                   const std::string& pipeline) {
  if (const PipelineSpec* spec = specs.FindConfigured(pipeline)) return spec;
  const auto& progress = context.progress.Get();
  if (!progress.ok()) return nullptr;
  for (const v1::PipelineProgress& shown : progress->pipelines()) {
    if (shown.name() == pipeline) {
      return specs.Learn(Sha256Of(shown.canonical_spec()),
                         shown.canonical_spec());
    }
  }
  return nullptr;
}

// Not OK where window-hash knows no such pipeline, and nobody else does.
absl::Status CheckPipeline(SpecBook& specs, RunContext& context,
                           const std::string& pipeline) {
  if (specs.FindConfigured(pipeline) != nullptr) return absl::OkStatus();
  const auto& progress = context.progress.Get();
  if (!progress.ok()) {
    return absl::IsUnavailable(progress.status())
               ? absl::OkStatus()
               : absl::Status(absl::StatusCode::kInvalidArgument,
                              progress.status().message());
  }
  for (const v1::PipelineProgress& shown : progress->pipelines()) {
    if (shown.name() == pipeline) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("pipeline is ", Shown(pipeline),
                   ", which neither the verifier nor window-hash knows"));
}

// What a window is that has no checkpoint and is not proved to be empty.
absl::Status WhyNoWindow(const Peers& peers, const WindowName& name,
                         const KeyRun& run) {
  v1::GetWindowRequest request;
  *request.mutable_window() = ToProto(name);
  v1::Window window;
  const std::unique_ptr<grpc::ClientContext> context = peers.new_context();
  const grpc::Status status =
      peers.window_hash.GetWindow(context.get(), request, &window);
  if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {
    return absl::FailedPreconditionError(
        absl::StrCat("window ", WindowText(name),
                     " is still open: ", status.error_message()));
  }
  const KeyLedger* ledger = run.ledger();
  if (ledger == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "neither ledger nor window-hash can say anything of window ",
        WindowText(name)));
  }
  if (ledger->windows.empty()) {
    if (!status.ok() && status.error_code() != grpc::StatusCode::NOT_FOUND) {
      return absl::UnavailableError(absl::StrCat(
          "the ledger has nothing of key ", name.key,
          ", and window-hash does not answer: ", status.error_message()));
    }
    return absl::NotFoundError(
        absl::StrCat("key ", name.key, " of pipeline ", name.pipeline,
                     " has no checkpoint on the ledger, and window ",
                     WindowText(name), " is not open"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("window ", WindowText(name),
                   " is not closed yet: the newest of the key "
                   "that has a checkpoint starts ",
                   MillisText(ledger->windows.rbegin()->first)));
}

}  // namespace

Verifier::Verifier(Options options)
    : options_(std::move(options)),
      specs_(options_.specs),
      heads_(options_.ledger) {}

absl::StatusOr<WindowReport> Verifier::VerifyWindow(
    const Peers& peers, const WindowName& window, bool replay,
    const std::function<bool()>& cancelled) {
  const auto is_asked = [&](int64_t start_ms) {
    return start_ms == window.start_ms;
  };
  // A second time only where the window was anchored while it was read.
  for (int attempt = 0;; ++attempt) {
    KeyLedgerReader reader(peers, heads_, options_.ledger, options_.producers,
                           options_.now);
    RunContext context{peers,        options_.producers,
                       specs_,       options_.log,
                       options_.now, cancelled,
                       reader,       ServedProgress(peers, window.pipeline),
                       {},           replay};
    if (absl::Status known = CheckPipeline(specs_, context, window.pipeline);
        !known.ok()) {
      return known;
    }
    if (const PipelineSpec* spec =
            SpecOfPipeline(specs_, context, window.pipeline)) {
      if (absl::Status start = CheckStart(*spec, window.start_ms);
          !start.ok()) {
        return start;
      }
    }
    KeyRun run(context, window.pipeline, window.key,
               reader.ReadKey(window.pipeline, window.key, is_asked));
    ServedWindows listed(peers, window.pipeline, window.key,
                         {window.start_ms, window.start_ms + 1});
    std::vector<ServedWindow> served;
    while (listed.Peek() != nullptr) {
      if (listed.name() != window) break;
      served.push_back(listed.Take());
    }
    std::optional<WindowReport> report =
        run.Verify(window.start_ms, served, listed.status());
    if (report.has_value() && run.anchored_meanwhile() && attempt == 0) {
      continue;
    }
    if (!report.has_value()) report = run.VerifyEmpty(window.start_ms);
    if (cancelled()) return absl::CancelledError("the request has ended");
    if (!report.has_value()) return WhyNoWindow(peers, window, run);
    return *std::move(report);
  }
}

// One VerifyRange.
class Verifier::RangeRun {
 public:
  RangeRun(const Options& options, SpecBook& specs, HeadBook& heads,
           const Peers& peers, const Range& range,
           const std::function<bool()>& cancelled, Listener& listener)
      : specs_(specs),
        peers_(peers),
        range_(range),
        cancelled_(cancelled),
        listener_(listener),
        is_asked_([this](int64_t start_ms) {
          return range_.starts.Contains(start_ms);
        }),
        ahead_reader_(peers, heads, options.ledger, options.producers,
                      options.now),
        reader_(peers, heads, options.ledger, options.producers, options.now),
        context_{peers,       options.producers,
                 specs,       options.log,
                 options.now, cancelled,
                 reader_,     ServedProgress(peers, range.pipeline),
                 {},          range.replay},
        served_(peers, range.pipeline, range.key, range.starts) {}

  // `named`: by the caller. A pipeline that is on the ledger needs nobody else
  // who knows it.
  absl::Status Run(bool named) {
    if (named) {
      absl::Status known = CheckPipeline(specs_, context_, range_.pipeline);
      if (!known.ok()) return known;
    }
    if (absl::Status keys = ReadKeys(); !keys.ok()) return keys;
    served_.Peek();
    if (!ledger_status_.ok() && !served_.status().ok()) {
      return absl::UnavailableError(absl::StrCat(
          "neither ledger nor window-hash can be read: ",
          ledger_status_.message(), "; ", served_.status().message()));
    }
    if (!listener_.OnProgress(0, windows_)) return Ended();

    // The keys of both sides, in order.
    auto key = keys_.begin();
    while (true) {
      const bool has_served = served_.Peek() != nullptr;
      const bool has_key = key != keys_.end();
      if (!has_served && !has_key) break;
      std::string next;
      if (has_key && (!has_served || *key <= served_.name().key)) {
        next = *key++;
      } else {
        next = served_.name().key;
      }
      if (absl::Status verified = VerifyKey(next); !verified.ok()) {
        return verified;
      }
    }
    return listener_.OnProgress(done_, done_) ? absl::OkStatus() : Ended();
  }

 private:
  absl::Status Ended() const {
    return absl::CancelledError("the request has ended");
  }

  absl::Status ReadKeys() {
    if (!range_.key.empty()) {
      keys_.insert(range_.key);
      return absl::OkStatus();
    }
    const absl::StatusOr<std::map<std::string, int64_t>> keys =
        reader_.ReadKeys(range_.pipeline, is_asked_);
    ledger_status_ = keys.status();
    if (!keys.ok()) return absl::OkStatus();
    for (const auto& [key, items] : *keys) {
      keys_.insert(key);
      windows_ += items;
    }
    return absl::OkStatus();
  }

  absl::Status VerifyKey(const std::string& key) {
    absl::StatusOr<KeyLedger> read = ReadLedger(key);
    if (!range_.key.empty() && !read.ok()) {
      ledger_status_ = read.status();
      if (!served_.status().ok()) {
        return absl::UnavailableError(absl::StrCat(
            "neither ledger nor window-hash can be read: ",
            ledger_status_.message(), "; ", served_.status().message()));
      }
    }
    KeyRun run(context_, range_.pipeline, key, std::move(read));
    run.ReadAhead(range_.starts);

    std::vector<int64_t> starts;
    if (const KeyLedger* ledger = run.ledger()) {
      for (const auto& [start_ms, revisions] : ledger->windows) {
        if (range_.starts.Contains(start_ms)) starts.push_back(start_ms);
      }
    }
    if (!range_.key.empty()) {
      windows_ = static_cast<int64_t>(starts.size());
      if (!listener_.OnProgress(done_, windows_)) return Ended();
    }
    EmptyWindows empty(*this, run);
    auto start = starts.begin();
    while (true) {
      if (cancelled_()) return Ended();
      const bool has_served =
          served_.Peek() != nullptr && served_.name().key == key;
      const bool has_start = start != starts.end();
      if (!has_served && !has_start) break;
      int64_t next;
      if (has_start && (!has_served || *start <= served_.name().start_ms)) {
        next = *start++;
      } else {
        next = served_.name().start_ms;
      }
      std::vector<ServedWindow> served;
      while (served_.Peek() != nullptr && served_.name().key == key &&
             served_.name().start_ms == next) {
        served.push_back(served_.Take());
      }
      if (absl::Status status = empty.UpTo(next); !status.ok()) return status;
      std::optional<WindowReport> report =
          run.Verify(next, served, served_.status());
      if (run.anchored_meanwhile()) {
        report = Again({range_.pipeline, key, next}, *std::move(report));
      }
      if (!report.has_value()) continue;
      if (absl::Status status = Report(*report); !status.ok()) return status;
    }
    return empty.UpTo(range_.starts.end_ms.value_or(0));
  }

  // Windows between those that have a checkpoint, where the range asks for
  // them: one key, both bounds.
  class EmptyWindows {
   public:
    EmptyWindows(RangeRun& range_run, KeyRun& run)
        : range_run_(range_run), run_(run) {
      const Range& range = range_run.range_;
      if (range.key.empty() || !range.starts.start_ms.has_value() ||
          !range.starts.end_ms.has_value() || run.ledger() == nullptr ||
          run.ledger()->chain.size() == 0) {
        return;
      }
      const Digest hash = run.ledger()->chain.link(0).checkpoint.spec;
      const PipelineSpec* spec = run.SpecOf(hash);
      if (spec == nullptr) return;
      window_ms_ = spec->window_ms;
      next_ = WindowStartMs(TimestampFromMillis(*range.starts.start_ms),
                            window_ms_);
      if (next_ < *range.starts.start_ms) next_ += window_ms_;
    }

    // Reports those that start before `start_ms`, and passes over that one.
    absl::Status UpTo(int64_t start_ms) {
      if (window_ms_ == 0) return absl::OkStatus();
      for (; next_ < start_ms; next_ += window_ms_) {
        if (range_run_.cancelled_()) return range_run_.Ended();
        const std::optional<WindowReport> report = run_.VerifyEmpty(next_);
        if (!report.has_value()) {
          // Nothing after the newest closing is known to be empty.
          window_ms_ = 0;
          return absl::OkStatus();
        }
        if (absl::Status status = range_run_.Report(*report); !status.ok()) {
          return status;
        }
      }
      if (next_ == start_ms) next_ += window_ms_;
      return absl::OkStatus();
    }

   private:
    RangeRun& range_run_;
    KeyRun& run_;
    int64_t window_ms_ = 0;  // 0: not asked for
    int64_t next_ = 0;
  };

  // What the ledger has of `key`. While its windows are verified, the next
  // key's ledger is read and checked: half of the work of each.
  absl::StatusOr<KeyLedger> ReadLedger(const std::string& key) {
    if (!ledger_status_.ok()) return ledger_status_;
    if (!ahead_.valid() || ahead_key_ != key) StartReading(key);
    absl::StatusOr<KeyLedger> ledger = ahead_.get();
    const auto next = keys_.upper_bound(key);
    if (next != keys_.end()) StartReading(*next);
    return ledger;
  }

  void StartReading(const std::string& key) {
    if (ahead_.valid()) ahead_.wait();
    ahead_key_ = key;
    ahead_ = std::async(std::launch::async, [this, key] {
      return ahead_reader_.ReadKey(range_.pipeline, key, is_asked_);
    });
  }

  // A window that was anchored after the key's ledger was read: read it again.
  WindowReport Again(const WindowName& window, WindowReport before) {
    const auto is_asked = [&](int64_t start_ms) {
      return start_ms == window.start_ms;
    };
    KeyRun run(context_, window.pipeline, window.key,
               reader_.ReadKey(window.pipeline, window.key, is_asked));
    ServedWindows listed(peers_, window.pipeline, window.key,
                         {window.start_ms, window.start_ms + 1});
    std::vector<ServedWindow> served;
    while (listed.Peek() != nullptr && listed.name() == window) {
      served.push_back(listed.Take());
    }
    std::optional<WindowReport> report =
        run.Verify(window.start_ms, served, listed.status());
    return report.has_value() ? *std::move(report) : std::move(before);
  }

  absl::Status Report(const WindowReport& report) {
    if (!listener_.OnWindow(report)) return Ended();
    ++done_;
    if (done_ % kWindowsPerProgress == 0 &&
        !listener_.OnProgress(done_, std::max(done_, windows_))) {
      return Ended();
    }
    return absl::OkStatus();
  }

  SpecBook& specs_;
  const Peers& peers_;
  const Range& range_;
  const std::function<bool()>& cancelled_;
  Listener& listener_;
  const std::function<bool(int64_t)> is_asked_;
  KeyLedgerReader ahead_reader_;  // of whoever runs ahead_
  KeyLedgerReader reader_;        // of this thread
  RunContext context_;
  ServedWindows served_;
  absl::Status ledger_status_;
  std::set<std::string> keys_;  // of the ledger
  int64_t windows_ = 0;         // about: revisions count too
  int64_t done_ = 0;
  std::string ahead_key_;
  // Last: its end waits for the reader that uses what is above.
  std::future<absl::StatusOr<KeyLedger>> ahead_;
};

// One count over several pipelines.
class Verifier::PipelinesListener : public Listener {
 public:
  explicit PipelinesListener(Listener& listener) : listener_(listener) {}

  bool OnWindow(const WindowReport& report) override {
    return listener_.OnWindow(report);
  }
  bool OnProgress(int64_t windows_done, int64_t windows) override {
    done_ = windows_done;
    return listener_.OnProgress(before_ + windows_done, before_ + windows);
  }
  void NextPipeline() { before_ += done_; }

 private:
  Listener& listener_;
  int64_t before_ = 0;  // in the pipelines that are done
  int64_t done_ = 0;    // in this one
};

absl::Status Verifier::VerifyRange(const Peers& peers, const Range& range,
                                   const std::function<bool()>& cancelled,
                                   Listener& listener) {
  if (!range.pipeline.empty()) {
    return RangeRun(options_, specs_, heads_, peers, range, cancelled, listener)
        .Run(/*named=*/true);
  }
  const absl::StatusOr<std::set<std::string>> pipelines = ListPipelines(peers);
  if (!pipelines.ok()) return pipelines.status();
  PipelinesListener counting(listener);
  for (const std::string& pipeline : *pipelines) {
    Range one = range;
    one.pipeline = pipeline;
    const absl::Status verified =
        RangeRun(options_, specs_, heads_, peers, one, cancelled, counting)
            .Run(/*named=*/false);
    if (!verified.ok()) return verified;
    counting.NextPipeline();
  }
  return absl::OkStatus();
}

}  // namespace windproof
