#include "services/ingest/dwd/dwd_batches.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/ingest/dwd/dwd_file.h"

namespace windproof {
namespace {

DwdStation Station(int32_t number, const std::vector<int64_t>& times) {
  DwdStation station(number);
  for (const int64_t time_s : times) {
    DwdRow row;
    row.station = number;
    row.time_s = time_s;
    station.Add(row);
  }
  station.Sort();
  return station;
}

TEST(DwdBatchesTest, TheOldestRowIsNext) {
  const std::vector<DwdStation> stations = {
      Station(1, {0, 10, 20, 30, 40}), Station(2, {5, 6, 7}), Station(3, {})};
  DwdBatches batches(stations, 2);
  std::string order;
  while (const auto batch = batches.Next()) {
    order += batch->station->id() + ":" + std::to_string(batch->begin) + "-" +
             std::to_string(batch->end) + " ";
  }
  EXPECT_EQ(order, "00001:0-2 00002:0-2 00002:2-3 00001:2-4 00001:4-5 ");
}

TEST(DwdBatchesTest, EveryRowComesOnceAndInOrder) {
  std::vector<DwdStation> stations;
  for (int32_t number = 1; number <= 5; ++number) {
    std::vector<int64_t> times;
    for (int i = 0; i < 100 * number; ++i) times.push_back(i * 7 % 90);
    stations.push_back(Station(number, times));
  }
  for (const size_t rows_max : {0, 1, 3, 1000}) {
    DwdBatches batches(stations, rows_max);
    std::map<std::string, size_t> next;
    while (const auto batch = batches.Next()) {
      ASSERT_EQ(batch->begin, next[batch->station->id()]);
      ASSERT_LT(batch->begin, batch->end);
      next[batch->station->id()] = batch->end;
    }
    for (const DwdStation& station : stations) {
      EXPECT_EQ(next[station.id()], station.rows());
    }
  }
}

TEST(DwdBatchesTest, NothingOfNothing) {
  DwdBatches batches({}, 10);
  EXPECT_FALSE(batches.Next().has_value());
}

TEST(DwdStationTest, RowsOfOneTimeKeepTheirOrder) {
  DwdStation station(433);
  const struct {
    int64_t time_s;
    const char* temperature;
  } kRows[] = {{3600, "2"}, {0, "1"}, {3600, "3"}, {0, "4"}, {3600, "2"}};
  for (const auto& given : kRows) {
    DwdRow row;
    row.station = 433;
    row.time_s = given.time_s;
    row.values[0] = given.temperature;
    row.cadence = DwdCadence::kTenMinutes;
    station.Add(row);
  }
  station.Sort();
  std::string temperatures;
  for (size_t row = 0; row < station.rows(); ++row) {
    std::string record;
    station.AppendRecord(row, &record);
    temperatures += record.substr(record.size() - 2, 1);
  }
  EXPECT_EQ(temperatures, "14232");
  EXPECT_EQ(station.rows_of(DwdCadence::kTenMinutes), 5u);
  EXPECT_EQ(station.rows_of(DwdCadence::kHourly), 0u);
}

TEST(DwdStationTest, RecordsHaveTheFieldsThatTheRowHas) {
  DwdStation station(7);
  DwdRow row;
  row.station = 7;
  row.time_s = -1;
  row.values = {"-0.5", "", "1.25", "", "9"};
  station.Add(row);
  row.values = {};
  row.time_s = 0;
  station.Add(row);
  station.Sort();
  std::string records;
  station.AppendRecord(0, &records);
  station.AppendRecord(1, &records);
  EXPECT_EQ(
      records,
      "{\"station_id\":\"00007\",\"timestamp\":\"1969-12-31T23:59:59Z\","
      "\"temperature\":-0.5,\"dew_point\":1.25,"
      "\"ground_temperature\":9}"
      "{\"station_id\":\"00007\",\"timestamp\":\"1970-01-01T00:00:00Z\"}");
  EXPECT_EQ(station.topic(), "weather.00007");
}

}  // namespace
}  // namespace windproof
