// Which Windproof this program is.
//
// Pure and thread-safe; the strings live as long as the program.
#ifndef WINDPROOF_BAZEL_VERSION_H_
#define WINDPROOF_BAZEL_VERSION_H_

namespace windproof {

// The Git commit that was built: 40 hex digits, then "-modified" if files under
// version control differed from it. "unknown" if the build was not stamped
// (tests are not, so that a commit leaves them cached) or if the sources came
// without their repository.
const char* VersionCommit();

// For people: the release, and the first digits of the commit if it is known,
// as in "0.1.0+1a2b3c4d5e6f".
const char* VersionString();

}  // namespace windproof

#endif  // WINDPROOF_BAZEL_VERSION_H_
