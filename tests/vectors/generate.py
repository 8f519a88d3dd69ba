#!/usr/bin/env python3
"""Writes the golden logs in logs/: synthetic, from fixed seeds.

    python3 tests/vectors/generate.py tests/vectors/logs
"""
import base64
import json
import pathlib
import random
import sys

from model import Partition, jcs_bytes, sha, timestamp_text

NANO = 10**9
BASE = 1769342400 * NANO  # 2026-01-25T12:00:00Z
LOG_TIME_MS = 1893456000000  # 2030-01-01: later than every good record

WEATHER = {
    "aggregated": ["temperature"], "amend_ms": 0,
    "fields": {name: "number" for name in
               ("dew_point", "ground_temperature", "humidity", "pressure", "temperature")},
    "future_skew_ms": 300000, "grace_ms": 1200000, "key_field": "station_id",
    "late_policy": "REJECT", "name": "weather", "timestamp_field": "timestamp",
    "version": 1, "window_ms": 3600000,
}


def as_text(data):
    if data is None:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def golden(name, about, spec, topic, origin, entries):
    partition = Partition(spec, topic, 0, origin)
    positions = []
    for entry in entries:
        partition.feed(entry)
        position = entry["offset"] + 1
        positions.append({"P": str(position), "L": str(partition.low_water(position)),
                          "written": len(partition.written)})
    return {
        "name": name, "about": about, "spec": spec, "spec_sha256": sha(jcs_bytes(spec)).hex(),
        "source": partition.source, "origin": str(origin),
        "entries": [{
            "offset": str(e["offset"]), "log_time_ms": str(e["log_time_ms"]),
            "key": as_text(e["key"]), "value": as_text(e["value"]),
            "headers": [[as_text(n), as_text(v)] for n, v in e["headers"]],
        } for e in entries],
        "classes": [[str(offset)] + found for offset, found in partition.classes.items()],
        "written": partition.written, "positions": positions,
    }


def spelled(rng, time):
    """One of the ways to write an instant."""
    way = rng.randrange(4)
    if way == 0 and time % 1000000 == 0:
        return time // 1000000
    if way == 1:
        return timestamp_text(time).replace("T", "t").replace("Z", "z")
    if way == 2:
        return timestamp_text(time + 3600 * NANO).replace("Z", "+01:00")
    return timestamp_text(time)


def number(rng):
    return rng.choice([
        round(rng.uniform(-30, 40), 1), rng.randrange(-5, 6), rng.uniform(-1, 1) * 1e-8,
        rng.uniform(-1, 1) * 1e14, 1e20, -0.0, rng.uniform(0, 1)])


def random_record(rng, spec, keys, clock):
    """(key, value, headers) of a record of any kind near the event time."""
    key = rng.choice(keys)
    step = spec["window_ms"] * 1000000 // 6
    time = clock + rng.randrange(-3, 4) * step
    if rng.random() < 0.15:
        time -= rng.randrange(1, 9) * spec["window_ms"] * 1000000
    headers = []
    kind = rng.random()
    if kind < 0.06:
        headers = [(b"windproof-control", b"watermark")]
        if rng.random() < 0.2:
            headers = rng.choice([[(b"windproof-control", b"other")], [(b"windproof-control", None)],
                                  headers * 2])
        return key, timestamp_text(time).encode(), headers
    if kind < 0.12:
        value = rng.choice([None, b"", b"{", b"[]", b'{"ts":1e999}', b'{"a":1,"a":2}', b"\xff",
                            b'{"ts":"2026-02-30T00:00:00Z"}', b'{"id":"nobody","ts":0}'])
        return key, value, headers
    if kind < 0.15:
        return rng.choice([b"", b"\x01", b"\xc3", b"k" * 129]), b"{}", headers
    members = {spec["key_field"]: key.decode(), spec["timestamp_field"]: spelled(rng, time)}
    for field, sort in spec["fields"].items():
        if rng.random() < 0.7:
            members[field] = {"number": number(rng), "boolean": rng.random() < 0.5,
                              "string": rng.choice(["", "é", "\u2028", 'a"b\\', "\U0001f300", "\x07"])}[sort]
        elif rng.random() < 0.2:
            members[field] = rng.choice([None, [], {"deep": [1]}, "text", 7, True])
    if rng.random() < 0.3:
        members["unknown"] = rng.choice([1, "x", {"y": None}])
    items = list(members.items())
    rng.shuffle(items)
    value = json.dumps(dict(items), ensure_ascii=rng.random() < 0.5,
                       indent=rng.choice([None, 1])).encode()
    if rng.random() < 0.1:
        headers = [(b"trace", rng.choice([b"", b"\x00\xff", None]))]
    return (None if rng.random() < 0.1 else key), value, headers


def random_log(seed, count, spec, topic, origin):
    rng = random.Random(seed)
    keys = [b"k%d" % n for n in range(rng.randrange(1, 5))]
    clock, offset, entries = BASE, origin, []
    for _ in range(count):
        clock += rng.randrange(0, spec["window_ms"] * 1000000 // 8)
        if rng.random() < 0.15:
            offset += rng.randrange(1, 6)
        key, value, headers = random_record(rng, spec, keys, clock)
        repeat = [e for e in entries[-8:] if e["value"]]
        if repeat and rng.random() < 0.12:
            again = rng.choice(repeat)
            key, value, headers = again["key"], again["value"], again["headers"]
        log_time = LOG_TIME_MS if rng.random() < 0.97 else rng.choice([-1, 0, clock // 1000000])
        entries.append({"offset": offset, "log_time_ms": log_time, "key": key, "value": value,
                        "headers": headers})
        offset += 1
    return entries


def spec_of(seed):
    rng = random.Random(seed * 31)
    amend = rng.random() < 0.6
    window = rng.choice([1, 1000, 60000, 600000, 86400000, 604800000])
    return {
        "aggregated": sorted(rng.sample(["n", "x"], rng.randrange(0, 3))),
        "amend_ms": min(window * rng.randrange(1, 6), 31622400000) if amend else 0,
        "fields": {"n": "number", "x": "number", "s": "string", "b": "boolean", "ö": "string"},
        "future_skew_ms": rng.choice([0, 1, 300000]),
        "grace_ms": rng.choice([0, window // 2, window * 2]),
        "key_field": "id", "late_policy": "AMEND" if amend else "REJECT",
        "name": "random.%d" % seed, "timestamp_field": "ts", "version": 1, "window_ms": window,
    }


def station(offset, station_id, minutes, temperature, **more):
    value = {"station_id": station_id, "timestamp": timestamp_text(BASE + minutes * 60 * NANO),
             "temperature": temperature, **more}
    return {"offset": offset, "log_time_ms": LOG_TIME_MS, "key": station_id.encode(),
            "value": json.dumps(value).encode(), "headers": []}


def worked_example():
    """The one that docs/formats/ shows step by step."""
    records = [
        (0, "00433", '{"station_id": "00433", "timestamp": "2026-01-25T12:00:00Z", "humidity": 81, "temperature": 3.1}'),
        (1, "00427", '{"station_id": "00427", "timestamp": "2026-01-25T12:00:00Z", "temperature": 4.0}'),
        (2, "00433", '{"station_id": "00433", "timestamp": "2026-01-25T12:20:00Z", "quality": 3, "temperature": 3.9}'),
        (3, "00433", '{"station_id": "00433", "timestamp": "2026-01-25T13:10:00+01:00", "temperature": 3.45}'),
        (4, "00433", '{"station_id": "00433", "timestamp": "2026-01-25t12:20:00.000z", "temperature": 3.9}'),
        (5, "00433", '{"station_id": "00433", "timestamp": "2026-01-25T12:00:00Z", "temperature": 3.2}'),
        (6, "00433", '{"station_id": "00433", "timestamp": "yesterday", "temperature": 1}'),
        (9, "00433", '{"station_id": "00433", "timestamp": "2026-01-25T13:20:00Z", "temperature": 2.5}'),
    ]
    entries = [{"offset": offset, "log_time_ms": 1769904000000, "key": key.encode(),
                "value": value.encode(), "headers": []} for offset, key, value in records]
    entries.append({"offset": 10, "log_time_ms": 1769904000000, "key": b"00433",
                    "value": b"2026-01-25T15:00:00Z",
                    "headers": [(b"windproof-control", b"watermark")]})
    return entries


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    logs = [golden("example", "the worked example of docs/formats/", WEATHER, "weather.00433", 0,
                   worked_example())]
    logs += [golden(
        "several-keys", "two stations in one partition: each one's records are other to the other",
        WEATHER, "weather.mixed", 0,
        [station(n, "10384" if n % 3 else "10382", 7 * n, n / 4 - 3, humidity=50 + n)
         for n in range(60)])]
    amending = dict(WEATHER, name="amending", late_policy="AMEND", amend_ms=21600000)
    late = [station(n, "10384", 10 * n, n / 10) for n in range(24)]
    late += [station(24, "10384", 0, 9), station(25, "10384", 5, 8), station(26, "10384", 0, 7),
             station(27, "10384", 0, 7), station(28, "10384", 65, 1.5)]
    late += [station(29 + n, "10384", 250 + 10 * n, n) for n in range(12)]
    logs.append(golden("amended", "late values correct and extend written windows",
                       amending, "weather.10384", 0, late))
    for seed in range(1, 13):
        spec = spec_of(seed)
        origin = random.Random(seed).choice([0, 0, 5, 2**53 + 1, 2**61])
        logs.append(golden("random-%02d" % seed, "all record kinds, seed %d" % seed, spec,
                           "random", origin, random_log(seed, 90, spec, "random", origin)))
    for log in logs:
        text = json.dumps(log, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / (log["name"] + ".json")).write_text(text + "\n", encoding="utf-8")
        print(log["name"], len(log["entries"]), "records,", len(log["written"]), "checkpoints")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "logs")
