// How far a long command is, on stderr: a bar with rate and time to go on a
// terminal, a plain line every few seconds elsewhere.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_PROGRESS_LINE_H_
#define WINDPROOF_SERVICES_WINDPROOF_PROGRESS_LINE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

class ProgressLine {
 public:
  // `what` is counted: "rows". `total` 0: unknown.
  ProgressLine(absl::string_view what, int64_t total);

  // Clears the bar.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Cheap to call often: most calls print nothing.
  void Show(int64_t done) { Show(done, total_); }
  // The same, where the total is known better by now.
  void Show(int64_t done, int64_t total);

 private:
  const std::string what_;
  int64_t total_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point shown_;
  bool bar_ = false;
};

// The text of one state: "12000 of 26400 rows, 45%, 60000 rows/s, 0:01 to go".
// Pure.
std::string ProgressText(absl::string_view what, int64_t done, int64_t total,
                         double seconds);

// That text behind a bar, for a terminal of `columns`: the bar is shorter
// there, or left out, rather than that the line breaks. Pure.
std::string ProgressBar(absl::string_view text, int64_t done, int64_t total,
                        size_t columns);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_PROGRESS_LINE_H_
