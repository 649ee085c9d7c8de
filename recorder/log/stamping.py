"""Time from third parties for every visit: at its start, every minute while it is recorded, at its end (FORMAT.md §8).

One stamp is of a checkpoint, and so of all visits at once: an authority is asked once a minute, however many there are.

STAMPING-1  Asking delays no checkpoint and no recording; one question is under way at a time.
STAMPING-2  While no authority answers, `timestamp_unavailable` says so, and it is tried again: 5 s, doubling to 5 minutes,
            ±50 % jitter. What was due stays due.
STAMPING-3  A time more than a minute from the recorder's own is taken as it is, and `clock_wrong` says so: STAMP-4 is near.
STAMPING-4  The end of a visit waits a day for its stamp, then goes without.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from config.clock import monotonic_s, utc_now
from recorder.evidence.proof import LogProof
from recorder.evidence.stamped import make_stamp
from recorder.log.site_log import SiteLog
from recorder.log.timestamps import Authorities, NoTimestamp, Stamped

EVERY_S = 60.0
FIRST_DELAY_S, LAST_DELAY_S = 5.0, 300.0
CLOCK_S = 60.0
GIVE_UP_S = 86_400.0

log = logging.getLogger(__name__)


class Stamp(NamedTuple):
    """A stamp of the first `records` records of a visit: its bytes (FORMAT.md §8), the time in it, and where it was asked."""

    content: bytes
    records: int
    at: str
    authority: str


Then = Callable[[Stamp], None]


class _Live:
    def __init__(self, then: Then) -> None:
        self.then = then
        self.due_s = 0.0


class _End(NamedTuple):
    records: int
    then: Callable[[Stamp | None], None]
    until_s: float


class Stamping:
    """What is due, and one question at a time. One owner."""

    def __init__(
        self,
        site: SiteLog,
        authorities: Authorities,
        sign: Callable[[bytes], bytes],
        tell: Callable[[str, bool], None],
        every_s: float = EVERY_S,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        """`sign`: with the Ed25519 key of the recordings. `tell(code, over)` hears whether authorities answer."""
        self._site = site
        self._authorities = authorities
        self._sign = sign
        self._tell = tell
        self._every_s = every_s
        self._first_delay_s = self._delay_s = first_delay_s
        self._live: dict[str, _Live] = {}
        self._ends: dict[str, _End] = {}
        self._not_before_s = 0.0
        self._failing: set[str] = set()
        self._asking: asyncio.Task[None] | None = None

    def follow(self, visit: str, then: Then) -> None:
        """A visit is open: stamp it now, and every minute, until it ends or is forgotten."""
        self._live.setdefault(visit, _Live(then))

    def end(self, visit: str, records: int, then: Callable[[Stamp | None], None]) -> None:
        """It is closed with this many records: stamp its end. None: there will be none (STAMPING-4)."""
        self._live.pop(visit, None)
        self._ends[visit] = _End(records, then, monotonic_s() + GIVE_UP_S)

    def forget(self, visit: str) -> None:
        """Nothing more is asked for it."""
        self._live.pop(visit, None)
        self._ends.pop(visit, None)

    def look(self) -> None:
        """After a checkpoint: ask, if something is due and nothing is under way (STAMPING-1)."""
        self._give_up()
        if self._asking is not None and not self._asking.done():
            return
        if self._asking is not None:
            self._asking.result()  # a bug ends the notary, not only this
        at_s = monotonic_s()
        if at_s < self._not_before_s or not (self._ends or any(one.due_s <= at_s for one in self._live.values())):
            return
        wanted = {
            visit: newest for visit in (*self._live, *self._ends) if (newest := self._site.newest(visit)) is not None
        }
        note = self._site.note
        if wanted and note is not None:
            self._asking = asyncio.create_task(self._ask(note.text.encode(), wanted))

    async def time(self) -> datetime:
        """What time an authority says that it is, asked now. Raises `NoTimestamp`."""
        stamped = await self._authorities.stamp(b"teleconsult-time-v1\n")
        return stamped.timestamp.at

    async def close(self) -> None:
        """Let go of what is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self, text: bytes, wanted: dict[str, tuple[int, LogProof]]) -> None:
        try:
            stamped = await self._authorities.stamp(text)
        except NoTimestamp:  # STAMPING-2
            self._not_before_s = monotonic_s() + self._delay_s * random.uniform(0.5, 1.5)  # noqa: S311
            self._delay_s = min(self._delay_s * 2, LAST_DELAY_S)
            self._state("timestamp_unavailable", False)
            return
        self._delay_s = self._first_delay_s
        self._state("timestamp_unavailable", True)
        self._state("clock_wrong", abs((utc_now() - stamped.timestamp.at).total_seconds()) <= CLOCK_S)  # STAMPING-3
        for visit, (records, proof) in wanted.items():
            self._hand_out(visit, records, proof, stamped)

    def _hand_out(self, visit: str, records: int, proof: LogProof, stamped: Stamped) -> None:
        at = stamped.timestamp.at
        told = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        stamp = Stamp(make_stamp(proof, stamped.reply, self._sign), records, told, stamped.authority)
        end, live = self._ends.get(visit), self._live.get(visit)
        if end is not None and records >= end.records:
            del self._ends[visit]
            end.then(stamp)
        elif live is not None:
            live.due_s = monotonic_s() + self._every_s
            live.then(stamp)

    def _give_up(self) -> None:
        for visit, end in list(self._ends.items()):
            if monotonic_s() >= end.until_s:
                log.error("end not stamped", extra={"visit": visit})
                del self._ends[visit]
                end.then(None)

    def _state(self, code: str, good: bool) -> None:
        if good == (code in self._failing):
            (self._failing.discard if good else self._failing.add)(code)
            self._tell(code, good)
