"""Seeded stories of visits before the recorder, each judged whole: what was sent is there, once, or declared, and why.

`--real` plays them through the recorder's real doors, disk, store and crashes, and has both verifiers and a decoder judge
what is in the store. `--story SEED` prints one story and what is wrong with it; a story that breaks is made smaller first.
"""

from __future__ import annotations

import argparse
import logging
import re
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import monotonic

from tests.stories.judge import faults
from tests.stories.shrink import smallest
from tests.stories.stage import perform
from tests.stories.steps import Story
from tests.stories.teller import tell


def arguments(parser: argparse.ArgumentParser) -> None:
    """What may be said on the command line."""
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first story")
    parser.add_argument("--story", type=int, help="this one alone, printed")
    parser.add_argument("--at-once", type=int, default=2, help="processes")
    parser.add_argument("--real", action="store_true", help="through the real recorder: a second or more a story")


def main(args: argparse.Namespace) -> int:
    """Play, judge, print; 0 if none broke."""
    judged = partial(_judged, real=args.real)
    if args.story is not None:
        found = judged(args.story)
        print(tell(args.story), *found or ["nothing is wrong"], sep="\n")
        return bool(found)
    begun_s, broken = monotonic(), 0
    seeds = range(args.seed, args.seed + args.count)
    with ProcessPoolExecutor(args.at_once) as pool:
        for seed, found in zip(seeds, pool.map(judged, seeds, chunksize=4 if args.real else 50), strict=True):
            if found:
                broken += 1
                print(_small(seed, found) if not args.real else f"{tell(seed)}\n" + "\n".join(found), flush=True)
    print(f"seeds {args.seed} to {seeds[-1]}: {args.count} stories, {broken} broke; {monotonic() - begun_s:.0f} s")
    return bool(broken)


def _judged(seed: int, real: bool) -> list[str]:
    logging.disable(logging.CRITICAL)
    if not real:
        return _faults(tell(seed))
    from tests.stories.studio import faults_of_real

    return _faults(tell(seed), faults_of_real)


def _faults(story: Story, judge: Callable[[Story], list[str]] = lambda story: faults(perform(story))) -> list[str]:
    try:
        return judge(story)
    except Exception:  # noqa: BLE001 - whatever the recorder raises is what is looked for
        return [traceback.format_exc(limit=-3)]


def _small(seed: int, found: list[str]) -> str:
    kinds = set(map(_kind, found))
    story = smallest(tell(seed), lambda less: bool(kinds & set(map(_kind, _faults(less)))))
    return "\n".join([str(story), *_faults(story), ""])


def _kind(fault: str) -> str:
    """A fault without what differs from story to story."""
    return re.sub(r"[0-9a-z.-]*[0-9][0-9a-z.-]*|doctor|patient|microphone|camera|screen", "", fault)
