// The rows of one station, in order of time, and the records that they make.
//
// Pure. Thread-compatible.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_STATION_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_STATION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "services/ingest/dwd/dwd_file.h"
#include "services/ingest/dwd/dwd_layout.h"

namespace windproof {

// Some 40 bytes a row: the numbers stay text, as the file shows them, so none
// of them is ever rounded.
class DwdStation {
 public:
  explicit DwdStation(int32_t number);

  void Add(const DwdRow& row);

  // Sorts by time. Rows of one time stay in the order in which they were added,
  // so that overlapping downloads put the same rows side by side. Call it after
  // the last Add() and before anything below.
  void Sort();

  // Five digits.
  const std::string& id() const { return id_; }
  // `weather.` and the id.
  const std::string& topic() const { return topic_; }

  size_t rows() const { return rows_.size(); }
  size_t rows_of(DwdCadence cadence) const {
    return of_cadence_[static_cast<size_t>(cadence)];
  }

  // UTC, seconds since the epoch.
  int64_t time_s(size_t row) const { return rows_[row].time_s; }

  // Appends the row's record: one JSON object
  //   {"station_id":"00433","timestamp":"2018-09-24T00:00:00Z",
  //    "temperature":8.7,"humidity":89.0}
  // with the fields that the row has. The record's message key is id().
  void AppendRecord(size_t row, std::string* out) const;

 private:
  struct Row {
    int64_t time_s = 0;
    uint64_t begin = 0;  // of its numbers in numbers_, one after the other
    std::array<uint8_t, kDwdFields> sizes = {};
  };

  std::string id_;
  std::string topic_;
  std::string prefix_;  // of each record, up to the timestamp
  std::vector<Row> rows_;
  std::string numbers_;
  std::array<size_t, 2> of_cadence_ = {};
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_STATION_H_
