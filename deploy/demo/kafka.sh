#!/bin/bash
# The demo on a real Kafka broker: ingest, two replicas of window-hash, anchor and verifier, each a process of its own,
# started as Kubernetes starts it (BINARY --config FILE) and ended by SIGTERM.
#
#   kafka.sh BIN [FILE…]    BIN: the folder of the built binaries. FILEs: DWD hourly files; without any, the
#                           synthetic sample.
#
# WINDPROOF_KAFKA: the folder of Kafka's jars (./dev sets it). Everything lives in a folder of its own below TMPDIR,
# listens on loopback alone, and is gone at the end; KEEP=1 keeps the folder.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
bin=$(cd "${1:?usage: kafka.sh BIN [FILE…]}" && pwd)
shift
files=("$@")
[ ${#files[@]} -gt 0 ] || files=("$root/deploy/sample/1-first" "$root/deploy/sample/2-update")
dir=$(mktemp -d "${TMPDIR:-/tmp}/windproof-kafka-demo.XXXXXX")
broker=""

# shellcheck source-path=SCRIPTDIR source=processes.sh
. "$root/deploy/demo/processes.sh"

# A port of loopback on which nobody listens now, each time another.
next_port=$((20000 + RANDOM % 20000))
free_port() {
  while next_port=$((next_port + 1)); (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do :; done
  port=$next_port
}

# Ends what runs, and tells who did not end well.
finish() {
  local status=$? failed=0
  trap - EXIT
  stop ingest window-hash-0 window-hash-1 verifier anchor || failed=1
  if [ -n "$broker" ]; then "$root/tests/kafka/broker/broker.sh" down "$dir/broker" >/dev/null || failed=1; fi
  if [ -n "${KEEP:-}" ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
  [ $status -ne 0 ] || status=$failed
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start_configured NAME BINARY: runs it with --config NAME.conf.
start_configured() {
  echo "$1: $(basename "$2") --config $1.conf"
  start "$1" "$2" --config "$dir/$1.conf"
}

# ask COMMAND…: tries again for a while where it says that something cannot be reached (3): partitions may be on their
# way from one replica to the other.
ask() {
  local i status
  for ((i = 0; i < 30; i++)); do
    status=0
    "$@" >"$dir/answer" 2>"$dir/answer.err" || status=$?
    [ $status -eq 3 ] || break
    sleep 1
  done
  cat "$dir/answer.err" >&2
  cat "$dir/answer"
  return $status
}

say "A real Kafka broker"
mkdir "$dir/broker"
broker=1
free_port
bootstrap=$("$root/tests/kafka/broker/broker.sh" up "$dir/broker" "$port" | grep -oE '127\.0\.0\.1:[0-9]+' | tail -n 1)
[ -n "$bootstrap" ] || die "the broker did not start; see $dir/broker"
echo "$bootstrap"
echo "bootstrap.servers=$bootstrap" >"$dir/kafka.properties"

say "Five processes"
free_port && ingest=127.0.0.1:$port
free_port && window_hash_0=127.0.0.1:$port
free_port && window_hash_1=127.0.0.1:$port
free_port && anchor=127.0.0.1:$port
free_port && verifier=127.0.0.1:$port
cat >"$dir/anchor.conf" <<END
listen = "$anchor"
data-dir = "$dir/anchor"
END
addresses=("$window_hash_0" "$window_hash_1")
for i in 0 1; do
  cat >"$dir/window-hash-$i.conf" <<END
listen = "${addresses[i]}"
advertise = "${addresses[i]}"
instance-id = "window-hash-$i"
data-dir = "$dir/window-hash-$i"
log = kafka
kafka-config = "$dir/kafka.properties"
pipeline = weather-hourly
anchor = "$anchor"
END
done
cat >"$dir/ingest.conf" <<END
listen = "$ingest"
log = kafka
kafka-config = "$dir/kafka.properties"
kafka-retention-ms = -1
pipeline = weather-hourly
END
cat >"$dir/verifier.conf" <<END
listen = "$verifier"
trust = "$dir/trust.json"
log = kafka
kafka-config = "$dir/kafka.properties"
anchor = "$anchor"
window-hash = ["$window_hash_0", "$window_hash_1"]
pipeline = weather-hourly
END
start_configured anchor "$bin/services/anchor/anchor"
start_configured window-hash-0 "$bin/services/window_hash/window_hash"
start_configured window-hash-1 "$bin/services/window_hash/window_hash"
start_configured ingest "$bin/services/ingest/ingest"
# The auditor believes these keys and no others.
printf '{"version":1,"ledger":{"kind":"embedded","vkey":"%s"},"producers":["%s","%s"]}\n' \
  "$(<"$dir/anchor/keys/ledger.vkey")" "$(<"$dir/window-hash-0/keys/producer.vkey")" \
  "$(<"$dir/window-hash-1/keys/producer.vkey")" >"$dir/trust.json"
start_configured verifier "$bin/services/verifier/verifier"
windproof=$bin/services/windproof/windproof
servers=(--ingest "$ingest" --window-hash "$window_hash_1" --anchor "$anchor" --verifier "$verifier")

say "Records into Kafka, windows onto the ledger"
# Rejected rows are part of the sample.
"$windproof" ingest dwd "${files[@]}" --complete "${servers[@]}" || [ $? -eq 1 ] || die "ingest failed"

say "The windows, whoever has them"
ask "$windproof" windows "${servers[@]}" | tail -n 5

say "Every window checked, and made again from Kafka"
ask "$windproof" verify --all --replay "${servers[@]}" | tail -n 3

say "SIGTERM to all"
