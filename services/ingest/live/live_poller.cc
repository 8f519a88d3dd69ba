#include "services/ingest/live/live_poller.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"
#include "common/server/logging.h"
#include "services/ingest/live/live_content.h"

namespace windproof {
namespace {

constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();
constexpr int64_t kLast = std::numeric_limits<int64_t>::max();

}  // namespace

LivePoller::LivePoller(Options options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      topic_(absl::StrCat("weather.", options_.station)) {
  status_.station = options_.station;
  for (const LiveFile& file : options_.files) {
    files_.emplace_back(file, options_.backoff);
    status_.files.push_back({.kind = file.kind});
  }
}

absl::Status LivePoller::Open() {
  absl::StatusOr<LiveStationState> state = parts_.store.State(options_.station);
  if (!state.ok()) return state.status();
  state_ = *state;
  for (File& file : files_) {
    absl::StatusOr<LiveValidators> validators =
        parts_.store.Validators(file.file.url);
    if (!validators.ok()) return validators.status();
    file.validators = *std::move(validators);
    file.due_ms = parts_.steady_ms();
  }
  MutexLock lock(mutex_);
  status_.last_row_s = state_.last_row_s;
  return absl::OkStatus();
}

int64_t LivePoller::Step() {
  int64_t next_ms = kLast;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (!stopping_ && parts_.steady_ms() >= files_[i].due_ms) Poll(i);
    next_ms = std::min(next_ms, files_[i].due_ms);
  }
  if (!stopping_) StateWatermark();
  return next_ms;
}

void LivePoller::Stop() {
  stopping_ = true;
  parts_.fetcher.Cancel();
}

LiveStatus LivePoller::status() const {
  MutexLock lock(mutex_);
  return status_;
}

void LivePoller::Poll(size_t index) {
  File& file = files_[index];
  const int64_t asked_ms = parts_.now_ms();
  HttpReply reply =
      parts_.fetcher.Get({.url = file.file.url,
                          .etag = file.validators.etag,
                          .last_modified = file.validators.last_modified});
  const int64_t checked_ms = CheckedAt(asked_ms, reply.date_ms);
  const int64_t retry_after_ms = reply.retry_after_ms;
  Outcome outcome{reply.error, reply.message};
  const bool unchanged = reply.status == 304;
  if (outcome.error == LiveError::kNotFound) {
    NotFound(file, checked_ms);
  } else {
    file.not_found_since_ms.reset();
  }
  if (outcome.error == LiveError::kNone && !unchanged) {
    outcome = Take(index, std::move(reply));
  }
  if (outcome.error == LiveError::kCancelled) return;
  if (outcome.error == LiveError::kNone) {
    Succeeded(index, checked_ms, unchanged);
  } else {
    Failed(index, outcome, retry_after_ms);
  }
}

LivePoller::Outcome LivePoller::Take(size_t index, HttpReply reply) {
  File& file = files_[index];
  absl::StatusOr<LiveContent> content =
      ReadLiveContent(reply.body, options_.station, options_.cadence);
  if (!content.ok()) {
    return {LiveError::kContent, std::string(content.status().message())};
  }
  std::string().swap(reply.body);  // large, and no longer needed
  const DwdStation& rows = content->rows;
  std::vector<LiveKnownRow> known;
  if (rows.rows() > 0) {
    auto read = parts_.store.Rows(options_.station, rows.time_s(0),
                                  rows.time_s(rows.rows() - 1),
                                  std::numeric_limits<size_t>::max());
    if (!read.ok()) {
      return {LiveError::kStore, std::string(read.status().message())};
    }
    known = *std::move(read);
  }
  const LivePlan plan = PlanLiveRows(rows, file.file.kind, known,
                                     state_.floor_s, parts_.now_ms() / 1'000);
  if (content->rejected_rows > 0) {
    LogWarning("dwd-live rejected rows",
               {{"station", options_.station},
                {"url", file.file.url},
                {"rows", content->rejected_rows},
                {"first", content->rejected.front()}});
    MutexLock lock(mutex_);
    status_.rows_rejected += content->rejected_rows;
  }
  if (WouldOvertake(file, plan)) {
    return {LiveError::kHeldBack,
            "its rows wait for those before them, in the file of recent "
            "days, which cannot be read at the moment"};
  }
  Outcome outcome = Send(plan, LiveFileKindName(file.file.kind));
  if (outcome.error == LiveError::kNone) outcome = Finish(file, plan, reply);
  return outcome;
}

// Whether rows of `now` would come before older ones that `recent` may have.
bool LivePoller::WouldOvertake(const File& file, const LivePlan& plan) const {
  if (file.file.kind != LiveFileKind::kNow || plan.send.empty()) return false;
  bool recent_is_away = false;
  for (const File& other : files_) {
    // A file that is not there holds nothing that could be overtaken.
    if (other.file.kind == LiveFileKind::kRecent && !other.good &&
        other.last_error != LiveError::kNotFound) {
      recent_is_away = true;
    }
  }
  if (!recent_is_away) return false;
  if (!state_.last_row_s.has_value()) return true;
  const int64_t last_s = *state_.last_row_s;
  for (const LiveRowToSend& row : plan.send) {
    if (row.known.time_s <= last_s) continue;
    return row.known.time_s > last_s + CadenceSeconds(options_.cadence);
  }
  return false;
}

LivePoller::Outcome LivePoller::Send(const LivePlan& plan,
                                     absl::string_view kind) {
  int64_t sent = 0;
  int64_t changed = 0;
  for (size_t begin = 0; begin < plan.send.size();
       begin += options_.batch_rows) {
    if (stopping_) return {LiveError::kCancelled, "stopping"};
    const size_t end = std::min(begin + options_.batch_rows, plan.send.size());
    const int64_t now_ms = parts_.now_ms();
    std::vector<NewRecord> records;
    for (size_t i = begin; i < end; ++i) {
      records.push_back({.topic = topic_,
                         .key = options_.station,
                         .value = plan.send[i].record,
                         .log_time_ms = now_ms});
    }
    const auto refused = parts_.sink.Append(std::move(records));
    if (!refused.ok()) {
      return {LiveError::kLog, std::string(refused.status().message())};
    }

    // Acknowledged: only now may the position move. A refused row would be
    // refused again, so it counts as done.
    LiveCommit commit{.station = options_.station, .state = state_};
    int64_t batch_changed = 0;
    auto next_refused = refused->begin();
    for (size_t i = begin; i < end; ++i) {
      const LiveRowToSend& row = plan.send[i];
      commit.rows.push_back(row.known);
      if (!row.changed) ++commit.state.rows_known;
      if (next_refused != refused->end() && next_refused->index == i - begin) {
        LogWarning("dwd-live row refused",
                   {{"station", options_.station},
                    {"time", FormatTimestamp({row.known.time_s, 0})},
                    {"reason", next_refused->reason}});
        ++next_refused;
        continue;
      }
      batch_changed += row.changed ? 1 : 0;
      if (row.known.time_s > commit.state.last_row_s.value_or(kFirst)) {
        commit.state.last_row_s = row.known.time_s;
        commit.state.last_seen_ms = now_ms;
      }
      commit.state.sent_since_stated = true;
    }
    const absl::Status committed = parts_.store.Commit(commit);
    if (!committed.ok()) {
      return {LiveError::kStore, std::string(committed.message())};
    }
    state_ = commit.state;
    const auto batch_sent = static_cast<int64_t>(end - begin - refused->size());
    sent += batch_sent;
    changed += batch_changed;
    MutexLock lock(mutex_);
    status_.last_row_s = state_.last_row_s;
    status_.rows_sent += batch_sent;
    status_.rows_changed += batch_changed;
    status_.rows_refused += static_cast<int64_t>(refused->size());
  }
  if (sent > 0) {
    LogInfo("dwd-live rows sent",
            {{"station", options_.station},
             {"file", kind},
             {"rows", sent},
             {"changed", changed},
             {"first", FormatTimestamp({plan.send.front().known.time_s, 0})},
             {"last", FormatTimestamp({plan.send.back().known.time_s, 0})}});
  }
  return {};
}

// Everything in the file is sent: the next request may say so.
LivePoller::Outcome LivePoller::Finish(File& file, const LivePlan& plan,
                                       const HttpReply& reply) {
  LiveCommit commit{
      .station = options_.station, .state = state_, .rows = plan.confirmed};
  LiveValidators validators{reply.etag, reply.last_modified};
  // Rows that are held back come later in the same file.
  if (plan.future > 0) validators = {};
  commit.url.emplace(file.file.url, validators);
  const int64_t excess = state_.rows_known - options_.rows_known_max;
  if (excess > 0) {
    const auto oldest = parts_.store.Rows(options_.station, kFirst, kLast,
                                          static_cast<size_t>(excess) + 1);
    if (!oldest.ok()) {
      return {LiveError::kStore, std::string(oldest.status().message())};
    }
    for (const LiveKnownRow& row : *oldest) {
      commit.state.floor_s = row.time_s;
      if (commit.forgotten.size() == static_cast<size_t>(excess)) break;
      commit.forgotten.push_back(row.time_s);
    }
    commit.state.rows_known -= static_cast<int64_t>(commit.forgotten.size());
    // What is confirmed and forgotten at once stays forgotten.
    std::erase_if(commit.rows, [&commit](const LiveKnownRow& row) {
      return row.time_s < commit.state.floor_s;
    });
  }
  const absl::Status committed = parts_.store.Commit(commit);
  if (!committed.ok()) {
    return {LiveError::kStore, std::string(committed.message())};
  }
  state_ = commit.state;
  file.validators = std::move(validators);
  return {};
}

// A file that was not found for long is one that has no rows; one that is being
// replaced just now has.
void LivePoller::NotFound(File& file, int64_t checked_ms) {
  if (!file.not_found_since_ms.has_value()) {
    file.not_found_since_ms = checked_ms;
  }
  if (options_.silent_after_ms.has_value() &&
      checked_ms - *file.not_found_since_ms >= *options_.silent_after_ms) {
    file.checked_ms = checked_ms;
  }
}

void LivePoller::Succeeded(size_t index, int64_t checked_ms, bool unchanged) {
  File& file = files_[index];
  if (file.backoff.failures() > 0) {
    LogInfo("dwd-live reads again", {{"station", options_.station},
                                     {"url", file.file.url},
                                     {"failures", file.backoff.failures()}});
  }
  file.backoff.Succeeded();
  file.good = true;
  file.last_error = LiveError::kNone;
  file.checked_ms = checked_ms;
  // Not all at the same moment, and not for ever in step.
  file.due_ms = parts_.steady_ms() +
                static_cast<int64_t>(static_cast<double>(options_.poll_ms) *
                                     (0.95 + 0.1 * parts_.random()));
  MutexLock lock(mutex_);
  LiveFileStatus& status = status_.files[index];
  status.last_success_ms = parts_.now_ms();
  ++(unchanged ? status.unchanged : status.answers);
  status.failures = 0;
  status.backoff_ms = 0;
}

void LivePoller::Failed(size_t index, const Outcome& outcome,
                        int64_t retry_after_ms) {
  File& file = files_[index];
  const int64_t wait_ms = file.backoff.Failed(parts_.random(), retry_after_ms);
  file.good = false;
  file.last_error = outcome.error;
  file.due_ms = parts_.steady_ms() + wait_ms;
  LogWarning("dwd-live cannot read", {{"station", options_.station},
                                      {"url", file.file.url},
                                      {"error", LiveErrorName(outcome.error)},
                                      {"reason", outcome.message},
                                      {"failures", file.backoff.failures()},
                                      {"retry_ms", wait_ms}});
  MutexLock lock(mutex_);
  LiveFileStatus& status = status_.files[index];
  ++status.errors[static_cast<size_t>(outcome.error)];
  status.failures = file.backoff.failures();
  status.backoff_ms = wait_ms;
}

void LivePoller::StateWatermark() {
  if (!options_.silent_after_ms.has_value() || !state_.last_row_s.has_value()) {
    return;
  }
  int64_t checked_ms = kLast;
  bool any_good = false;
  for (const File& file : files_) {
    if (!file.checked_ms.has_value()) return;
    checked_ms = std::min(checked_ms, *file.checked_ms);
    any_good = any_good || file.good;
  }
  if (!any_good) return;
  const std::optional<int64_t> due_ms =
      WatermarkDue({.last_row_ms = *state_.last_row_s * 1'000,
                    .last_seen_ms = state_.last_seen_ms,
                    .stated_ms = state_.stated_ms,
                    .sent_since_stated = state_.sent_since_stated,
                    .checked_ms = checked_ms},
                   *options_.silent_after_ms, options_.rules);
  if (!due_ms.has_value()) return;

  NewRecord record;
  record.topic = topic_;
  record.key = options_.station;
  record.value = FormatTimestamp(TimestampFromMillis(*due_ms));
  record.headers = {
      {std::string(kControlHeader), std::string(kControlWatermark)}};
  record.log_time_ms = parts_.now_ms();
  const std::string text = *record.value;
  const auto refused = parts_.sink.Append({std::move(record)});
  absl::Status written = refused.status();
  LiveError error = LiveError::kLog;
  if (written.ok() && !refused->empty()) {
    written = absl::InvalidArgumentError(refused->front().reason);
  }
  if (written.ok()) {
    error = LiveError::kStore;
    LiveCommit commit{.station = options_.station, .state = state_};
    commit.state.stated_ms = *due_ms;
    commit.state.sent_since_stated = false;
    written = parts_.store.Commit(commit);
    if (written.ok()) state_ = commit.state;
  }
  MutexLock lock(mutex_);
  if (written.ok()) {
    ++status_.watermarks;
    LogInfo("dwd-live station is silent",
            {{"station", options_.station},
             {"last_row", FormatTimestamp({*state_.last_row_s, 0})},
             {"watermark", text}});
    return;
  }
  // Tried again at the next Step().
  ++status_.files.back().errors[static_cast<size_t>(error)];
  LogWarning("dwd-live cannot state a watermark",
             {{"station", options_.station},
              {"watermark", text},
              {"reason", std::string(written.message())}});
}

}  // namespace windproof
