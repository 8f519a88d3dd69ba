#!/bin/bash
# A real MultiChain node of its own, for tests and benchmarks: a new chain of one node on loopback.
#
#   real_node.sh up DIR      makes chain and node in the new folder DIR, and DIR/multichain.properties as
#                            --multichain-config takes it; needs multichain-util, multichaind and multichain-cli on PATH
#   real_node.sh down DIR    ends the node
set -euo pipefail

dir=${2:?usage: real_node.sh up|down DIR}
chain=windprooftest

cli() { multichain-cli "$chain" -datadir="$dir/data" "$@" 2>/dev/null; }

# free_port: one that nobody listens on now.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

up() {
  umask 077
  mkdir -p "$dir/data"
  multichain-util create "$chain" -datadir="$dir/data" -default-network-port="$(free_port)" \
    -default-rpc-port="$(free_port)" -target-block-time=2 >"$dir/log" 2>&1
  multichaind "$chain" -datadir="$dir/data" -bind=127.0.0.1 >>"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
  for ((i = 0; i < 120; i++)); do
    if cli getinfo >"$dir/info" && [ "$(cli getblockcount)" -ge 2 ]; then break; fi
    kill -0 "$(<"$dir/pid")" 2>/dev/null || break
    sleep 1
  done
  if ! cli getinfo >"$dir/info"; then
    echo "real_node.sh: multichaind did not come up:" >&2
    tail -n 20 "$dir/log" >&2
    down
    exit 1
  fi
  local conf=$dir/data/$chain/multichain.conf port
  port=$(sed -n 's/^default-rpc-port *= *\([0-9]*\).*/\1/p' "$dir/data/$chain/params.dat")
  cat >"$dir/multichain.properties" <<END
node.urls=http://127.0.0.1:$port
chain=$chain
genesis=$(cli getblockhash 0 | tr -d '"')
address=$(cli getaddresses | grep -oE '1[1-9A-HJ-NP-Za-km-z]{25,}' | head -n 1)
user=$(sed -n 's/^rpcuser=//p' "$conf")
password=$(sed -n 's/^rpcpassword=//p' "$conf")
END
}

down() {
  cli stop >/dev/null || true
  local pid
  pid=$(<"$dir/pid")
  for ((i = 0; i < 60; i++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 1
  done
  kill -9 "$pid" 2>/dev/null || true
}

case $1 in
  up | down) "$1" ;;
  *)
    echo "usage: real_node.sh up|down DIR" >&2
    exit 2
    ;;
esac
