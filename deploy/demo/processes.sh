#!/bin/bash
# What the demos share, to be sourced: processes in one folder, which end in order.
#
# dir, set before it, is the folder of their output (NAME.out, NAME.log).
: "${dir:?}"

declare -A pids=()

say() { printf '\n== %s\n' "$*"; }
die() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

# start NAME COMMAND…: runs it and waits for its READY line.
start() {
  local name=$1 i
  "${@:2}" >"$dir/$name.out" 2>"$dir/$name.log" </dev/null &
  pids[$name]=$!
  for ((i = 0; i < 600; i++)); do
    if grep -q '^READY' "$dir/$name.out" 2>/dev/null; then return; fi
    kill -0 "${pids[$name]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$dir/$name.log" >&2
  die "$name did not start"
}

# stop NAME…: ends those that run, one after the other; fails when one did not end well, and tells which.
stop() {
  local name failed=0
  for name in "$@"; do
    [ -n "${pids[$name]:-}" ] || continue
    kill -TERM "${pids[$name]}" 2>/dev/null || true
    if ! wait "${pids[$name]}"; then
      printf 'demo: %s did not end well; the end of %s/%s.log:\n' "$name" "$dir" "$name" >&2
      tail -n 5 "$dir/$name.log" >&2
      failed=1
    fi
  done
  return $failed
}
