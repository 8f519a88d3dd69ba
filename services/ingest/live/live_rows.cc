#include "services/ingest/live/live_rows.h"

#include <algorithm>
#include <utility>

#include "common/crypto/sha256.h"

namespace windproof {
namespace {

LiveRowHash HashOf(const std::string& record) {
  const Digest digest = Sha256Of(record);
  LiveRowHash hash;
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  return hash;
}

}  // namespace

LivePlan PlanLiveRows(const DwdStation& station, LiveFileKind kind,
                      const std::vector<LiveKnownRow>& known, int64_t floor_s,
                      int64_t now_s) {
  LivePlan plan;
  auto at = known.begin();
  for (size_t row = 0; row < station.rows(); ++row) {
    const int64_t time_s = station.time_s(row);
    if (row + 1 < station.rows() && station.time_s(row + 1) == time_s) continue;
    if (time_s < floor_s) {
      ++plan.settled;
      continue;
    }
    if (time_s > now_s) {
      ++plan.future;
      continue;
    }
    LiveRowToSend next;
    station.AppendRecord(row, &next.record);
    next.known = {time_s, kind, HashOf(next.record)};
    while (at != known.end() && at->time_s < time_s) ++at;
    if (at != known.end() && at->time_s == time_s) {
      if (at->hash == next.known.hash) {
        ++plan.unchanged;
        if (at->kind == LiveFileKind::kNow && kind == LiveFileKind::kRecent) {
          plan.confirmed.push_back(next.known);
        }
        continue;
      }
      if (at->kind == LiveFileKind::kRecent && kind == LiveFileKind::kNow) {
        ++plan.outranked;
        continue;
      }
      next.changed = true;
    }
    plan.send.push_back(std::move(next));
  }
  return plan;
}

}  // namespace windproof
