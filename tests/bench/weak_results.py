"""Runs over bad links, whenever they were made, as one result: kept in JSON, gone on with, joined.

A result is `{lines, cores, links: {name: {words, goal, uplink_too, ways: {way: {median, runs}}}}}`; a run knows its `seed`,
its `seconds`, when it was made (`at`, UTC) and of which commit.

JOIN-1  A run is known by its link, way, seed and seconds. The same run twice is one; two that differ under one name are
        refused: nobody chooses the better one unseen.
JOIN-2  Medians and ranges are over all runs that are there; how many that were stands beside them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

Result = dict[str, Any]
WAYS = ("ours", "janus", "direct")


class Unjoinable(Exception):
    """These results are not of one table; the message says why."""

    code = "unjoinable"


def empty(lines: int, cores: int | None) -> Result:
    """Of no runs yet."""
    return {"lines": lines, "cores": cores, "links": {}}


def read(path: Path) -> Result:
    """What was written. Raises `OSError`, `ValueError`."""
    result: Result = json.loads(path.read_text())
    return result


def write(result: Result, path: Path) -> None:
    """As a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(result) + "\n")
    draft.replace(path)


def has(result: Result, link: str, way: str, seed: int) -> bool:
    """Whether this run was made."""
    return any(
        run["seed"] == seed for run in result["links"].get(link, {}).get("ways", {}).get(way, {}).get("runs", ())
    )


def add(result: Result, link: str, about: Result, way: str, run: Result) -> None:
    """One run more. Raises `Unjoinable` (JOIN-1)."""
    held = result["links"].setdefault(link, {**about, "ways": {}})
    if held["goal"] != about["goal"]:
        raise Unjoinable(f"{link} has another goal there")
    runs = held["ways"].setdefault(way, {"median": {}, "runs": []})["runs"]
    twin = next((each for each in runs if _name(each) == _name(run)), None)
    if twin == run:
        return
    if twin is not None:
        raise Unjoinable(f"{link} {way}, seed {run['seed']}: made twice, and not the same")
    runs.append(run)
    runs.sort(key=_name)
    held["ways"][way]["median"] = medians(runs)


def joined(results: Sequence[Result]) -> Result:
    """All of them as one. Raises `Unjoinable`."""
    whole = empty(results[0]["lines"], results[0]["cores"])
    for result in results:
        if result["lines"] != whole["lines"]:
            raise Unjoinable(f"cameras of {result['lines']} and of {whole['lines']} lines")
        for link, held in result["links"].items():
            about = {name: value for name, value in held.items() if name != "ways"}
            for way, found in held["ways"].items():
                for run in found["runs"]:
                    add(whole, link, about, way, run)
    return ordered(whole, [])


def ordered(result: Result, links: Sequence[str]) -> Result:
    """The same with its links in this order, and its ways in theirs."""
    names = [name for name in links if name in result["links"]]
    names += [name for name in result["links"] if name not in names]
    found = {}
    for name in names:
        ways = result["links"][name]["ways"]
        found[name] = {**result["links"][name], "ways": {way: ways[way] for way in WAYS if way in ways}}
    return {**result, "links": found}


def runs_of(result: Result) -> list[Result]:
    """Every run."""
    return [run for link in result["links"].values() for found in link["ways"].values() for run in found["runs"]]


def medians(runs: Sequence[Result]) -> Result:
    """`{direction: {figure: [median, least, most]}}`; None where no run had the figure."""
    out: Result = {}
    for direction in ("down", "up"):
        out[direction] = {}
        for name in runs[0][direction]:
            values = [run[direction][name] for run in runs if run[direction].get(name) is not None]
            out[direction][name] = [median(values), min(values), max(values)] if values else None
    out["cpu"] = median(run["machine"]["cpu"] for run in runs)
    out["wire_late_p99_ms"] = max(run["wire"]["late_p99_ms"] for run in runs)
    return out


def _name(run: Result) -> tuple[int, float]:
    return run["seed"], run["seconds"]
