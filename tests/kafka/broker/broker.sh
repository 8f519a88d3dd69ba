#!/bin/bash
# A real Apache Kafka broker of one node on loopback, for tests and for people.
#
#   broker.sh jars DIR [VERSION]  fetches the jars of a Kafka version into DIR
#   broker.sh run DIR PORT CPORT  is the broker, until it gets SIGTERM
#   broker.sh up DIR [PORT]       starts one in the background, prints its address
#   broker.sh down DIR            ends the one of `up`, and waits until it has
#
# WINDPROOF_KAFKA: the folder of the jars, for `run` and `up`. DIR of a broker
# holds all that it has: its data, settings and log. CPORT is its controller's
# port. Needs java (17) and, for `jars` alone, mvn and the network.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
default_version=4.3.1

die() {
  printf 'broker.sh: %s\n' "$*" >&2
  exit 1
}

need() { command -v "$1" >/dev/null || die "$1 is not installed (apt-get install $2)"; }

# The JVM compiles quickly rather than well: tests start it often.
archive_option=""
java_options=(-XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true)

# --- jars ---

fetch_jars() {
  local dir=$1 version=${2:-$default_version}
  mkdir -p "$(dirname "$dir")"
  exec 9>"$dir.lock"
  flock 9
  if [ ! -e "$dir/complete" ]; then
    need mvn maven
    need java openjdk-17-jre-headless
    rm -rf "$dir" "$dir.part"
    mvn -q -B -f "$here/pom.xml" -Dkafka.version="$version" \
      dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$dir.part" >"$dir.log" 2>&1 9>&- || {
      grep -m 3 ERROR "$dir.log" >&2 || true
      die "mvn could not fetch Kafka $version; see $dir.log"
    }
    # 3.x brings logging of its own, and two would clash.
    case $version in 3.*) rm -f "$dir.part"/log4j-*.jar ;; esac
    echo "$version" >"$dir.part/version"
    mv "$dir.part" "$dir"
    WINDPROOF_KAFKA=$dir "${BASH_SOURCE[0]}" prime 9>&-
    touch "$dir/complete"
  fi
  exec 9>&-
}

# Lets a broker run once, and keeps what makes the next starts quick: the
# formatted folder, and an archive of the loaded classes (half the CPU time of a
# start). Both can be missing.
prime() {
  trap 'rm -rf "$WINDPROOF_KAFKA/first"' EXIT
  mkdir "$WINDPROOF_KAFKA/first"
  local port=$((20000 + RANDOM % 10000)) pid i
  archive_option=-XX:ArchiveClassesAtExit=$WINDPROOF_KAFKA/classes.jsa
  become_broker "$WINDPROOF_KAFKA/first" "$port" $((port + 1)) &
  pid=$!
  for ((i = 0; i < 600; i++)); do
    if answers "$port" || ! alive "$pid"; then break; fi
    sleep 0.1
  done
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  mkdir "$WINDPROOF_KAFKA/formatted"
  cp "$WINDPROOF_KAFKA"/first/data/{meta.properties,bootstrap.checkpoint} \
    "$WINDPROOF_KAFKA/formatted" || rm -rf "$WINDPROOF_KAFKA/formatted"
}

check_jars() {
  [ -n "${WINDPROOF_KAFKA:-}" ] || die "WINDPROOF_KAFKA is not set: the folder of Kafka's jars"
  [ -e "$WINDPROOF_KAFKA/complete" ] || die "$WINDPROOF_KAFKA has no jars of Kafka; broker.sh jars fetches them"
}

# --- one broker ---

# Warnings, and the lines that say started and stopped. Sets log_option.
write_log_settings() {
  local dir=$1 version
  version=$(<"$WINDPROOF_KAFKA/version")
  case $version in
    3.*)
      cat >"$dir/log4j.properties" <<'EOF'
log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m (%c{1})%n
log4j.logger.kafka.server.KafkaRaftServer=INFO
EOF
      log_option=-Dlog4j.configuration=file:$dir/log4j.properties
      ;;
    *)
      cat >"$dir/log4j2.properties" <<'EOF'
status=error
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c{1})%n
logger.raft.name=kafka.server.KafkaRaftServer
logger.raft.level=info
EOF
      log_option=-Dlog4j2.configurationFile=file:$dir/log4j2.properties
      ;;
  esac
}

# prepare DIR PORT CPORT: settings and, the first time, formatted data.
prepare() {
  local dir=$1 port=$2 cport=$3 id
  need java openjdk-17-jre-headless
  write_log_settings "$dir"
  sed "s|@DIR@|$dir|g; s|@PORT@|$port|g; s|@CPORT@|$cport|g" \
    "$here/server.properties" >"$dir/server.properties"
  if [ -e "$dir/extra.properties" ]; then
    cat "$dir/extra.properties" >>"$dir/server.properties"
  fi
  if [ -s "$dir/data/meta.properties" ]; then
    return
  elif [ -d "$WINDPROOF_KAFKA/formatted" ]; then
    # All brokers that are made here have one cluster id.
    mkdir -p "$dir/data"
    cp "$WINDPROOF_KAFKA/formatted/bootstrap.checkpoint" "$dir/data"
    cp "$WINDPROOF_KAFKA/formatted/meta.properties" "$dir/data"
  else
    # 16 bytes in base64url.
    id=W$(head -c 15 /dev/urandom | base64 | tr '+/' '-_')A
    java "${java_options[@]}" -Xmx128m -XX:+UseSerialGC "$log_option" \
      -cp "$WINDPROOF_KAFKA/*" kafka.tools.StorageTool format -t "$id" \
      -c "$dir/server.properties" >"$dir/format.log" 2>&1 || {
      tail -n 5 "$dir/format.log" >&2
      die "formatting $dir/data failed; see $dir/format.log"
    }
  fi
}

become_broker() {
  local dir
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  prepare "$dir" "$2" "$3"
  if [ -z "$archive_option" ] && [ -e "$WINDPROOF_KAFKA/classes.jsa" ]; then
    archive_option=-XX:SharedArchiveFile=$WINDPROOF_KAFKA/classes.jsa
  fi
  exec java "${java_options[@]}" ${archive_option:+"$archive_option"} -Xms96m -Xmx512m -XX:+UseG1GC \
    -XX:MaxGCPauseMillis=20 "$log_option" -cp "$WINDPROOF_KAFKA/*" \
    kafka.Kafka "$dir/server.properties" >>"$dir/broker.log" 2>&1 </dev/null
}

run() {
  [ $# -eq 3 ] || die "run takes DIR PORT CPORT"
  check_jars
  become_broker "$@"
}

# --- in the background ---

# The pid file is believed only if that process is the broker of this DIR. Sets pid.
running() {
  local dir=$1 arguments
  [ -s "$dir/pid" ] || return 1
  pid=$(<"$dir/pid")
  [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
  arguments=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null) || return 1
  [[ $'\n'$arguments$'\n' == *$'\n'"$dir"$'\n'* || \
    $'\n'$arguments$'\n' == *$'\n'"$dir/server.properties"$'\n'* ]]
}

# A process that ended and that nobody has waited for is not alive.
alive() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || true
  [[ -n $state && $state != Z ]]
}

# A Metadata request (version 1, no topics) over a plain socket. True when the
# broker lists itself, so that it takes requests.
answers() {
  local brokers
  brokers=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" &&
    printf '\0\0\0\016\0\003\0\001\0\0\0\001\377\377\0\0\0\0' >&3 &&
    timeout 2 head -c 12 <&3 | od -An -tu1 -j8 | tr -d ' \n') 2>/dev/null) || return 1
  [ "$brokers" = 0001 ]
}

busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

up() {
  local dir=$1 port=${2:-} cport end
  check_jars
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  exec 8>"$dir/lock"
  flock 8
  if running "$dir"; then
    port=$(<"$dir/port")
  else
    # The port of the last time, or the usual one.
    if [ -z "$port" ]; then
      port=9092
      if [ -s "$dir/port" ]; then port=$(<"$dir/port"); fi
    fi
    [[ $port =~ ^[0-9]+$ && $port -ge 1024 && $port -le 65534 ]] ||
      die "PORT is '$port'; 1024 to 65534 are accepted"
    cport=$((port + 1))
    if busy "$port" || busy "$cport"; then
      die "port $port or $cport is taken by another process; give another PORT"
    fi
    echo "$port" >"$dir/port"
    setsid nohup "${BASH_SOURCE[0]}" run "$dir" "$port" "$cport" \
      >"$dir/start.log" 2>&1 </dev/null 8>&- &
    pid=$!
    echo "$pid" >"$dir/pid"
  fi
  end=$((SECONDS + 120))
  until answers "$port"; do
    alive "$pid" || {
      tail -n 15 "$dir/start.log" "$dir/broker.log" >&2 || true
      die "the broker ended at its start; see $dir"
    }
    [ "$SECONDS" -lt "$end" ] || {
      kill "$pid" 2>/dev/null || true
      die "the broker does not answer within 120 s; see $dir/broker.log"
    }
    sleep 0.1
  done
  echo "127.0.0.1:$port"
}

down() {
  local dir=$1 i
  [ -d "$dir" ] || return 0
  dir=$(cd "$dir" && pwd)
  exec 8>"$dir/lock"
  flock 8
  if running "$dir"; then
    kill "$pid" 2>/dev/null || true
    for ((i = 0; i < 300; i++)); do
      alive "$pid" || break
      sleep 0.1
    done
    if alive "$pid"; then kill -9 "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$dir/pid"
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  jars)
    (($# >= 1 && $# <= 2)) || die "jars takes DIR [VERSION]"
    fetch_jars "$@"
    ;;
  prime) prime ;; # by `jars`
  run) run "$@" ;;
  up)
    (($# >= 1 && $# <= 2)) || die "up takes DIR [PORT]"
    up "$@"
    ;;
  down)
    [ $# -eq 1 ] || die "down takes DIR"
    down "$@"
    ;;
  *)
    sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
