#!/bin/bash
# clang_tidy.sh REPORT CONFIG SOURCE FLAG...
#
# Checks one source file. What is found goes to the output and fails; REPORT is
# an empty file that says to Bazel that nothing was.
set -u

report=$1 config=$2 source=$3
shift 3
if ! found=$(clang-tidy-14 --quiet --config-file="$config" "$source" -- "$@" 2>&1); then
  # Paths relative to the workspace, without the sandbox around them.
  printf '%s\n' "$found" | sed "s|$PWD/||g; s|^\./||; /^Error while processing/d"
  exit 1
fi
: >"$report"
