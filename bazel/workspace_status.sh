#!/bin/bash
# Prints what a stamped build may know about the source tree, one "KEY value"
# per line. Bazel runs it at every build, in the workspace root.
set -u

# Never hold the repository's lock against somebody who commits meanwhile.
export GIT_OPTIONAL_LOCKS=0

commit=$(git rev-parse HEAD 2>/dev/null) || commit=unknown
if [ "$commit" != unknown ] && ! git diff --quiet HEAD -- 2>/dev/null; then
  commit="$commit-modified"
fi
echo "STABLE_WINDPROOF_COMMIT $commit"
