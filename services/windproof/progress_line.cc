#include "services/windproof/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr size_t kBarMost = 24;
constexpr size_t kBarLeast = 5;
constexpr size_t kUsualColumns = 80;

size_t ColumnsOfTerminal() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kUsualColumns;
  }
  return size.ws_col;
}

}  // namespace

std::string ProgressBar(absl::string_view text, int64_t done, int64_t total,
                        size_t columns) {
  // The last column stays free: some terminals go on to the next line there.
  const size_t room = columns > 0 ? columns - 1 : 0;
  constexpr size_t kAround = 3;  // brackets and a space
  if (total <= 0 || text.size() + kAround + kBarLeast > room) {
    return std::string(text.substr(0, room));
  }
  const size_t width = std::min(kBarMost, room - text.size() - kAround);
  const auto full = static_cast<size_t>(
      static_cast<double>(width) *
      std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0,
                 1.0));
  return absl::StrCat("[", std::string(full, '#'),
                      std::string(width - full, '.'), "] ", text);
}

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

void ProgressLine::Show(int64_t done, int64_t total) {
  total_ = total;
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
  std::fprintf(stderr, "\r%s\033[K",
               ProgressBar(text, done, total_, ColumnsOfTerminal()).c_str());
}

}  // namespace windproof
