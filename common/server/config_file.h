// A configuration file: the flags of a program, one `name = value` a line.
//
//   # A comment. Names are those of the flags, without the dashes.
//   data-dir = /var/lib/windproof
//   listen = "127.0.0.1:7400"         # quotes allow blanks and #
//   pipeline = ["weather", "a.json"]  # or one line for each
//
// A subset of TOML but that a bare word needs no quotes; no sections.
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_SERVER_CONFIG_FILE_H_
#define WINDPROOF_COMMON_SERVER_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

struct ConfigEntry {
  int line = 0;  // from 1
  std::string name;
  std::vector<std::string> values;  // one, or the elements of an array
};

// In the order of the file. InvalidArgument names the line and what is wrong.
// Which names there are, and which may repeat, is for the caller.
absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_CONFIG_FILE_H_
