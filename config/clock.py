"""Clock and entropy: the shells' one place to ask what time it is and for a random name.

Pure cores never import this: they are handed the time.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

UtcClock = Callable[[], datetime]
MonotonicClock = Callable[[], float]


def utc_now() -> datetime:
    """Now, in UTC, aware."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`2026-05-04T09:12:00.123Z`: UTC with milliseconds, as every document of ours writes time. Needs an aware datetime."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """The inverse of `iso`; any ISO 8601 with an offset will do. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset")
    return moment.astimezone(UTC)


def now_iso() -> str:
    """Now, as `iso` writes it."""
    return iso(utc_now())


def unix_s() -> int:
    """Whole seconds since 1970."""
    return int(time.time())


def monotonic_s() -> float:
    """Seconds that never go back; only differences mean something."""
    return time.monotonic()


def monotonic_us() -> int:
    """CLOCK_MONOTONIC in microseconds: one scale for all processes of a machine (TAP-4)."""
    return time.monotonic_ns() // 1000


def random_name(octets: int = 16) -> str:
    """An unguessable name of `A–Z a–z 0–9 _ -`, 4 characters for every 3 octets; never an option to a command line."""
    while (name := secrets.token_urlsafe(octets)).startswith("-"):
        continue
    return name


def random_bytes(octets: int) -> bytes:
    """Bytes fit for keys."""
    return secrets.token_bytes(octets)
