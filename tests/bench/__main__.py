"""`python -m tests.bench NAME`: the measurements of this project. Figures are ratios within one run; machines are noisy.

Each name is a module beside this one with `arguments(parser)` and `main(args) -> exit code`; its docstring is its help.
"""

from __future__ import annotations

import argparse
import importlib
import sys

NAMES = {
    "evidence": "how soon a segment's record is signed and in a checkpoint; how long 30 minutes take to verify",
    "forwarding": "CPU per forwarded packet, delay and memory, beside Janus VideoRoom",
    "recorder_process": "CPU per recorded packet of the recorder's own process, and whether it keeps up",
    "visits": "first picture, a long visit and its recording, and what the death of a part costs, in Chromium",
    "interruptions": "seeded refreshes, sleeps, network changes and restarts: is the seat kept, is anything lost or doubled",
    "lossy_recording": "a long visit with losses on the way up: does its recording play, keyframe by keyframe",
    "store_outage": "an S3 store that is away for minutes and hangs on every PUT: is anything lost, doubled or held up",
    "kills": "kill -9 of the recorder at seeded moments: what was lost, declared, and whether the log forked",
    "stories": "seeded stories of visits before the recorder: is what was sent there, once, or declared, and why",
    "tampering": "seeded tamperings of recordings and stores, judged by both verifiers",
    "weak_network": "real browsers on bad links, beside Janus VideoRoom and no server at all",
}


def main() -> int:
    """Hand over to the one that was named."""
    given = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = given.add_subparsers(dest="name", required=True)
    chosen = sys.argv[1] if len(sys.argv) > 1 else None
    for name, text in NAMES.items():
        one = names.add_parser(name, help=text)
        if name == chosen:
            importlib.import_module(f"tests.bench.{name}").arguments(one)
    args = given.parse_args()
    return int(importlib.import_module(f"tests.bench.{args.name}").main(args))


if __name__ == "__main__":
    raise SystemExit(main())
