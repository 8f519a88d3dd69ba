// Checks golden logs: `check FILE…`. Exit code 1 names the first difference of
// each file that differs, 2 means that a file is no golden log.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/vectors/golden_log.h"

int main(int argc, char** argv) {
  using windproof::Feeding;
  if (argc < 2) {
    std::fprintf(stderr, "usage: check FILE...\n");
    return 2;
  }
  // `bazel run` starts elsewhere; relative names are the caller's.
  const char* caller = std::getenv("BUILD_WORKING_DIRECTORY");
  bool differs = false;
  bool unreadable = false;
  for (int i = 1; i < argc; ++i) {
    std::string path = argv[i];
    if (caller != nullptr && path[0] != '/') path = caller + ("/" + path);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
      std::printf("%s: cannot be read\n", argv[i]);
      unreadable = true;
      continue;
    }
    const auto log = windproof::ParseGoldenLog(text.str());
    if (!log.ok()) {
      std::printf("%s: no golden log: %s\n", argv[i],
                  std::string(log.status().message()).c_str());
      unreadable = true;
      continue;
    }
    absl::Status status;
    for (const Feeding& feeding :
         {Feeding{}, Feeding{1}, Feeding{1, true}, Feeding{5, true, 0}}) {
      status.Update(windproof::CheckGoldenLog(*log, feeding));
    }
    if (status.ok()) {
      std::printf("%s: ok, %zu records, %zu checkpoints\n", argv[i],
                  log->entries.size(), log->written.size());
    } else {
      std::printf("%s: %s\n", argv[i], std::string(status.message()).c_str());
      differs = true;
    }
  }
  return differs ? 1 : unreadable ? 2 : 0;
}
