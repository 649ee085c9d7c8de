"""Seeded tamperings of recordings and stores, judged by both verifiers: how many were caught, and whether by the right rule.

`--honest` visits are judged first: an alarm there is a false one. Of the tamperings six in ten are random changes, three in
ten what people with a motive do, one in ten is done to a whole store, which `inventory` judges. Each case is made from seed
and its number. It is caught when both verifiers refuse it, rightly named when each names a rule that fits what was done.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from recorder.bundle.directory import exit_code, verify_directory
from recorder.bundle.texts import verifiers
from recorder.evidence.inventory import take_inventory
from recorder.evidence.trust import Trust
from tests.bundles import ORIGIN, RECORDER, MemoryReader, honest_visit, write_bundle
from tests.estate import ALONE, listed
from tests.tampering import Tampered, random_change, store, store_story, story


class Judged(NamedTuple):
    """`caught`, `named`: by `teleconsult verify` and by `verify.sh` (an inventory has one judge)."""

    kind: str
    what: str
    caught: tuple[bool, ...]
    named: tuple[bool, ...]
    said: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """What may be said on the command line."""
    parser.add_argument("--count", type=int, default=1000, help="tamperings")
    parser.add_argument("--honest", type=int, default=200, help="honest visits")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--json", type=Path, help="write every case here")


def main(args: argparse.Namespace) -> int:
    """Judge them all; 0 if all were caught and rightly named, and there was no false alarm."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        alarms = [n for n, alarm in enumerate(pool.map(honest_alarm, range(args.honest), chunksize=4)) if alarm]
        seeds = [f"{args.seed} {n}" for n in range(args.count)]
        judged = list(pool.map(judge, seeds, range(args.count), chunksize=4))
    if args.json:
        args.json.write_text(json.dumps([one._asdict() for one in judged], indent=1))
    print(f"seed {args.seed}: {args.honest} honest visits, {len(alarms)} false alarms {alarms or ''}")
    for kind, total in Counter(one.kind for one in judged).items():
        of = [one for one in judged if one.kind == kind]
        caught, named = sum(all(one.caught) for one in of), sum(all(one.named) for one in of)
        print(f"{kind:8} {total:5} tamperings: caught {caught}, the right rule named {named}")
    for one in judged:
        if not (all(one.caught) and all(one.named)):
            print("MISSED", one)
    return 0 if not alarms and all(all(one.caught) and all(one.named) for one in judged) else 1


def honest_alarm(number: int) -> bool:
    """Whether any judge refuses an honest visit, and every tenth time an honest store."""
    objects = honest_visit(
        Random(f"honest {number}"), keys=RECORDER if number % 4 == 0 else ALONE, closed=number % 10 != 9
    )
    closed = number % 10 != 9
    with tempfile.TemporaryDirectory() as folder:
        root = write_bundle({"bundle.json": b"{}", **objects}, Path(folder))
        verdict = verify_directory(root)
        code, _ = by_shell(root)
    stores = (store(number), listed(Random(number), {0, 2}, {1, 2})) if number % 10 == 0 else ()
    whole = all(take_inventory(MemoryReader(one)).whole for one in stores)
    return not (verdict.intact and verdict.complete is closed and code == exit_code(verdict) and whole)


def judge(seed: str, number: int) -> Judged:
    """Make case `number`, have it judged."""
    rng = Random(seed)
    match number % 10:
        case 0 | 1 | 2 | 3 | 4 | 5:
            return _bundle("random", random_change(rng))
        case 6 | 7 | 8:
            return _bundle("story", story(rng))
        case _:
            return _store(store_story(rng))


def _bundle(kind: str, case: Tampered) -> Judged:
    trust = Trust({ORIGIN: frozenset({case.key})}) if case.key else None
    with tempfile.TemporaryDirectory() as folder:
        root = write_bundle({"bundle.json": b"{}", **case.objects}, Path(folder))
        verdict = verify_directory(root, trust)
        code, said = by_shell(root, *([case.key] if case.key else []))
    shell = [line.split()[1:] for line in said if line.startswith("broken: ")]
    ours = [[one.rule, one.where] for one in verdict.broken]
    caught = (exit_code(verdict) == 1, code == 1)
    return Judged(kind, case.what, caught, (_fits(case, ours), _fits(case, shell)), f"{ours[:3]} {shell}")


def _store(case: Tampered) -> Judged:
    found = take_inventory(MemoryReader(case.objects), case.heads)
    ours = [[one.rule, one.where] for one in found.broken]
    return Judged("store", case.what, (not found.whole,), (_fits(case, ours),), f"{ours[:3]}")


def _fits(case: Tampered, broken: list[list[str]]) -> bool:
    fitting = [where for rule, *where in broken if rule.startswith(case.rules)]
    return bool(fitting) and (not case.places or any(place in where for where in fitting for place in case.places))


def by_shell(root: Path, *key: str) -> tuple[int, list[str]]:
    """What verify.sh says."""
    done = subprocess.run(["sh", str(_script()), str(root), *key], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout.splitlines()


@cache
def _script() -> Path:
    return write_bundle(verifiers(), Path(tempfile.mkdtemp(prefix="verify-"))) / "verify.sh"
