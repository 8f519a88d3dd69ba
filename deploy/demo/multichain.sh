#!/bin/bash
# The demo on a MultiChain stream: `windproof serve --ledger multichain` anchors the windows of the sample, in direct
# mode each as an item, in batched mode by signed heads of a log; and the verifier checks each against the chain.
#
#   multichain.sh BIN [--batched] [FILE…]    BIN: the folder of the built binaries. FILEs: DWD hourly files; without
#                                            any, the synthetic sample.
#
# The chain is the stand-in node of tests/multichain/fake_node, not a real multichaind. Everything lives in a folder of
# its own below TMPDIR, listens on loopback alone, and is gone at the end; KEEP=1 keeps the folder.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
bin=$(cd "${1:?usage: multichain.sh BIN [--batched] [FILE…]}" && pwd)
shift
mode=direct
if [ "${1:-}" = --batched ]; then
  mode=batched
  shift
fi
files=("$@")
[ ${#files[@]} -gt 0 ] || files=("$root/deploy/sample/1-first" "$root/deploy/sample/2-update")
dir=$(mktemp -d "${TMPDIR:-/tmp}/windproof-multichain-demo.XXXXXX")

# shellcheck source-path=SCRIPTDIR source=processes.sh
. "$root/deploy/demo/processes.sh"

# Ends what runs, and tells who did not end well.
finish() {
  local status=$? failed=0
  trap - EXIT
  stop serve node || failed=1
  if [ -n "${KEEP:-}" ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
  [ $status -ne 0 ] || status=$failed
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# rpc METHOD PARAMS: the node's answer.
rpc() {
  curl --silent --show-error --fail --user "demo:$(<"$dir/password")" \
    --data "{\"id\":1,\"method\":\"$1\",\"params\":$2}" "$url"
}

say "A chain: the STAND-IN node of this repository's tests, not a real multichaind"
(umask 077 && head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$dir/password")
start node "$bin/tests/multichain/fake_node/fake_node" --listen 127.0.0.1:0 --chain-name weather --user demo \
  --password-file "$dir/password" --target-block-time 1000
url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$dir/node.out" | head -n 1)
genesis=$(rpc getblockhash '[0]' | grep -oE '[0-9a-f]{64}')
address=$(rpc getaddresses '[]' | grep -oE '1[1-9A-HJ-NP-Za-km-z]{25,}' | head -n 1)
echo "$url, genesis $genesis"
cat >"$dir/multichain.properties" <<END
node.urls = $url
chain = weather
genesis = $genesis
stream = checkpoints
create-stream = true
address = $address
user = demo
password.file = $dir/password
mode = $mode
confirmations = 1
END
[ $mode = direct ] || echo 'flush-interval-ms = 1000' >>"$dir/multichain.properties"
cat "$dir/multichain.properties"

say "windproof serve --ledger multichain --multichain-config multichain.properties"
start serve "$bin/services/windproof/windproof" serve --data-dir "$dir/data" --listen 127.0.0.1:0 \
  --pipeline weather-hourly --ledger multichain \
  --multichain-config "$dir/multichain.properties"
server=$(grep -oE '127\.0\.0\.1:[0-9]+' "$dir/serve.out" | head -n 1)
echo "$server"
windproof=$bin/services/windproof/windproof

say "Records in, windows onto the chain"
# Rejected rows are part of the sample.
"$windproof" ingest dwd "${files[@]}" --complete --server "$server" || [ $? -eq 1 ] || die "ingest failed"

say "What the auditor believes"
cat "$dir/data/trust.json"

say "Every window checked against the chain, once a block has the last one"
for ((i = 0; i < 60; i++)); do
  status=0
  "$windproof" verify --all --server "$server" >"$dir/verified" 2>"$dir/verified.err" || status=$?
  [ $status -ne 0 ] || break
  sleep 1
done
cat "$dir/verified.err" >&2
tail -n 5 "$dir/verified"
[ "$status" -eq 0 ] || die "not every window is verified"

say "On the chain, as the node shows it"
rpc liststreams '["checkpoints"]'
rpc liststreamitems '["checkpoints",true,1]' | cut -c 1-1500

say "SIGTERM to all"
