#!/usr/bin/env python3
"""Checks what respire-peers prints with --json: that it is whole, and that respire keeps what it promises.

Usage: peers.py parse|encode|machines < output
"""

import json
import sys

KINDS = {
    "parse": {"frame", "typed", "owned", "yardstick"},
    "encode": {"typed", "yardstick"},
    "machines": {"typed"},
}
WORKLOADS = {"parse": 16, "encode": 8, "machines": 4}
FIGURES = ["ns", "instructions", "allocs", "bytes_copied"]
# Neither allocates nor copies; a request is copied, but once.
NOTHING = {
    "parse": {"frame": FIGURES[2:], "typed": FIGURES[2:]},
    "encode": {"typed": ["allocs"]},
    "machines": {"typed": ["allocs"]},
}
# Instructions, where more of them would be a step back.
MOST = {
    ("a pool", "get and put, 8 slots"): 150,
    ("a pool", "get and put, 512 slots"): 150,
    ("GET, ten at once", "a connection"): 520,
    ("GET, ten at once", "an engine"): 900,
}


def main() -> int:
    what = sys.argv[1]
    problems, seen = [], {}
    for number, line in enumerate(sys.stdin, 1):
        row = json.loads(line)
        wrong = list(check(what, row))
        problems += [f"line {number}: {problem}: {line.strip()}" for problem in wrong]
        if not wrong:
            seen.setdefault(row["workload"], {}).setdefault(row["kind"], []).append(row["impl"])
    if len(seen) != WORKLOADS[what]:
        problems.append(f"{len(seen)} workloads, not {WORKLOADS[what]}")
    for workload, kinds in seen.items():
        for kind in KINDS[what] - {"yardstick"} if what != "machines" else ():
            if not {"respire", "rustis"} <= set(kinds.get(kind, [])):
                problems.append(f"{workload}: nothing to compare of kind {kind}")
        if "yardstick" in KINDS[what] and not kinds.get("yardstick"):
            problems.append(f"{workload}: no yardstick")
    for problem in problems:
        print(problem)
    print(f"{len(seen)} workloads, {len(problems)} problems")
    return 1 if problems else 0


def check(what: str, row: dict):
    if set(row) - {"note"} != {"workload", "impl", "kind", *FIGURES}:
        yield "other fields"
        return
    if row["kind"] not in KINDS[what]:
        yield "unknown kind"
    for figure in FIGURES:
        value = row[figure]
        if value is not None and (type(value) not in (int, float) or value < 0):
            yield f"{figure} is no figure"
    if row["ns"] is None and row.get("note") != "not installed":
        yield "not measured"
    if row["ns"] == 0 or row["instructions"] == 0:
        yield "takes nothing"
    most = MOST.get((row["workload"], row["impl"]))
    if most and (row["instructions"] or 0) > most:
        yield f"more than {most} instructions"
    if row["impl"] == "respire" or what == "machines":
        for figure in NOTHING[what].get(row["kind"], []):
            if row[figure] != 0:
                yield f"{figure} is not 0"


if __name__ == "__main__":
    sys.exit(main())
