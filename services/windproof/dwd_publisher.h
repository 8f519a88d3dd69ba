// Sends stations of DWD files to ingest, each in order of time, and closes
// their last windows.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_DWD_PUBLISHER_H_
#define WINDPROOF_SERVICES_WINDPROOF_DWD_PUBLISHER_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/ingest/dwd/dwd_station.h"
#include "services/windproof/record_sender.h"
#include "services/windproof/servers.h"

namespace windproof {

// Of a call that failed: with which service ("ingest"), for Servers::Explain.
struct CallOutcome {
  grpc::Status status;
  std::string service;

  bool ok() const { return status.ok(); }
};

class DwdPublisher {
 public:
  // `tell` gets a line for each row that ingest refused and each station that
  // could not be completed. `servers` must outlive the publisher.
  DwdPublisher(
      Servers& servers, std::function<void(const std::string&)> tell,
      std::chrono::milliseconds patience = RecordSender::Options().patience);

  // Sends all rows. `stations` must be sorted by time, as collected.
  CallOutcome Publish(const std::vector<DwdStation>& stations);

  // Moves the watermark of every station sent so far to where its last window
  // closes: in all pipelines that read its topic, or in `pipeline` alone if
  // that is not empty. A window that ends in the future stays open.
  CallOutcome Complete(const std::string& pipeline);

  int64_t written() const { return written_; }      // rows
  int64_t refused() const { return refused_; }      // rows
  int64_t completed() const { return completed_; }  // stations
  // After Publish() failed: which row of each station comes next.
  const std::string& next() const { return next_; }
  const LogEnds& log_ends() const { return log_ends_; }

 private:
  struct Rules {
    int64_t window_ms = 0;
    int64_t grace_ms = 0;
  };
  struct Sent {
    std::string key;
    int64_t last_s = 0;  // of what ingest took; seconds since the epoch
  };
  using RulesByTopic = std::map<std::string, std::vector<Rules>>;

  CallOutcome FindRules(const std::string& pipeline, RulesByTopic* rules);
  CallOutcome CompleteOne(const std::string& topic, const Sent& sent,
                          const std::vector<Rules>& rules);

  Servers& servers_;
  const std::function<void(const std::string&)> tell_;
  const std::chrono::milliseconds patience_;
  std::map<std::string, Sent> sent_;  // by topic
  int64_t written_ = 0;
  int64_t refused_ = 0;
  int64_t completed_ = 0;
  std::string next_;
  LogEnds log_ends_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_DWD_PUBLISHER_H_
