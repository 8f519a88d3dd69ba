#include "services/verifier/replay_compare.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/leaves.h"

namespace windproof {
namespace {

// Of bytes hashed by FindPositionEdit; some tenths of a second.
constexpr size_t kMaxHashed = 64 << 20;

Finding Found(absl::string_view code, std::optional<int64_t> record,
              std::optional<int64_t> offset, std::string expected,
              std::string found, std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.record = record;
  finding.offset = offset;
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message = std::move(message);
  return finding;
}

std::string NumberText(double value) {
  std::string text;
  AppendCanonicalNumber(value, &text);
  return text;
}

std::string AggregatesText(const Checkpoint& checkpoint) {
  std::string text;
  for (const Checkpoint::Aggregate& aggregate : checkpoint.aggregates) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", aggregate.field, " avg ",
                    NumberText(aggregate.avg), " count ", aggregate.count,
                    " max ", NumberText(aggregate.max), " min ",
                    NumberText(aggregate.min));
  }
  return text;
}

// Members of a checkpoint that a replay can give otherwise, with what tells the
// most first: where the records are others, their numbers follow.
struct Member {
  absl::string_view name;
  std::string (*text)(const Checkpoint& checkpoint);
};

#define WINDPROOF_NUMBER(name, member)                               \
  {                                                                  \
    name, [](const Checkpoint& c) { return absl::StrCat(c.member); } \
  }
#define WINDPROOF_DIGEST(name, member)                        \
  {                                                           \
    name, [](const Checkpoint& c) { return HexOf(c.member); } \
  }

constexpr Member kMembers[] = {
    {"window",
     [](const Checkpoint& c) {
       return absl::StrCat(
           FormatTimestamp(TimestampFromMillis(c.window_start_ms)), " to ",
           FormatTimestamp(TimestampFromMillis(c.window_end_ms)));
     }},
    WINDPROOF_NUMBER("revision", revision),
    WINDPROOF_NUMBER("scan.begin", scan_begin),
    WINDPROOF_NUMBER("scan.end", scan_end),
    WINDPROOF_NUMBER("records", records),
    WINDPROOF_DIGEST("positions_sha256", positions_sha256),
    WINDPROOF_DIGEST("root", root),
    WINDPROOF_NUMBER("scan.accepted", scan.accepted),
    WINDPROOF_NUMBER("scan.conflict", scan.conflict),
    WINDPROOF_NUMBER("scan.control", scan.control),
    WINDPROOF_NUMBER("scan.duplicate", scan.duplicate),
    WINDPROOF_NUMBER("scan.invalid", scan.invalid),
    WINDPROOF_NUMBER("scan.late", scan.late),
    WINDPROOF_NUMBER("scan.gap", scan.gap),
    WINDPROOF_NUMBER("scan.other", scan.other),
    WINDPROOF_DIGEST("dropped_root", dropped_root),
    {"aggregates", AggregatesText},
    WINDPROOF_NUMBER("offsets.begin", offsets_begin),
    WINDPROOF_NUMBER("offsets.end", offsets_end),
    WINDPROOF_NUMBER("scan.low", scan_low),
    {"watermark",
     [](const Checkpoint& c) { return FormatTimestamp(c.watermark); }},
    {"supersedes",
     [](const Checkpoint& c) {
       return c.supersedes.has_value() ? HexOf(*c.supersedes) : std::string();
     }},
    WINDPROOF_NUMBER("seq", seq),
    WINDPROOF_DIGEST("prev", prev),
    WINDPROOF_DIGEST("spec", spec),
    {"key", [](const Checkpoint& c) { return c.key; }},
    {"pipeline", [](const Checkpoint& c) { return c.pipeline; }},
    {"source", [](const Checkpoint& c) {
       return absl::StrCat(c.topic, "/", c.partition);
     }}};

#undef WINDPROOF_NUMBER
#undef WINDPROOF_DIGEST

std::string DropText(const PendingDrop& drop) {
  return absl::StrCat(DropReasonName(drop.reason), " ",
                      HexOf(drop.record_hash));
}

}  // namespace

bool SameButForLinks(Checkpoint replayed, const Digest& anchored_hash,
                     int64_t seq, const Digest& prev,
                     const std::optional<Digest>& supersedes) {
  replayed.seq = seq;
  replayed.prev = prev;
  if (supersedes.has_value() && replayed.supersedes.has_value()) {
    replayed.supersedes = supersedes;
  }
  return Sha256Of(EncodeCheckpoint(replayed)) == anchored_hash;
}

std::string RevisionText(const Checkpoint& checkpoint) {
  std::string text = absl::StrCat(
      "window ",
      FormatTimestamp(TimestampFromMillis(checkpoint.window_start_ms)));
  if (checkpoint.revision > 0) {
    absl::StrAppend(&text, " revision ", checkpoint.revision);
  }
  return text;
}

Finding ReplayDifference(const Checkpoint& anchored,
                         const Checkpoint& replayed) {
  std::vector<absl::string_view> others;
  const Member* first = nullptr;
  for (const Member& member : kMembers) {
    if (member.text(anchored) == member.text(replayed)) continue;
    if (first == nullptr) {
      first = &member;
    } else {
      others.push_back(member.name);
    }
  }
  std::string message = absl::StrCat(
      first == nullptr ? "" : first->name, first == nullptr ? "" : ": ",
      "the log gives another checkpoint of ", RevisionText(anchored),
      " than the anchored one");
  if (!others.empty()) {
    absl::StrAppend(&message, "; it also differs in ",
                    absl::StrJoin(others, ", "));
  }
  return Found("REPLAY_DIFFERS", std::nullopt, std::nullopt,
               first == nullptr ? HexOf(Sha256Of(EncodeCheckpoint(anchored)))
                                : Shown(first->text(anchored)),
               first == nullptr ? HexOf(Sha256Of(EncodeCheckpoint(replayed)))
                                : Shown(first->text(replayed)),
               std::move(message));
}

std::vector<Finding> DiffLogRecords(const WindowRecords& anchored,
                                    const WindowRecords& replayed) {
  std::map<int64_t, size_t> in_log;
  for (size_t i = 0; i < replayed.entries.size(); ++i) {
    in_log.emplace(replayed.entries[i].offset, i);
  }
  std::vector<Finding> findings;
  for (size_t i = 0; i < anchored.entries.size(); ++i) {
    const WindowRecords::Entry& entry = anchored.entries[i];
    const absl::string_view bytes = anchored.Canonical(entry);
    const auto found = in_log.find(entry.offset);
    if (found == in_log.end()) {
      findings.push_back(
          Found("LOG_RECORD_REMOVED", static_cast<int64_t>(i), entry.offset,
                Shown(bytes), "",
                absl::StrCat("the log's record at offset ", entry.offset,
                             " is gone, or is no accepted record of the "
                             "window any more")));
      continue;
    }
    const WindowRecords::Entry& log_entry = replayed.entries[found->second];
    const absl::string_view log_bytes = replayed.Canonical(log_entry);
    in_log.erase(found);
    if (log_bytes == bytes) continue;
    findings.push_back(
        Found("LOG_RECORD_ALTERED", static_cast<int64_t>(i), entry.offset,
              Shown(bytes), Shown(log_bytes),
              absl::StrCat("the log's record at offset ", entry.offset,
                           " is not the one that was anchored")));
  }
  for (const auto& [offset, i] : in_log) {
    findings.push_back(
        Found("LOG_RECORD_ADDED", static_cast<int64_t>(i), offset, "",
              Shown(replayed.Canonical(replayed.entries[i])),
              absl::StrCat("the log gives the window a record at offset ",
                           offset, " that was not anchored")));
  }
  return findings;
}

std::vector<Finding> DiffLogDrops(absl::Span<const PendingDrop> anchored,
                                  absl::Span<const PendingDrop> replayed) {
  std::vector<Finding> findings;
  size_t a = 0;
  size_t r = 0;
  while (a < anchored.size() || r < replayed.size()) {
    if (r == replayed.size() ||
        (a < anchored.size() && anchored[a].offset < replayed[r].offset)) {
      findings.push_back(
          Found("LOG_RECORD_REMOVED", std::nullopt, anchored[a].offset,
                DropText(anchored[a]), "",
                absl::StrCat("the log's dropped record at offset ",
                             anchored[a].offset,
                             " is gone, or is no dropped record any more")));
      ++a;
    } else if (a == anchored.size() ||
               replayed[r].offset < anchored[a].offset) {
      findings.push_back(
          Found("LOG_RECORD_ADDED", std::nullopt, replayed[r].offset, "",
                DropText(replayed[r]),
                absl::StrCat("the log's record at offset ", replayed[r].offset,
                             " would be dropped, and was not")));
      ++r;
    } else {
      if (anchored[a].reason != replayed[r].reason ||
          anchored[a].record_hash != replayed[r].record_hash) {
        findings.push_back(Found(
            "LOG_RECORD_ALTERED", std::nullopt, anchored[a].offset,
            DropText(anchored[a]), DropText(replayed[r]),
            absl::StrCat("the log's dropped record at offset ",
                         anchored[a].offset,
                         " is not the one that was anchored (its log time, "
                         "key, value and headers are under the hash)")));
      }
      ++a;
      ++r;
    }
  }
  return findings;
}

std::optional<PositionEdit> FindPositionEdit(
    const Checkpoint& anchored, const WindowRecords& replayed,
    absl::Span<const int64_t> candidates) {
  std::vector<int64_t> offsets;
  offsets.reserve(replayed.entries.size() + 1);
  for (const WindowRecords::Entry& entry : replayed.entries) {
    offsets.push_back(entry.offset);
  }
  const auto count = static_cast<int64_t>(offsets.size());
  const int64_t more = anchored.records - count;
  if (more < -1 || more > 1) return std::nullopt;

  size_t hashed = 0;
  const auto is_it = [&](const std::vector<int64_t>& tried) {
    hashed += 12 * tried.size() + 64;
    return PositionsHash(tried) == anchored.positions_sha256;
  };
  if (more == -1) {
    for (size_t i = 0; i < offsets.size() && hashed < kMaxHashed; ++i) {
      std::vector<int64_t> tried = offsets;
      tried.erase(tried.begin() + static_cast<std::ptrdiff_t>(i));
      if (is_it(tried)) return PositionEdit{std::nullopt, offsets[i], i};
    }
    return std::nullopt;
  }
  if (more == 0) {
    // A record whose time is another stands in another place.
    for (size_t from = 0; from < offsets.size(); ++from) {
      std::vector<int64_t> without = offsets;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(from));
      for (size_t to = 0; to < offsets.size(); ++to) {
        if (to == from) continue;
        if (hashed >= kMaxHashed) return std::nullopt;
        std::vector<int64_t> tried = without;
        tried.insert(tried.begin() + static_cast<std::ptrdiff_t>(to),
                     offsets[from]);
        if (is_it(tried)) return PositionEdit{offsets[from], offsets[from], to};
      }
    }
  }
  for (const int64_t candidate : candidates) {
    if (std::find(offsets.begin(), offsets.end(), candidate) != offsets.end()) {
      continue;
    }
    const size_t places = offsets.size() + (more == 1 ? 1 : 0);
    for (size_t i = 0; i < places; ++i) {
      if (hashed >= kMaxHashed) return std::nullopt;
      std::vector<int64_t> tried = offsets;
      const auto place = tried.begin() + static_cast<std::ptrdiff_t>(i);
      if (more == 1) {
        tried.insert(place, candidate);
        if (is_it(tried)) return PositionEdit{candidate, std::nullopt, i};
      } else {
        *place = candidate;
        if (is_it(tried)) return PositionEdit{candidate, offsets[i], i};
      }
    }
  }
  return std::nullopt;
}

}  // namespace windproof
