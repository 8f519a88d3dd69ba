#include "services/verifier/key_run.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "services/verifier/anchor_check.h"
#include "services/verifier/completeness_check.h"
#include "services/verifier/culprit_names.h"
#include "services/verifier/signature_check.h"

namespace windproof {
namespace {

constexpr CheckName kContentChecks[] = {
    CheckName::kCompleteness, CheckName::kCanonical, CheckName::kAnalytics};

void AddToRow(CheckName name, const CheckOutcome& outcome,
              WindowReport* report) {
  if (report->checks.Find(name) == nullptr) {
    report->checks[name] = outcome;
  } else {
    report->checks[name].Add(outcome);
  }
}

void SkipContent(const std::string& reason, WindowReport* report) {
  for (const CheckName name : kContentChecks) {
    AddToRow(name, CheckOutcome::Skipped(reason), report);
  }
}

void FinishReport(Verdict if_all_pass, bool unsupported, WindowReport* report) {
  std::sort(report->evidence.begin(), report->evidence.end());
  report->evidence.erase(
      std::unique(report->evidence.begin(), report->evidence.end()),
      report->evidence.end());
  report->verdict = report->checks.Decide(if_all_pass, unsupported);
}

}  // namespace

KeyRun::KeyRun(RunContext& context, std::string pipeline, std::string key,
               absl::StatusOr<KeyLedger> ledger)
    : context_(context),
      pipeline_(std::move(pipeline)),
      key_(std::move(key)),
      ledger_(std::move(ledger)) {
  if (!ledger_.ok()) return;
  dropped_.resize(ledger_->chain.size());
  dropped_time_.resize(ledger_->chain.size());
  if (ledger_->chain.size() > 0) {
    const Checkpoint& first = ledger_->chain.link(0).checkpoint;
    if (first.seq == 0) {
      context_.origins.emplace(
          std::make_pair(first.topic, first.partition),
          KnownOrigin{first.scan_begin, absl::StrCat("key ", Shown(key_))});
    }
  }
}

template <typename Function>
void KeyRun::Row(CheckName name, WindowReport* report, Function check) {
  const std::chrono::nanoseconds begin = context_.now();
  const CheckOutcome outcome = check();
  report->duration(name) += context_.now() - begin;
  AddToRow(name, outcome, report);
}

const PipelineSpec* KeyRun::SpecOf(const Digest& hash) {
  if (const PipelineSpec* spec = context_.specs.Find(hash)) return spec;
  const auto& progress = context_.progress.Get();
  if (!progress.ok()) return nullptr;
  for (const v1::PipelineProgress& shown : progress->pipelines()) {
    if (const PipelineSpec* spec =
            context_.specs.Learn(hash, shown.canonical_spec())) {
      return spec;
    }
  }
  return nullptr;
}

RecordsCheck& KeyRun::ChecksOf(const PipelineSpec& spec) {
  std::unique_ptr<RecordsCheck>& checks = records_checks_[&spec];
  if (checks == nullptr) checks = std::make_unique<RecordsCheck>(spec);
  return *checks;
}

std::vector<KnownOrigin> KeyRun::OriginsOf(const Checkpoint& checkpoint) {
  std::vector<KnownOrigin> origins;
  if (checkpoint.seq != 0) return origins;
  const auto other = context_.origins.find(
      std::make_pair(checkpoint.topic, checkpoint.partition));
  // A key is no witness of its own.
  if (other != context_.origins.end() &&
      other->second.who != absl::StrCat("key ", Shown(key_))) {
    origins.push_back(other->second);
  }
  const auto& progress = context_.progress.Get();
  if (!progress.ok()) return origins;
  for (const v1::PipelineProgress& shown : progress->pipelines()) {
    if (shown.name() != pipeline_) continue;
    for (const v1::PartitionProgress& partition : shown.partitions()) {
      if (partition.topic() == checkpoint.topic &&
          partition.partition() == checkpoint.partition) {
        origins.push_back({partition.origin(), "window-hash"});
      }
    }
  }
  return origins;
}

void KeyRun::AccountDropped(size_t first, size_t last) {
  const KeyChain& chain = ledger_->chain;
  const std::chrono::nanoseconds begin_time = context_.now();
  size_t current = first;
  DroppedCheck* check = nullptr;
  const auto begin_link = [&] {
    const Checkpoint& checkpoint = chain.link(current).checkpoint;
    const PipelineSpec* spec = SpecOf(checkpoint.spec);
    std::unique_ptr<DroppedCheck>& slot = dropped_checks_[spec];
    if (slot == nullptr) slot = std::make_unique<DroppedCheck>(spec);
    check = slot.get();
    check->Begin(checkpoint);
  };
  const auto end_link = [&] {
    dropped_[current] = check->Finish();
    ++current;
    if (current <= last) begin_link();
  };
  begin_link();
  const Checkpoint& source = chain.link(first).checkpoint;
  const int64_t begin = source.scan_begin;
  const int64_t end = chain.link(last).checkpoint.scan_end;
  // An empty range has none; asked for, [0, 0) would be all of them.
  if (begin < end) {
    const absl::Status read =
        ReadDropped(context_.peers, pipeline_, key_, source, begin, end,
                    [&](const ServedDropped& dropped) {
                      while (current < last &&
                             dropped.record.offset >=
                                 chain.link(current).checkpoint.scan_end) {
                        end_link();
                      }
                      check->Add(dropped);
                    });
    if (!read.ok()) {
      const CheckOutcome skipped = CheckOutcome::Skipped(absl::StrCat(
          "the dropped records cannot be read: ", Shown(read.message())));
      for (size_t link = first; link <= last; ++link) dropped_[link] = skipped;
      return;
    }
  }
  while (current <= last) end_link();
  const std::chrono::nanoseconds each =
      (context_.now() - begin_time) / static_cast<int64_t>(last - first + 1);
  for (size_t link = first; link <= last; ++link) dropped_time_[link] = each;
}

CheckOutcome KeyRun::Accounting(size_t link) {
  if (!dropped_[link].has_value()) AccountDropped(link, link);
  CheckOutcome outcome = ledger_->chain.CheckScan(
      link, OriginsOf(ledger_->chain.link(link).checkpoint));
  outcome.Add(*dropped_[link]);
  return outcome;
}

void KeyRun::ReadAhead(const StartRange& range) {
  if (!ledger_.ok()) return;
  const KeyChain& chain = ledger_->chain;
  const auto is_in_range = [&](size_t link) {
    return range.Contains(chain.link(link).checkpoint.window_start_ms);
  };
  // Runs of one source whose scans touch: one list of dropped records each.
  for (size_t first = 0; first < chain.size();) {
    if (!is_in_range(first)) {
      ++first;
      continue;
    }
    size_t last = first;
    while (last + 1 < chain.size() && is_in_range(last + 1)) {
      const Checkpoint& a = chain.link(last).checkpoint;
      const Checkpoint& b = chain.link(last + 1).checkpoint;
      if (b.scan_begin != a.scan_end || b.topic != a.topic ||
          b.partition != a.partition) {
        break;
      }
      ++last;
    }
    AccountDropped(first, last);
    first = last + 1;
  }
}

void KeyRun::AddChain(size_t link, WindowReport* report) {
  const KeyChain& chain = ledger_->chain;
  const ChainLink& self = chain.link(link);
  Row(CheckName::kChain, report,
      [&] { return chain.CheckLink(link, SpecOf(self.checkpoint.spec)); });
  Row(CheckName::kAccounting, report, [&] { return Accounting(link); });
  report->duration(CheckName::kAccounting) += dropped_time_[link];
  report->evidence.push_back(self.position);
}

CheckOutcome KeyRun::NameDifferences(const Checkpoint& checkpoint,
                                     const v1::Window& served,
                                     const PipelineSpec* spec) {
  int64_t origin = checkpoint.scan_begin;
  if (ledger_.ok() && ledger_->chain.size() > 0) {
    origin = ledger_->chain.link(0).checkpoint.scan_begin;
  }
  return NameServedRecords({context_.peers, context_.log, context_.cancelled},
                           {pipeline_, key_, checkpoint.window_start_ms},
                           checkpoint, spec, origin, served);
}

void KeyRun::VerifyRecords(const Checkpoint& checkpoint,
                           const v1::Window& served, WindowReport* report) {
  const PipelineSpec* spec = SpecOf(checkpoint.spec);
  RecordsCheck* content = spec == nullptr ? nullptr : &ChecksOf(*spec);
  if (content != nullptr) content->Begin(checkpoint);
  CompletenessSums sums;
  const WindowName name = {pipeline_, key_, checkpoint.window_start_ms};
  const absl::Status read = ReadRecords(
      context_.peers, name, served, checkpoint.records,
      [&](absl::Span<const ServedRecord> records) {
        const std::chrono::nanoseconds begin = context_.now();
        sums.Add(records);
        const std::chrono::nanoseconds between = context_.now();
        if (content != nullptr) content->Add(records);
        report->duration(CheckName::kCompleteness) += between - begin;
        report->duration(CheckName::kCanonical) += context_.now() - between;
      });
  if (!read.ok()) {
    const std::string why = Shown(read.message());
    if (absl::IsNotFound(read) || absl::IsDataLoss(read)) {
      AddToRow(CheckName::kCompleteness,
               CheckOutcome::Of({MakeFinding(
                   "PAYLOAD_MISSING",
                   absl::StrCat(checkpoint.records, " records"), "",
                   absl::StrCat("the records of revision ", checkpoint.revision,
                                ": ", why))}),
               report);
      for (const CheckName name :
           {CheckName::kCanonical, CheckName::kAnalytics}) {
        AddToRow(name, CheckOutcome::Skipped("there are no records"), report);
      }
    } else {
      SkipContent(why, report);
    }
    return;
  }

  Row(CheckName::kCompleteness, report, [&] {
    if (sums.Match(checkpoint)) return CheckOutcome::Of({});
    return NameDifferences(checkpoint, served, spec);
  });
  if (content == nullptr) {
    const CheckOutcome skipped = CheckOutcome::Skipped(absl::StrCat(
        "the rules with hash ", HexOf(checkpoint.spec),
        " are not configured, and window-hash does not show them"));
    AddToRow(CheckName::kCanonical, skipped, report);
    AddToRow(CheckName::kAnalytics, skipped, report);
    return;
  }
  Row(CheckName::kCanonical, report, [&] { return content->Canonical(); });
  Row(CheckName::kAnalytics, report, [&] { return content->Analytics(); });
}

void KeyRun::VerifyAnchored(const AnchoredRevision& anchored,
                            const v1::Window* served,
                            const absl::Status& served_status,
                            WindowReport* report, bool* unsupported) {
  *unsupported |= anchored.unsupported;
  report->evidence.push_back(anchored.position);
  report->duration(CheckName::kAnchor) += anchored.anchor_time;
  AddToRow(CheckName::kAnchor, anchored.anchor, report);

  // Byte-equal: the hash of the anchored bytes was kept, so they are fetched
  // again only to name what differs.
  if (served == nullptr) {
    if (!served_status.ok()) {
      AddToRow(CheckName::kAnchor,
               CheckOutcome::Skipped(
                   absl::StrCat("what window-hash serves cannot be compared: ",
                                Shown(served_status.message()))),
               report);
    }
  } else {
    const std::string& bytes = served->checkpoint().checkpoint();
    const bool equal = Sha256Of(bytes) == anchored.hash;
    if (!equal) {
      Row(CheckName::kAnchor, report, [&]() -> CheckOutcome {
        const absl::StatusOr<KeyLedgerReader::Refetched> item =
            context_.ledger.Refetch({pipeline_, key_, report->window.start_ms},
                                    anchored.position, bytes);
        if (!item.ok() || Sha256Of(item->data) != anchored.hash) {
          return CheckOutcome::Of({MakeFinding(
              "CHECKPOINT_DIFFERS", HexOf(anchored.hash),
              HexOf(Sha256Of(bytes)),
              "the checkpoint that window-hash serves has another SHA-256 than "
              "the anchored one")});
        }
        if (item->altered.has_value()) {
          return CheckOutcome::Of({*item->altered});
        }
        return CheckServedCheckpoint(item->data, bytes);
      });
    }
  }

  if (!anchored.link.has_value()) {
    // Not confirmed yet: as good as not on the ledger. Else it cannot be read.
    if (served != nullptr && !anchored.anchor.failed() &&
        !anchored.unsupported) {
      VerifyUnanchored(*served, anchored.unusable, report, unsupported);
      return;
    }
    SkipContent(anchored.unusable, report);
    for (const CheckName name : {CheckName::kChain, CheckName::kAccounting}) {
      AddToRow(name, CheckOutcome::Skipped(anchored.unusable), report);
    }
    AddToRow(CheckName::kSignature, anchored.signature, report);
    SkipReplay(anchored.unusable, report);
    return;
  }

  const Checkpoint& checkpoint = ledger_->chain.link(*anchored.link).checkpoint;
  report->revision = checkpoint.revision;
  report->records = checkpoint.records;
  // Below, the served one is checked, over bytes that ANCHOR has found equal.
  if (served == nullptr || !anchored.signature_elsewhere) {
    AddToRow(CheckName::kSignature, anchored.signature, report);
  }
  report->duration(CheckName::kSignature) += anchored.signature_time;
  // The one that window-hash serves is mostly the very same.
  if (served != nullptr &&
      (anchored.signature_elsewhere ||
       served->checkpoint().signature() != anchored.signature_bytes)) {
    Row(CheckName::kSignature, report, [&] {
      return CheckSignature(served->checkpoint().checkpoint(),
                            served->checkpoint().signature(),
                            served->checkpoint().signer(), context_.producers);
    });
  }
  AddChain(*anchored.link, report);
  const KeyChain& chain = ledger_->chain;
  if (const std::optional<size_t> before = chain.Before(*anchored.link)) {
    report->evidence.push_back(chain.link(*before).position);
  }
  if (*anchored.link + 1 < chain.size()) {
    report->evidence.push_back(chain.link(*anchored.link + 1).position);
  }
  AddReplay(*anchored.link, served, report);
  if (served != nullptr) {
    VerifyRecords(checkpoint, *served, report);
  } else if (!served_status.ok()) {
    SkipContent(Shown(served_status.message()), report);
  } else {
    AddToRow(
        CheckName::kCompleteness,
        CheckOutcome::Of({MakeFinding(
            "PAYLOAD_MISSING", absl::StrCat(checkpoint.records, " records"), "",
            absl::StrCat("window-hash has no revision ", checkpoint.revision,
                         " of the window"))}),
        report);
    for (const CheckName name :
         {CheckName::kCanonical, CheckName::kAnalytics}) {
      AddToRow(name, CheckOutcome::Skipped("there are no records"), report);
    }
  }
}

void KeyRun::VerifyUnanchored(const v1::Window& served, std::string why_not,
                              WindowReport* report, bool* unsupported) {
  const std::string& bytes = served.checkpoint().checkpoint();
  for (const CheckName name : {CheckName::kChain, CheckName::kAccounting}) {
    AddToRow(name, CheckOutcome::Skipped(why_not), report);
  }
  SkipReplay(why_not, report);
  Row(CheckName::kSignature, report, [&] {
    return CheckSignature(bytes, served.checkpoint().signature(),
                          served.checkpoint().signer(), context_.producers);
  });
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(bytes);
  if (!checkpoint.ok()) {
    *unsupported |= absl::IsUnimplemented(checkpoint.status());
    SkipContent(absl::StrCat("the checkpoint that window-hash serves cannot be "
                             "read: ",
                             Shown(checkpoint.status().message())),
                report);
    return;
  }
  if (checkpoint->pipeline != pipeline_ || checkpoint->key != key_ ||
      checkpoint->window_start_ms != report->window.start_ms ||
      checkpoint->revision != served.revision()) {
    AddToRow(CheckName::kAnchor,
             CheckOutcome::Of({MakeFinding(
                 "CHECKPOINT_DIFFERS",
                 absl::StrCat(Shown(WindowText(report->window)), " revision ",
                              served.revision()),
                 absl::StrCat(
                     Shown(WindowText({checkpoint->pipeline, checkpoint->key,
                                       checkpoint->window_start_ms})),
                     " revision ", checkpoint->revision),
                 "window-hash serves a checkpoint of something else")}),
             report);
    SkipContent("the checkpoint is of something else", report);
    return;
  }
  report->revision = checkpoint->revision;
  report->records = checkpoint->records;
  VerifyRecords(*checkpoint, served, report);
}

std::optional<size_t> KeyRun::Match(const AnchoredRevision& anchored,
                                    absl::Span<const ServedWindow> served,
                                    std::vector<size_t>* left) {
  auto match = left->end();
  if (anchored.revision >= 0) {
    match = std::find_if(left->begin(), left->end(), [&](size_t i) {
      return served[i]->revision() == anchored.revision;
    });
  } else {
    // One that cannot be read: the same bytes, else the only one there is.
    match = std::find_if(left->begin(), left->end(), [&](size_t i) {
      return Sha256Of(served[i]->checkpoint().checkpoint()) == anchored.hash;
    });
    if (match == left->end() && left->size() == 1) match = left->begin();
  }
  if (match == left->end()) return std::nullopt;
  const size_t index = *match;
  left->erase(match);
  return index;
}

std::optional<WindowReport> KeyRun::Verify(
    int64_t start_ms, absl::Span<const ServedWindow> served,
    const absl::Status& served_status) {
  anchored_meanwhile_ = false;
  WindowReport report;
  report.window = {pipeline_, key_, start_ms};
  bool unsupported = false;
  bool some = false;
  std::vector<size_t> left;  // of `served`, not compared yet
  for (size_t i = 0; i < served.size(); ++i) left.push_back(i);
  if (ledger_.ok()) {
    const auto window = ledger_->windows.find(start_ms);
    if (window != ledger_->windows.end()) {
      for (const AnchoredRevision& anchored : window->second) {
        const std::optional<size_t> match = Match(anchored, served, &left);
        some = true;
        VerifyAnchored(anchored,
                       match.has_value() ? served[*match].get() : nullptr,
                       served_status, &report, &unsupported);
      }
    }
  }
  for (const size_t i : left) {
    some = true;
    const v1::Receipt::State state = served[i]->receipt().state();
    std::string why_not;
    if (!ledger_.ok()) {
      why_not = absl::StrCat("the ledger cannot be read: ",
                             Shown(ledger_.status().message()));
      AddToRow(CheckName::kAnchor, CheckOutcome::Skipped(why_not), &report);
    } else if (state == v1::Receipt::ANCHORED) {
      why_not = "it is not on the ledger";
      Row(CheckName::kAnchor, &report, [&]() -> CheckOutcome {
        const absl::StatusOr<bool> now_there =
            context_.ledger.HasWindow(report.window);
        anchored_meanwhile_ |= now_there.ok() && *now_there;
        return CheckOutcome::Of({MakeFinding(
            "NOT_ON_LEDGER",
            absl::StrCat("revision ", served[i]->revision(), ", ",
                         HexOf(Sha256Of(served[i]->checkpoint().checkpoint()))),
            "",
            "window-hash says that the checkpoint is anchored, but the ledger "
            "does not have it")});
      });
    } else {
      why_not = absl::StrCat("revision ", served[i]->revision(),
                             " is not on the ledger yet");
      AddToRow(CheckName::kAnchor, CheckOutcome::Skipped(why_not), &report);
    }
    VerifyUnanchored(*served[i], why_not, &report, &unsupported);
  }
  if (!some) return std::nullopt;
  FinishReport(Verdict::kVerified, unsupported, &report);
  return report;
}

void KeyRun::SkipReplay(const std::string& reason, WindowReport* report) {
  if (!context_.replay) return;
  AddToRow(CheckName::kReplay, CheckOutcome::Skipped(reason), report);
}

void KeyRun::AddReplay(size_t link, const v1::Window* served,
                       WindowReport* report) {
  if (!context_.replay) return;
  if (context_.log == nullptr) {
    SkipReplay("the verifier has no record log to read", report);
    return;
  }
  Row(CheckName::kReplay, report, [&] { return Replay(link, served); });
}

CheckOutcome KeyRun::Replay(size_t link, const v1::Window* served) {
  if (replay_ == nullptr) {
    replay_ = std::make_unique<ChainReplay>(
        *context_.log, ledger_->chain,
        [this](const Digest& hash) { return SpecOf(hash); },
        context_.cancelled);
  }
  CheckOutcome outcome = replay_->Outcome(link);
  const Replayed* given = outcome.failed() ? replay_->Given(link) : nullptr;
  if (given == nullptr) return outcome;
  // What window-hash serves is believed where it leads to the anchored hashes.
  const Checkpoint& checkpoint = ledger_->chain.link(link).checkpoint;
  std::vector<Finding> named = NameLogRecords(
      context_.peers, {pipeline_, key_, checkpoint.window_start_ms}, checkpoint,
      *given, served);
  if (named.empty()) return outcome;
  // They take the place of what the ledger alone could only suspect.
  std::vector<Finding> findings;
  for (Finding& finding : outcome.findings) {
    const bool known =
        absl::StartsWith(finding.code, "LOG_") &&
        (!finding.offset.has_value() ||
         std::any_of(named.begin(), named.end(), [&](const Finding& other) {
           return other.offset == finding.offset;
         }));
    if (!known) findings.push_back(std::move(finding));
  }
  findings.insert(findings.end(), std::make_move_iterator(named.begin()),
                  std::make_move_iterator(named.end()));
  return CheckOutcome::Of(std::move(findings));
}

std::optional<WindowReport> KeyRun::VerifyEmpty(int64_t start_ms) {
  if (!ledger_.ok()) return std::nullopt;
  const KeyChain& chain = ledger_->chain;
  const std::optional<KeyChain::Run> run = chain.EmptyEvidence(start_ms);
  if (!run.has_value()) return std::nullopt;
  WindowReport report;
  report.window = {pipeline_, key_, start_ms};
  for (size_t link = run->first; link <= run->last; ++link) {
    // A link is an item that passed; only its equivocation can speak against
    // it.
    const Checkpoint& checkpoint = chain.link(link).checkpoint;
    const auto window = ledger_->windows.find(checkpoint.window_start_ms);
    for (const AnchoredRevision& anchored : window->second) {
      if (anchored.link != link) continue;
      report.duration(CheckName::kAnchor) += anchored.anchor_time;
      AddToRow(CheckName::kAnchor, anchored.anchor, &report);
    }
    AddChain(link, &report);
    AddReplay(link, nullptr, &report);
  }
  FinishReport(Verdict::kEmpty, false, &report);
  return report;
}

}  // namespace windproof
