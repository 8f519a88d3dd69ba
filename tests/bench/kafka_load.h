// The records of the Kafka benchmark, and what librdkafka alone does with them.
//
// Errors of the benchmark itself end the program with a message. Single-owner.
#ifndef WINDPROOF_TESTS_BENCH_KAFKA_LOAD_H_
#define WINDPROOF_TESTS_BENCH_KAFKA_LOAD_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

// What something cost. CPU is user and system time of all threads.
struct Cost {
  double wall_s = 0;
  double cpu_s = 0;
};

// Prints `message` and ends the program with 1.
[[noreturn]] void Give(absl::string_view message);

// Time and CPU of this process since it was made.
class SelfCost {
 public:
  SelfCost();
  Cost Now() const;

 private:
  double wall_s_;
  double cpu_s_;
};

// Stations that measure evenly, an hour is a window: a topic each, named
// PREFIX.STATION, and JSON values of about 105 bytes under a key of 5.
struct Load {
  static constexpr int kStations = 8;

  std::string prefix;
  int64_t records = 0;  // over all stations; a multiple of them
  int64_t per_window = 60;

  std::string Topic(int station) const;
  static std::string Station(int station);
  // The i-th of a station.
  std::string Value(int station, int64_t i) const;
  // The event time, RFC 3339, by which all windows are closed.
  std::string End() const;
  int64_t Windows() const;
  // Of what the log holds: the end of each station is a control record.
  int64_t LogRecords() const { return records + kStations; }
  // Pipeline spec, proto-JSON.
  std::string Spec() const;
};

// Writes the load with librdkafka, idempotent and with acks=all, and returns
// when all is acknowledged; then the control records. The cost is of the load
// alone, which is made before.
Cost ProduceRaw(const std::string& bootstrap, const Load& load);

// Reads the load with librdkafka's batch call, and looks at no record.
Cost ConsumeRaw(const std::string& bootstrap, const Load& load);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_BENCH_KAFKA_LOAD_H_
