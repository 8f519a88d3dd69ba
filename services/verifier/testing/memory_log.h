// A record log of one partition, held in memory, for tests that read it.
#ifndef WINDPROOF_SERVICES_VERIFIER_TESTING_MEMORY_LOG_H_
#define WINDPROOF_SERVICES_VERIFIER_TESTING_MEMORY_LOG_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/pipeline/testing/engine_run.h"
#include "common/record_log/record_log.h"

namespace windproof {

class MemoryLog final : public RecordLog {
 public:
  // `records` in order of offset; must outlive the log.
  MemoryLog(TopicPartition source, const std::vector<OwnedRecord>& records)
      : source_(std::move(source)), records_(records) {}

  // The log has lost what lies before.
  void Expire(int64_t begin) { begin_ = begin; }

  // As a compacted topic: holes come by themselves.
  void Compacts() { may_lose_records_ = true; }
  bool MayLoseRecords(const TopicPartition&) override {
    return may_lose_records_;
  }

  absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord>) override {
    return absl::UnimplementedError("a log to read");
  }

  absl::Status EnsureTopic(const TopicNeed&) override {
    return absl::UnimplementedError("a log to read");
  }

  std::unique_ptr<LogReader> NewReader() override {
    return std::make_unique<Reader>(*this);
  }

  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source) override {
    if (source != source_) return absl::NotFoundError("no such partition");
    return LogBounds{begin_, records_.empty() ? 0 : records_.back().offset + 1};
  }

  absl::StatusOr<std::vector<TopicPartition>> ListPartitions() override {
    return std::vector<TopicPartition>{source_};
  }

  void WaitForPartitions(size_t, std::chrono::milliseconds) override {}
  absl::Status Health() override { return absl::OkStatus(); }

 private:
  // Gives two records at a time, so that readers see more than one batch.
  class Reader final : public LogReader {
   public:
    explicit Reader(const MemoryLog& log) : log_(log) {}

    void Assign(const TopicPartition&, int64_t offset) override {
      position_ = offset;
    }
    void Unassign(const TopicPartition&) override {}
    void Wake() override {}

    absl::StatusOr<std::optional<RecordBatch>> Poll(
        size_t, std::chrono::milliseconds) override {
      RecordBatch batch;
      batch.source = log_.source_;
      batch.next_offset = log_.records_.back().offset + 1;
      for (const OwnedRecord& record : log_.records_) {
        if (record.offset < position_) continue;
        if (batch.records.size() == 2) {
          batch.next_offset = record.offset;
          break;
        }
        batch.records.push_back(record.View());
      }
      position_ = batch.next_offset;
      return std::optional<RecordBatch>(std::move(batch));
    }

   private:
    const MemoryLog& log_;
    int64_t position_ = 0;
  };

  const TopicPartition source_;
  const std::vector<OwnedRecord>& records_;
  int64_t begin_ = 0;
  bool may_lose_records_ = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_TESTING_MEMORY_LOG_H_
