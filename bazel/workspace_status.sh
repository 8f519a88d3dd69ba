#!/bin/bash
# Prints what a stamped build may know about the source tree, one "KEY value" per line.
set -u

commit=$(git rev-parse HEAD 2>/dev/null) || commit=unknown
if [ "$commit" != unknown ] && ! git diff-index --quiet HEAD -- 2>/dev/null; then
  commit="$commit-modified"
fi
echo "STABLE_WINDPROOF_COMMIT $commit"
