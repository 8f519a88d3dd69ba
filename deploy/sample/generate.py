#!/usr/bin/env python3
"""Writes the sample that `windproof demo` uses: SYNTHETIC hourly weather.

    python3 deploy/sample/generate.py deploy/sample

Two stations that do not exist (99001 in a plain, 99002 on a hill), in the file
format of the DWD's hourly air temperature product. Two deliveries, as a station
would make them: the first 64 days, then an update that repeats rows, corrects
old ones and brings rows that were missing.
"""
import datetime
import math
import pathlib
import random
import sys

HEADER = "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor"
START = datetime.datetime(2025, 1, 1)
FIRST_HOURS = 64 * 24 - 6
UPDATE_HOURS = 66 * 24
STATIONS = {99001: 0.0, 99002: -2.4}  # id: how much colder than the plain


def row(station, hour, temperature, humidity, quality=3):
    time = START + datetime.timedelta(hours=hour)
    shown = ["  -999" if value is None else "%6.1f" % value for value in (temperature, humidity)]
    return "%11d;%s;%5d;%s;%s;eor" % (station, time.strftime("%Y%m%d%H"), quality, *shown)


def weather(rng, offset, hours):
    """(temperature, humidity) for each hour: winter to spring, day and night."""
    drift, values = 0.0, []
    for hour in range(hours):
        drift = 0.97 * drift + rng.gauss(0, 0.45)
        day = math.cos((hour % 24 - 14) * math.tau / 24)
        temperature = 1.5 + offset + hour / 24 * 0.11 + 3.1 * day + 2 * drift
        humidity = min(100.0, max(25.0, 82 - 2.6 * (temperature - 1) + rng.gauss(0, 4)))
        values.append((round(temperature, 1), float(round(humidity))))
    return values


def main(folder):
    for station, offset in STATIONS.items():
        rng = random.Random(station)
        values = weather(rng, offset, UPDATE_HOURS)
        for hour in rng.sample(range(FIRST_HOURS), 25):  # a sensor that failed
            values[hour] = (None, values[hour][1]) if rng.random() < 0.5 else (None, None)
        late = set(rng.sample(range(200, 1200), 6))  # rows missing at first
        recent = {FIRST_HOURS - 3, FIRST_HOURS - 5}

        first = []
        for hour in range(FIRST_HOURS):
            if hour in late or hour in recent:
                continue
            line = row(station, hour, *values[hour])
            first.append(line)
            if hour % 331 == 17:
                first.append(line)  # the same row twice
            if hour % 467 == 29:
                temperature, humidity = values[hour]
                first.append(row(station, hour, (temperature or 0.0) + 0.7, humidity))

        # The update: old rows that were missing or are corrected (late by now),
        # the last hours again, the recent ones that were missing, and new ones.
        update = [row(station, hour, *values[hour]) for hour in sorted(late)]
        update += [row(station, hour, values[hour][0] and values[hour][0] - 0.3, values[hour][1])
                   for hour in sorted(rng.sample(range(300, 900), 3))]
        again = FIRST_HOURS - 9
        update += [row(station, hour, *values[hour], quality=1)
                   for hour in range(again, UPDATE_HOURS)]
        for name, lines in (("1-first", first), ("2-update", update)):
            target = pathlib.Path(folder) / name
            target.mkdir(parents=True, exist_ok=True)
            last = START + datetime.timedelta(hours=UPDATE_HOURS - 1)
            path = target / ("produkt_tu_stunde_%s_%s_%05d.txt" % (
                START.strftime("%Y%m%d"), last.strftime("%Y%m%d"), station))
            path.write_text("\n".join([HEADER] + lines) + "\n", encoding="latin-1")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
