#include "services/windproof/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr int kBarWidth = 24;

}  // namespace

std::string ProgressText(absl::string_view what, int64_t done, int64_t total,
                         double seconds) {
  const double rate = static_cast<double>(done) / std::max(seconds, 1e-3);
  if (total <= 0) {
    return absl::StrFormat("%d %s, %.0f %s/s", done, what, rate, what);
  }
  std::string text =
      absl::StrFormat("%d of %d %s, %d%%, %.0f %s/s", done, total, what,
                      100 * done / total, rate, what);
  if (done > 0) {
    const auto left = std::llround(static_cast<double>(total - done) / rate);
    absl::StrAppendFormat(&text, ", %d:%02d to go", left / 60, left % 60);
  }
  return text;
}

ProgressLine::ProgressLine(absl::string_view what, int64_t total)
    : what_(what),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(steady_clock::now()),
      shown_(start_) {}

ProgressLine::~ProgressLine() {
  if (bar_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Show(int64_t done) {
  const steady_clock::time_point now = steady_clock::now();
  if (now - shown_ < std::chrono::milliseconds(terminal_ ? 100 : 5000)) return;
  shown_ = now;
  const std::string text = ProgressText(
      what_, done, total_, std::chrono::duration<double>(now - start_).count());
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  bar_ = true;
  std::string bar;
  if (total_ > 0) {
    const auto full = static_cast<size_t>(
        std::min<int64_t>(kBarWidth, kBarWidth * done / total_));
    bar = absl::StrCat("[", std::string(full, '#'),
                       std::string(kBarWidth - full, '.'), "] ");
  }
  std::fprintf(stderr, "\r%s%s\033[K", bar.c_str(), text.c_str());
}

}  // namespace windproof
