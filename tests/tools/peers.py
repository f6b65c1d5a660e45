#!/usr/bin/env python3
"""Checks what respire-peers prints with --json: that it is whole, and that respire keeps what it promises.

Usage: peers.py parse|encode|machines|client < output
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
    ("GET, ten at once", "an engine"): 930,
}

# Of whole clients only that each was measured: how fast they are, the machine decides.
CLIENT_FIGURES = ["ops_per_s", "cpu_us_per_op", "p50_us", "p99_us", "p999_us", "allocs_per_op", "faults_per_op",
                  "rss_kib"]
CLIENT_COUNTS = {"syscalls_per_op", "writes_per_op", "instr_per_op"}
TASKS = ["redis-rs-mux", "fred", "rustis"]
ONE = ["raw", "raw-epoll", "redis-rs", *TASKS, "hiredis", "hiredis-async"]
SEVERAL = ["raw", *TASKS, "hiredis-async"]
ALONE = ["raw", "redis-rs", *TASKS, "hiredis", "hiredis-async"]
POOLS = ["no pool", "semaphore and Mutex<Vec>", "deadpool", "bb8"]
PIPELINE = ["raw", "redis-rs", *TASKS, "hiredis"]
CLIENTS = {
    "get-1": ONE,
    "get-64": [*SEVERAL, "raw-epoll"],
    "get-512": [*SEVERAL, "raw-epoll"],
    "get-64-workers-2": ["raw", *TASKS],
    "get-64-threads": ["raw-threads", "redis-rs-pool-10", "redis-rs-pool-64", *TASKS],
    "pipeline-16": PIPELINE,
    "pipeline-128": PIPELINE,
    "set-1m-1": ALONE,
    "set-1m-8": SEVERAL,
    "get-1m-1": ALONE,
    "get-1m-8": SEVERAL,
    "mget-100-1": ALONE,
    "mget-100-64": SEVERAL,
    "get-64-delayed": [*SEVERAL, "raw-epoll"],
    "pool-1": POOLS,
    "pool-64-tasks": POOLS,
    "pool-64-threads": POOLS,
}
# What is measured only where there is time for it, and the most that respire takes.
KEPT = {
    "soak": {"rss_kib_early": None, "rss_kib": None, "growth_percent": 2},
    "idle-1000": {"kib_per_connection": 2.5, "rss_kib": None, "cpu_ms_of_5_s": 50},
}


def main() -> int:
    what = sys.argv[1]
    if what == "client":
        return clients()
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
    return tell(seen, problems)


def tell(seen: dict, problems: list[str]) -> int:
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


def clients() -> int:
    problems, seen = [], {}
    for number, line in enumerate(sys.stdin, 1):
        row = json.loads(line)
        if row.get("workload") in KEPT:
            problems += [f"line {number}: {problem}: {line.strip()}" for problem in check_kept(row)]
            continue
        problems += [f"line {number}: {problem}: {line.strip()}" for problem in check_client(row)]
        seen.setdefault(row.get("workload"), []).append(row.get("client"))
    for workload, wanted in CLIENTS.items():
        # respire may do what others do in more ways than one, but it does all of it.
        found = [client for client in seen.get(workload, []) if not client.startswith("respire")]
        if len(found) == len(seen.get(workload, [])):
            problems.append(f"{workload}: respire is missing")
        if sorted(found) != sorted(wanted):
            problems.append(f"{workload}: {sorted(found)}, not {sorted(wanted)}")
    if set(seen) - set(CLIENTS):
        problems.append(f"unknown: {sorted(set(seen) - set(CLIENTS))}")
    return tell(seen, problems)


def check_kept(row: dict):
    most = KEPT[row["workload"]]
    if set(row) != {"client", "workload", *most}:
        yield "other fields"
        return
    for figure, limit in most.items():
        if type(row[figure]) not in (int, float):
            yield f"{figure} is no figure"
        elif limit is not None and row["client"].startswith("respire") and row[figure] > limit:
            yield f"{figure} is more than {limit}"


def check_client(row: dict):
    needed = {"client", "workload", "in_flight", "threads", *CLIENT_FIGURES}
    if set(row) - {"note"} - CLIENT_COUNTS != needed:
        yield "other fields"
        return
    for figure in ["in_flight", "threads"]:
        if type(row[figure]) is not int or row[figure] < 1:
            yield f"{figure} is no number"
    missing = row.get("note") in ("not installed", "older than 1.0")
    for figure in CLIENT_FIGURES + sorted(CLIENT_COUNTS & set(row)):
        value = row[figure]
        if missing:
            if value is not None:
                yield f"{figure} of what is missing"
        elif type(value) not in (int, float) or value < 0 or (value == 0 and figure in CLIENT_FIGURES[:5]):
            yield f"{figure} is no figure"


if __name__ == "__main__":
    sys.exit(main())
