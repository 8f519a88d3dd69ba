// A client that sends a stream of batches to a server that keeps dying, and
// remembers what it was told about each.
//
// Single-owner.
#ifndef WINDPROOF_TESTS_FAULT_PUBLISHER_H_
#define WINDPROOF_TESTS_FAULT_PUBLISHER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "tests/fault/record_stream.h"

namespace windproof {

// One call. Whether a call without a reply was carried out only the log knows.
struct Attempt {
  Batch batch;
  // Where each record, or the watermark's control record, was written; empty
  // where no reply came.
  std::vector<v1::PublishedRecord> acknowledged;
};

// Names an attempt's records in the log.
inline constexpr char kAttemptHeader[] = "attempt";

class Publisher {
 public:
  // Its records carry the header kAttemptHeader with AttemptTag(its number).
  Publisher(uint64_t seed, int number)
      : number_(number), stream_(seed, number) {}

  // Sends up to `calls` batches to the server at `address`, or until no reply
  // comes. As any client must that does not know what became of its batch, it
  // sends a batch without a reply again, first thing.
  void Publish(const std::string& address, int calls);

  // Sends what is unanswered, then the end of the stream. False when no reply
  // came.
  bool Finish(const std::string& address);

  // Every attempt, in order.
  const std::vector<Attempt>& attempts() const { return attempts_; }

  // What a reply said that was neither OK nor that the server is gone; empty
  // while that never happened.
  const std::string& complaint() const { return complaint_; }

  // PUBLISHER/ATTEMPT, the number of an attempt being its index.
  std::string AttemptTag(size_t attempt) const;

 private:
  // False when no reply came.
  bool Send(v1::IngestService::Stub& ingest, Batch batch);

  const int number_;
  RecordStream stream_;
  std::optional<Batch> unanswered_;
  std::vector<Attempt> attempts_;
  std::string complaint_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_FAULT_PUBLISHER_H_
