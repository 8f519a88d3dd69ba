#!/bin/bash
# The recorded exchanges with a real node, against the stand-in.
set -euo pipefail
recordings=${WINDPROOF_SHARED:-}/multichain/rpc
if [[ -z ${WINDPROOF_SHARED:-} || ! -d $recordings ]]; then
  echo "SKIPPED: WINDPROOF_SHARED names no folder with multichain/rpc"
  exit 0
fi
exec python3 "$1" "$2" "$recordings"
