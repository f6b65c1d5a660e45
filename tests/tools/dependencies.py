#!/usr/bin/env python3
"""Checks licences and sources of all dependencies against deny.toml.

Stands in for `cargo deny check licenses sources` where cargo-deny is not installed.
Usage: dependencies.py deny.toml < output of `cargo metadata --format-version 1 --all-features`
"""

import json
import re
import sys
import tomllib

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def allowed(expression: str, licences: set[str]) -> bool:
    """Whether an SPDX expression (also in the old form `A/B`) can be met with these licences."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    position = 0

    def peek() -> str | None:
        return words[position] if position < len(words) else None

    def take() -> str:
        nonlocal position
        position += 1
        return words[position - 1]

    def either() -> bool:
        met = both()
        while peek() == "OR":
            take()
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while peek() == "AND":
            take()
            met = one() and met
        return met

    def one() -> bool:
        word = take()
        if word == "(":
            met = either()
            take()
            return met
        if peek() == "WITH":
            take()
            word = f"{word} WITH {take()}"
        return word in licences

    return either() and position == len(words)


def main() -> int:
    with open(sys.argv[1], "rb") as file:
        licences = set(tomllib.load(file)["licenses"]["allow"])
    packages = json.load(sys.stdin)["packages"]
    problems = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if package["source"] not in (None, REGISTRY):
            problems.append(f"{name}: from {package['source']}")
        licence = package["license"]
        private = package["source"] is None and package["publish"] == []
        if not private and (licence is None or not allowed(licence, licences)):
            problems.append(f"{name}: licence {licence}")
    for problem in problems:
        print(problem)
    print(f"{len(packages)} packages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
