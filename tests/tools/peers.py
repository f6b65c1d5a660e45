#!/usr/bin/env python3
"""Checks what respire-peers prints with --json: that it is whole, and that respire keeps what it promises.

Usage: peers.py parse|encode < output
"""

import json
import sys

KINDS = {"parse": {"frame", "typed", "owned", "yardstick"}, "encode": {"typed", "yardstick"}}
WORKLOADS = {"parse": 16, "encode": 8}
FIGURES = ["ns", "instructions", "allocs", "bytes_copied"]
# Neither allocates nor copies; a request is copied, but once.
NOTHING = {"parse": {"frame": FIGURES[2:], "typed": FIGURES[2:]}, "encode": {"typed": ["allocs"]}}


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
        for kind in KINDS[what] - {"yardstick"}:
            if not {"respire", "rustis"} <= set(kinds.get(kind, [])):
                problems.append(f"{workload}: nothing to compare of kind {kind}")
        if not kinds.get("yardstick"):
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
    if row["impl"] == "respire":
        for figure in NOTHING[what].get(row["kind"], []):
            if row[figure] != 0:
                yield f"{figure} is not 0"


if __name__ == "__main__":
    sys.exit(main())
