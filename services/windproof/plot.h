// A line of bars for a terminal: eight heights, U+2581 to U+2588.
//
// Pure.
#ifndef WINDPROOF_SERVICES_WINDPROOF_PLOT_H_
#define WINDPROOF_SERVICES_WINDPROOF_PLOT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace windproof {

// One bar a value, from the least to the greatest; a space where there is none.
// More values than `width` are put together by their means.
std::string Plot(const std::vector<std::optional<double>>& values,
                 size_t width);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_PLOT_H_
