// The built-in specs of spec.h.
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"

namespace windproof {
namespace {

PipelineSpec MakeWeather() {
  PipelineSpec spec;
  spec.name = "weather";
  spec.topics = {R"(^weather\.[0-9]{5}$)"};
  spec.key_field = "station_id";
  spec.timestamp_field = "timestamp";
  spec.fields = {{"dew_point", FieldType::kNumber},
                 {"ground_temperature", FieldType::kNumber},
                 {"humidity", FieldType::kNumber},
                 {"pressure", FieldType::kNumber},
                 {"temperature", FieldType::kNumber}};
  spec.aggregated = {"temperature"};
  spec.window_ms = 3'600'000;
  spec.grace_ms = 1'200'000;
  spec.late_policy = LatePolicy::kReject;
  spec.future_skew_ms = 300'000;
  spec.units = {{"dew_point", "°C"},
                {"ground_temperature", "°C"},
                {"humidity", "%"},
                {"pressure", "hPa"},
                {"temperature", "°C"}};
  return spec;
}

PipelineSpec MakeWeatherHourly() {
  PipelineSpec spec = MakeWeather();
  spec.name = "weather-hourly";
  spec.window_ms = 86'400'000;
  spec.grace_ms = 7'200'000;
  return spec;
}

const std::vector<PipelineSpec>& BuiltIns() {
  static const auto* const specs =
      new std::vector<PipelineSpec>{MakeWeather(), MakeWeatherHourly()};
  return *specs;
}

}  // namespace

const PipelineSpec* BuiltInSpec(absl::string_view name) {
  for (const PipelineSpec& spec : BuiltIns()) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::vector<std::string> BuiltInSpecNames() {
  std::vector<std::string> names;
  for (const PipelineSpec& spec : BuiltIns()) names.push_back(spec.name);
  return names;
}

}  // namespace windproof
