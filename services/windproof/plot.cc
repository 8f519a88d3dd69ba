#include "services/windproof/plot.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace windproof {
namespace {

// The mean of values [begin, end); nothing where there is none.
std::optional<double> Mean(const std::vector<std::optional<double>>& values,
                           size_t begin, size_t end) {
  double sum = 0;
  int count = 0;
  for (size_t i = begin; i < end; ++i) {
    if (!values[i].has_value()) continue;
    sum += *values[i];
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

std::string Plot(const std::vector<std::optional<double>>& values,
                 size_t width) {
  constexpr std::array<const char*, 8> kBars = {"▁", "▂", "▃", "▄",
                                                "▅", "▆", "▇", "█"};
  const size_t columns = std::min(values.size(), width);
  std::vector<std::optional<double>> means;
  std::optional<double> least;
  std::optional<double> greatest;
  for (size_t column = 0; column < columns; ++column) {
    const auto mean = Mean(values, column * values.size() / columns,
                           (column + 1) * values.size() / columns);
    means.push_back(mean);
    if (!mean.has_value()) continue;
    least = std::min(least.value_or(*mean), *mean);
    greatest = std::max(greatest.value_or(*mean), *mean);
  }
  std::string plot;
  for (const std::optional<double>& mean : means) {
    if (!mean.has_value()) {
      plot += " ";
      continue;
    }
    const double range = *greatest - *least;
    const double share = range > 0 ? (*mean - *least) / range : 0.5;
    plot += kBars[std::min<size_t>(7, static_cast<size_t>(share * 8))];
  }
  return plot;
}

}  // namespace windproof
