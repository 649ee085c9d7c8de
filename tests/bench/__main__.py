"""`python -m tests.bench NAME`: the measurements of this project. Figures are ratios within one run; machines are noisy."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.bench import forwarding
from tests.bench.hosts import NoNamespaces

COLUMNS = ("us_per_packet", "us_per_packet_media", "us_per_packet_recorder", "delay_ms_p50", "delay_ms_p99")
MORE = ("delivered", "mb_per_visit", "packets_per_s", "client_cpu")


def _table(result: dict[str, Any]) -> str:
    rows = [("", *COLUMNS, *MORE)]
    for title, pair in (("recording", result), ("no recording", result["without_recording"])):
        rows += [
            (f"{name}, {title}", *(f"{pair[name][column]:.4g}" for column in (*COLUMNS, *MORE)))
            for name in ("ours", "janus")
            if pair[name]
        ]
        if pair["ratio"]:
            rows.append((f"ours / janus, {title}", f"{pair['ratio']:.2f}", *[""] * (len(COLUMNS) + len(MORE) - 1)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def main() -> int:
    """Parse, run, print."""
    given = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = given.add_subparsers(dest="name", required=True)
    one = names.add_parser("forwarding", help="CPU per forwarded packet, delay and memory beside Janus VideoRoom")
    one.add_argument("--visits", type=int, default=15)
    one.add_argument("--seconds", type=float, default=10)
    one.add_argument("--workers", type=int, default=1)
    one.add_argument("--clients", type=int, default=2)
    one.add_argument("--json", type=Path)
    args = given.parse_args()
    try:
        result = asyncio.run(forwarding.compare(args.visits, args.seconds, args.workers, args.clients))
    except NoNamespaces as error:
        print(f"skipped: this bench needs network namespaces ({error})", file=sys.stderr)
        return 3
    print(_table(result))
    if result["void"]:
        print("VOID: " + "; ".join(result["void"]))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
