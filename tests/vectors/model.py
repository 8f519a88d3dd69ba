#!/usr/bin/env python3
"""A second implementation of the formats, written from docs/formats/ alone.

Slow and plain on purpose: it shares no code with the engine, so that golden
logs made with it (generate.py) can show the engine wrong. Only the standard
library.
"""
import calendar
import hashlib
import json
import math
import re
import struct
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

EXACT = Context(prec=100)
NANO = 10**9
YEAR_0 = -62167219200 * NANO
YEAR_10000 = 253402300800 * NANO


# --- RFC 8785 ---------------------------------------------------------------


def number_text(value):
    """ECMAScript Number::toString of a finite double."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value))).as_tuple()
    while len(digits) > 1 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    text = "".join(map(str, digits))
    point = len(text) + exponent  # where the decimal point stands
    if 0 < point <= 21:
        if len(text) <= point:
            text += "0" * (point - len(text))
        else:
            text = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        power = point - 1
        text = text[0] + ("." + text[1:] if len(text) > 1 else "")
        text += "e" + ("+" if power > 0 else "-") + str(abs(power))
    return ("-" if sign else "") + text


def jcs(value):
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        out = ['"']
        short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
        for char in value:
            code = ord(char)
            out.append(short.get(code) or ("\\u%04x" % code if code < 32 else char))
        return "".join(out) + '"'
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(jcs(name) + ":" + jcs(value[name]) for name in names) + "}"


def sha(data):
    return hashlib.sha256(data).digest()


def jcs_bytes(value):
    return jcs(value).encode()


# --- Values -----------------------------------------------------------------


class Invalid(Exception):
    pass


def parse_object(data):
    """One strict I-JSON object, or Invalid."""

    def pairs(items):
        result = dict(items)
        if len(result) != len(items):
            raise Invalid("a name twice")
        return result

    def real(text):
        value = float(text)
        if math.isinf(value):
            raise Invalid("beyond a double")
        return value

    def constant(text):
        raise Invalid(text)

    if data is None:
        raise Invalid("null")
    try:
        text = data.decode("utf-8")
        # int() refuses very long texts; float() does not.
        value = json.loads(
            text, object_pairs_hook=pairs, parse_float=real, parse_int=real, parse_constant=constant
        )
    except (ValueError, RecursionError) as error:
        raise Invalid(str(error)) from error
    if text.startswith("\ufeff") or not isinstance(value, dict):
        raise Invalid("no object")
    check_tree(value, 1)
    return value


def check_tree(value, depth):
    if isinstance(value, str):
        if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
            raise Invalid("lone surrogate")
    elif isinstance(value, (dict, list)):
        if depth > 64:
            raise Invalid("too deep")
        if isinstance(value, dict):
            for name in value:
                check_tree(name, depth)
            value = list(value.values())
        for element in value:
            check_tree(element, depth + 1)


TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
DAYS_400_YEARS = 146097


def days_since_epoch(year, month, day):
    """calendar.timegm knows the years 1 to 9999; 400 years repeat."""
    cycles = 1 if year < 1 else -1 if year > 9999 else 0
    seconds = calendar.timegm((year + 400 * cycles, month, day, 0, 0, 0))
    return seconds // 86400 - cycles * DAYS_400_YEARS


def parse_timestamp(value):
    """Nanoseconds since the epoch, or Invalid."""
    if isinstance(value, str):
        match = TIMESTAMP.fullmatch(value)
        if not match:
            raise Invalid("no timestamp")
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
            raise Invalid("no date")
        if hour > 23 or minute > 59 or second > 59:
            raise Invalid("no time")
        seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
        if match[8]:
            if int(match[9]) > 23 or int(match[10]) > 59:
                raise Invalid("no offset")
            offset = int(match[9]) * 3600 + int(match[10]) * 60
            seconds -= offset if match[8] == "+" else -offset
        time = seconds * NANO + int((match[7] or "").ljust(9, "0"))
    elif isinstance(value, float) and value == math.floor(value):
        time = int(value) * 1000000
    else:
        raise Invalid("no timestamp")
    if not YEAR_0 <= time < YEAR_10000:
        raise Invalid("outside the years 0 to 9999")
    return time


def timestamp_text(time):
    seconds, nanos = divmod(time, NANO)
    days, rest = divmod(seconds, 86400)
    year = 0
    # Count in whole years; slow and plain.
    year = int((days + 719528) / 365.2425) - 1
    while days_since_epoch(year + 1, 1, 1) <= days:
        year += 1
    month = 12
    while days_since_epoch(year, month, 1) > days:
        month -= 1
    day = days - days_since_epoch(year, month, 1) + 1
    fraction = "%09d" % nanos
    for _ in range(3):
        if fraction.endswith("000"):
            fraction = fraction[:-3]
    return "%04d-%02d-%02dT%02d:%02d:%02d%sZ" % (
        year, month, day, rest // 3600, rest // 60 % 60, rest % 60,
        "." + fraction if fraction else "",
    )


def usable(key):
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return 1 <= len(key) <= 128 and not any(ord(c) < 32 or ord(c) == 127 for c in text)


# --- Trees and hashes -------------------------------------------------------


def merkle(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\x00" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\x01" + merkle(leaves[:split]) + merkle(leaves[split:]))


def record_hash(entry):
    def part(data):
        return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data

    raw = struct.pack(">q", entry["log_time_ms"]) + part(entry["key"]) + part(entry["value"])
    raw += struct.pack(">i", len(entry["headers"]))
    for name, value in entry["headers"]:
        raw += part(name) + part(value)
    return sha(raw).hex()


# --- The rules --------------------------------------------------------------


class Key:
    def __init__(self, origin):
        self.watermark = None
        self.seq = 0
        self.prev = "0" * 64
        self.begin = origin
        self.seen_at_begin = 0
        self.own = []  # [offset, class] since begin
        self.open = {}  # window start → {time: (offset, canonical)}
        self.waiting = []  # (offset, start, time, canonical)
        self.newest = {}  # window start → (revision, checkpoint hash, records)


class Partition:
    """Feed records in offset order; `written` grows."""

    def __init__(self, spec, topic, partition, origin):
        self.spec = spec
        self.spec_hash = sha(jcs_bytes(spec)).hex()
        self.source = {"partition": partition, "topic": topic}
        self.origin = origin
        self.seen = 0
        self.keys = {}
        self.classes = {}  # offset → [key, class]
        self.hashes = {}
        self.written = []

    def ms(self, name):
        return self.spec[name + "_ms"] * 1000000

    def closes(self, start):
        return start + self.ms("window") + self.ms("grace")

    def feed(self, entry):
        self.seen += 1
        offset = entry["offset"]
        name, kind, time, canonical = self.read(entry)
        self.classes[offset] = [name, kind]
        if kind == "other":
            return
        self.hashes[offset] = record_hash(entry)
        key = self.keys.setdefault(name, Key(self.origin))
        moment = False
        if kind == "control":
            key.watermark = max(time, time if key.watermark is None else key.watermark)
            moment = True
        elif kind == "record":
            kind = self.classify(key, offset, time, canonical)
            self.classes[offset][1] = kind
            if kind == "accepted":
                key.watermark = max(time, time if key.watermark is None else key.watermark)
                moment = any(key.watermark >= self.closes(start) for start in key.open)
        key.own.append(offset)
        if moment:
            self.write_moment(name, key, offset)

    def read(self, entry):
        """(key, other|control|invalid|record, time, canonical): sections 2 to 5."""
        key, value, log_time = entry["key"], entry["value"], entry["log_time_ms"]
        limit = log_time * 1000000 + self.ms("future_skew")
        if key is not None and not usable(key):
            return None, "other", None, None
        controls = [v for n, v in entry["headers"] if n == b"windproof-control"]
        if controls:
            if key is None:
                return None, "other", None, None
            try:
                if controls != [b"watermark"] or value is None or log_time < 0:
                    raise Invalid("control")
                time = parse_timestamp(value.decode("utf-8"))
                if time > limit:
                    raise Invalid("future")
                return key.decode(), "control", time, None
            except (Invalid, UnicodeDecodeError):
                return key.decode(), "invalid", None, None
        field = self.spec["key_field"]
        try:
            members = parse_object(value)
        except Invalid:
            members = None
        if key is None:
            named = members.get(field) if members is not None else None
            if not isinstance(named, str) or not usable(named.encode()):
                return None, "other", None, None
            name = named
        else:
            name = key.decode()
        try:
            if members is None:
                raise Invalid("value")
            if members.get(field) is not None and members[field] != name:
                raise Invalid("key field")
            time = parse_timestamp(members.get(self.spec["timestamp_field"]))
            start = self.start_of(time)
            if log_time < 0 or time > limit:
                raise Invalid("log time")
            if start < YEAR_0 or start + self.ms("window") >= YEAR_10000:
                raise Invalid("window")
        except Invalid:
            return name, "invalid", None, None
        record = {field: name, self.spec["timestamp_field"]: timestamp_text(time)}
        types = {"string": str, "number": float, "boolean": bool}
        for member, kind in self.spec["fields"].items():
            found = members.get(member)
            if not isinstance(found, types[kind]):
                continue
            if member in self.spec["aggregated"] and abs(found) >= 1e15:
                continue
            record[member] = found
        return name, "record", time, jcs(record)

    def start_of(self, time):
        return time // self.ms("window") * self.ms("window")

    def classify(self, key, offset, time, canonical):
        start = self.start_of(time)
        if key.watermark is not None and key.watermark >= self.closes(start):
            if self.spec["late_policy"] == "AMEND":
                if key.watermark < self.closes(start) + self.ms("amend"):
                    key.waiting.append((offset, start, time, canonical))
            return "late"
        window = key.open.setdefault(start, {})
        if time in window:
            return "duplicate" if window[time][1] == canonical else "conflict"
        window[time] = (offset, canonical)
        return "accepted"

    def write_moment(self, name, key, offset):
        writing = []  # (start, revision, supersedes, records)
        for start in sorted({waiting[1] for waiting in key.waiting}):
            revision, supersedes, old = key.newest.get(start, (0, "0" * 64, {}))
            records = dict(old)
            for time in sorted({w[2] for w in key.waiting if w[1] == start}):
                here = [w for w in key.waiting if w[1] == start and w[2] == time]
                value = here[-1][3]
                there = time in old and old[time][1] == value
                for waiting_offset, _, _, canonical in here:
                    if canonical != value:
                        kind = "conflict"
                    elif there:
                        kind = "duplicate"
                    else:
                        kind, there = "accepted", True
                        records[time] = (waiting_offset, value)
                    self.classes[waiting_offset][1] = kind
            if records != old:
                writing.append((start, revision + 1, supersedes, records))
        key.waiting = []
        for start in sorted(key.open):
            if key.watermark >= self.closes(start):
                writing.append((start, 0, None, key.open.pop(start)))
        for index, item in enumerate(writing):
            self.write(name, key, offset, index == 0, *item)

    def write(self, name, key, offset, first, start, revision, supersedes, records):
        end = offset + 1
        own = key.own if first else []
        kinds = [self.classes[o][1] for o in own]
        begin = key.begin if first else end
        seen = self.seen - key.seen_at_begin if first else 0
        scan = {k: float(kinds.count(k)) for k in
                ("accepted", "conflict", "control", "duplicate", "invalid", "late")}
        scan["other"] = float(seen - len(own))
        scan["gap"] = float(end - begin - seen)
        lows = [o for window in key.open.values() for o, _ in window.values()]
        scan.update(begin=str(begin), end=str(end), low=str(min(lows, default=end)))
        dropped = [[str(o), k, self.hashes[o]] for o, k in zip(own, kinds)
                   if k in ("conflict", "duplicate", "invalid", "late")]
        leaves = [records[time] for time in sorted(records)]
        offsets = [o for o, _ in leaves]
        checkpoint = {
            "aggregates": self.aggregates([json.loads(text) for _, text in leaves]),
            "dropped_root": merkle([jcs_bytes({"offset": o, "reason": k, "sha256": h})
                                    for o, k, h in dropped]).hex(),
            "key": name,
            "offsets": {"begin": str(min(offsets)), "end": str(max(offsets) + 1)},
            "pipeline": self.spec["name"],
            "positions_sha256": sha(jcs_bytes([str(o) for o in offsets])).hex(),
            "prev": key.prev,
            "records": len(leaves),
            "revision": revision,
            "root": merkle([text.encode() for _, text in leaves]).hex(),
            "scan": scan,
            "seq": str(key.seq),
            "source": self.source,
            "spec": self.spec_hash,
            "version": 1,
            "watermark": timestamp_text(key.watermark),
            "window": {"end": timestamp_text(start + self.ms("window")),
                       "start": timestamp_text(start)},
        }
        if revision > 0:
            checkpoint["supersedes"] = supersedes
        text = jcs(checkpoint)
        digest = sha(text.encode()).hex()
        self.written.append({
            "checkpoint": text,
            "sha256": digest,
            "records": [[str(o), canonical] for o, canonical in leaves],
            "dropped": dropped,
        })
        key.newest[start] = (revision, digest, records)
        key.seq += 1
        key.prev = digest
        if first:
            key.begin, key.seen_at_begin, key.own = end, self.seen, []

    def aggregates(self, records):
        result = {}
        for field in self.spec["aggregated"]:
            values = [record[field] for record in records if field in record]
            if not values:
                continue
            total = sum(Fraction(Decimal(number_text(v)).quantize(
                Decimal("1e-9"), ROUND_HALF_EVEN, EXACT)) for v in values)
            millionths = round(total / len(values) * 10**6)  # half to even
            result[field] = {
                "avg": float(Decimal(millionths).scaleb(-6, EXACT)),
                "count": len(values),
                "max": max(values),
                "min": min(values),
            }
        return result

    def low_water(self, position):
        lows = [o for key in self.keys.values() for window in key.open.values()
                for o, _ in window.values()]
        return min(lows, default=position)
