"""Sealed recordings opened for somebody, after the log says so; and kept, given away by key, or destroyed, by two people.

LOOK-1  The `access` line (who, role, purpose, streams, range) is in a checkpoint before a key is unwrapped. No log, no look;
        also of a visit that was closed long ago, and of one that is not sealed.
LOOK-2  A look opens what it names and nothing else, for `LOOK_S`; at most `MOST` looks are open, and the oldest goes first.
LOOK-3  Keys are given away, and destroyed, when a second person says the same within a day of the first (CUSTODY-3).
LOOK-4  Nothing is destroyed while it is held, before its retention is over, or while it is still being recorded. The line is
        on the log before the keys go; a crash in between is made good at the next start.
LOOK-5  An export that two people agreed on elsewhere takes its keys along: both are on the log, in a checkpoint, before a key
        is unwrapped; and also where nothing is sealed, before a byte of it leaves.
LOOK-6  Where time-stamp authorities are set, retention is over when one of them says so, asked then: this machine's clock is
        set by whoever holds the machine.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec import UNSET

from config.clock import monotonic_s, parse_iso, random_bytes, random_name
from recorder.evidence.custody import EVERYTHING, Asked, Derived, Exported, Looked, Rotated, Shredded, What
from recorder.evidence.custody import Held as HoldLine
from recorder.evidence.errors import ChainBroken
from recorder.log.custody import Custody, LogUnavailable
from recorder.log.timestamps import NoTimestamp
from recorder.sealing.data_key import HeldKey
from recorder.sealing.envelope import recipient_of, seal_envelope
from recorder.sealing.key_file import write_keys
from recorder.sealing.mint import Mint
from recorder.sealing.opened import Opener, plain_size, sealed_range
from recorder.sealing.seal import CHUNK, HEAD, TAG, Sealer
from recorder.store.holdings import Held, Holdings
from recorder.store.objects import ObjectMissing
from recorder.store.retention import Retention

LOOK_S = 3600.0
MOST = 256


class LookRefused(Exception):
    """What cannot be had now, with its HTTP status; the text is for people.

    ├── LookUnknown       no such look, or it is over, or it does not name this
    ├── ContentShredded   its keys were destroyed
    ├── SecondPerson      the same person cannot be both
    ├── OnHold            it is held
    ├── RetentionRuns     it must be kept longer
    ├── ClockUnproven     no authority says what time it is
    └── StillRecorded     it is not closed
    """

    code = "look_refused"
    status = 409


class LookUnknown(LookRefused):
    """No such look."""

    code = "look_unknown"
    status = 404


class ContentShredded(LookRefused):
    """Its keys are gone."""

    code = "content_shredded"
    status = 410


class SecondPerson(LookRefused):
    """It takes two."""

    code = "same_person"


class OnHold(LookRefused):
    """It is held."""

    code = "on_hold"


class RetentionRuns(LookRefused):
    """Too early."""

    code = "retention_runs"


class ClockUnproven(LookRefused):
    """Nobody vouches for the time."""

    code = "timestamp_unavailable"


class StillRecorded(LookRefused):
    """Not closed."""

    code = "still_recorded"


class Person(NamedTuple):
    """Who asks, as the API vouches: a pseudonym, in a role, for a reason."""

    who: str
    role: str
    reason: str


class Look(NamedTuple):
    """What somebody may see until `until` (monotonic seconds)."""

    id: str
    visit: str
    streams: frozenset[str]
    from_ms: int
    to_ms: int | None
    opener: Opener
    until: float
    seq: int


class Looks:
    """See the module."""

    def __init__(
        self,
        holdings: Holdings,
        custody: Custody,
        mint: Mint,
        keep: Callable[[], Retention | None],
        time: Callable[[], Awaitable[datetime | None]] | None = None,
    ) -> None:
        """`keep`: how long content is kept; None if no setting says. `time`: of an authority (LOOK-6); None: there is none.

        `time` raises `NoTimestamp`.
        """
        self._time = time
        self._holdings = holdings
        self._custody = custody
        self._mint = mint
        self._keep = keep
        self._looks: OrderedDict[str, Look] = OrderedDict()

    # ---- looking

    async def begin(self, held: Held, person: Person, streams: list[str], from_ms: int, to_ms: int | None) -> Look:
        """Open a recording for somebody (LOOK-1). Raises `LookRefused`, `LogUnavailable`, `KmsError`."""
        await self._refuse_shredded(held.visit)
        said = Looked(person.who, person.role, person.reason, sorted(streams), from_ms, to_ms)
        seq = await self._custody.say(held.visit, said)
        secrets = await self._secrets(held, frozenset(streams))
        await self._refuse_shredded(held.visit)  # two people may have agreed on that while the key store was asked
        opener = Opener(held.visit, secrets)
        until = monotonic_s() + LOOK_S
        look = Look(random_name(16), held.visit, frozenset(streams), from_ms, to_ms, opener, until, seq)
        self._looks[look.id] = look
        while len(self._looks) > MOST:
            self._looks.popitem(last=False)
        return look

    def look(self, name: str) -> Look:
        """One that is open. Raises `LookUnknown`."""
        look = self._looks.get(name)
        if look is None or monotonic_s() > look.until:
            self._looks.pop(name, None)
            raise LookUnknown("no such look, or it is over")
        return look

    def size(self, held: Held, look: Look, name: str) -> int:
        """Bytes of an object's content. Raises `LookUnknown`, `ObjectMissing`, `SealBroken`."""
        known = held.ledger.expected.get(name)
        if known is None or name not in held.sizes:
            raise ObjectMissing("no such object")
        within = known.is_init or (known.to_ms > look.from_ms and (look.to_ms is None or known.from_ms < look.to_ms))
        if name.split("/")[1] not in look.streams or not within:
            raise LookUnknown("this look does not name it")
        return held.sizes[name] if known.key is None else plain_size(held.sizes[name])

    async def content(self, held: Held, look: Look, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes of an object's content. Raises `SealBroken`, `StoreError`."""
        known = held.ledger.expected[name]
        if known.key is None:
            async for piece in self._holdings.stream(look.visit, name, start, end):
                yield piece
            return
        head = b"".join([piece async for piece in self._holdings.stream(look.visit, name, 0, HEAD)])
        sealer = look.opener.sealer(name, known, head)
        begin, stop, number = sealed_range(start, end, held.sizes[name])
        kept = b""
        at = number * CHUNK
        async for piece in self._holdings.stream(look.visit, name, begin, stop):
            kept += piece
            while len(kept) >= CHUNK + TAG:
                plain = self._chunk(sealer, kept[: CHUNK + TAG], number, begin, held.sizes[name])
                kept, begin, number = kept[CHUNK + TAG :], begin + CHUNK + TAG, number + 1
                yield plain[max(0, start - at) : max(0, end - at)]
                at += CHUNK
        if kept:
            plain = self._chunk(sealer, kept, number, begin, held.sizes[name])
            yield plain[max(0, start - at) : max(0, end - at)]

    def _chunk(self, sealer: Sealer, chunk: bytes, number: int, begin: int, sealed: int) -> bytes:
        return sealer.open_chunk(chunk, number, last=begin + len(chunk) >= sealed)

    async def _secrets(self, held: Held, streams: frozenset[str]) -> dict[str, bytes]:
        wanted = {
            known.key.key
            for name, known in held.ledger.expected.items()
            if known.key is not None and name.split("/")[1] in streams
        }
        keys = await asyncio.to_thread(self._mint.keyring.keys, held.visit)
        return await self._mint.secrets(one for one in keys if one.key in wanted)

    async def copied(self, held: Held, made: Derived) -> int:
        """Put a copy that was made under a look on the log; its number there. Raises `ContentShredded`, `LogUnavailable`."""
        await self._refuse_shredded(held.visit)
        return await self._custody.say(held.visit, made)

    # ---- keeping and destroying

    async def hold(self, held: Held, on: bool, person: Person) -> None:
        """Forbid shredding, or allow it again. Raises `LogUnavailable`."""
        # RING-4: held before the log says so, and until it says no more, so that nobody finds it free in between.
        ring = self._mint.keyring
        was = await asyncio.to_thread(ring.is_held, held.visit)
        if on:
            await asyncio.to_thread(ring.hold, held.visit, True)
        try:
            await self._custody.say(held.visit, HoldLine(on, *person))
        except LogUnavailable:
            await asyncio.to_thread(ring.hold, held.visit, was)
            raise
        if not on:
            await asyncio.to_thread(ring.hold, held.visit, False)

    async def shred(self, held: Held, person: Person) -> bool:
        """Destroy a recording's keys (LOOK-3, LOOK-4); False: the first has asked. Raises as `begin`."""
        if self._custody.standing(held.visit).shredded:  # LOOK-4: what a disk or a log failed at is made good
            await self._custody.settled()
            await self._destroy(held.visit)
            return True
        await self._check_shreddable(held)
        if (first := await self._first("shred", held, person)) is None:
            return False
        keys = await asyncio.to_thread(self._mint.keyring.keys, held.visit)
        said = Shredded(first.who, first.role, person.who, first.reason, sorted(one.key for one in keys))
        await self._agreed(held.visit, said)
        await self._destroy(held.visit)
        return True

    async def _destroy(self, visit: str) -> None:
        for name in [name for name, look in self._looks.items() if look.visit == visit]:
            del self._looks[name]
        await asyncio.to_thread(self._mint.keyring.shred, visit)

    async def rotate(self, who: str, destroy: bool) -> tuple[str, int, list[str]]:
        """A new root key, and every data key wrapped again under it; with `destroy` the old ones go.

        Returns its id, how many visits were wrapped again, and what was destroyed. Raises `KmsError`, `LogUnavailable`.
        """
        root = await self._mint.rotate()
        visits = await self._mint.rewrap()
        destroyed = await self._mint.old_roots() if destroy else []
        await self._custody.say(EVERYTHING, Rotated(who, root, visits, destroyed))
        await self._mint.destroy(destroyed)
        return root, visits, destroyed

    async def finish_shredding(self) -> None:
        """Destroy what the log says is destroyed, and a crash left (LOOK-4). Raises `OSError`."""
        for visit in self._custody.shredded:
            await asyncio.to_thread(self._mint.keyring.shred, visit)

    async def keys(self, held: Held, person: Person, recipient: str | None) -> bytes | None:
        """The file of a recording's data keys; None: the first has asked. Raises as `begin`, and `RecipientInvalid`.

        With an age recipient it is an age file for them.
        """
        await self._refuse_shredded(held.visit)
        to = recipient_of(recipient) if recipient is not None else None
        if (first := await self._first("keys", held, person)) is None:
            return None
        keys = await asyncio.to_thread(self._mint.keyring.keys, held.visit)
        await self._agreed(
            held.visit, _exported(Person(first.who, first.role, first.reason), person.who, keys, recipient)
        )
        return await self._written(held.visit, keys, to)

    async def hand_over(self, held: Held, first: Person, second: str, recipient: str | None) -> bytes | None:
        """The keys that go with an export, as `keys` gives them (LOOK-5); None: there are none, or none any more.

        Raises `SecondPerson`, `RecipientInvalid`, `LogUnavailable`, `KmsError`.
        """
        if first.who == second:
            raise SecondPerson("it takes a second person")
        to = recipient_of(recipient) if recipient is not None else None
        shredded = await self.is_shredded(held.visit)
        keys = [] if shredded else await asyncio.to_thread(self._mint.keyring.keys, held.visit)
        await self._agreed(held.visit, Asked("keys", *first), _exported(first, second, keys, recipient))
        return await self._written(held.visit, keys, to) if keys else None

    async def _agreed(self, visit: str, *said: Asked | Exported | Shredded) -> None:
        try:
            await self._custody.say(visit, *said)
        except ChainBroken:  # of several at once, the others come too late
            await self._refuse_shredded(visit)
            if await self.is_held(visit) and any(isinstance(one, Shredded) for one in said):
                raise OnHold("it is held") from None
            raise SecondPerson("somebody else was faster: ask again") from None

    async def _written(self, visit: str, keys: list[HeldKey], to: bytes | None) -> bytes:
        content = write_keys(visit, await self._mint.secrets(keys))
        if to is None:
            return content
        return seal_envelope(content, to, random_bytes(32), random_bytes(16), random_bytes(16))

    def kept_until(self, held: Held) -> datetime | None:
        """When its content may go at the earliest; None while it grows, or if no setting says."""
        kept, closed = self._keep(), held.ledger.closed_at
        if kept is None or closed is None:
            return None
        until = parse_iso(closed).astimezone(UTC) + timedelta(days=kept.media_days)
        return max([until, *([parse_iso(held.ledger.retained)] if held.ledger.retained else [])])

    async def is_held(self, visit: str) -> bool:
        """Whether it may not be shredded, by this recorder's chain or another's (RING-4)."""
        elsewhere = await asyncio.to_thread(self._mint.keyring.is_held, visit)
        return elsewhere or self._custody.standing(visit).held

    async def is_shredded(self, visit: str) -> bool:
        """Whether its keys are gone, by this recorder's chain or another's (RING-4). The chain's word is the newest."""
        elsewhere = await asyncio.to_thread(self._mint.keyring.is_shredded, visit)
        return elsewhere or self._custody.standing(visit).shredded

    async def _refuse_shredded(self, visit: str) -> None:
        if await self.is_shredded(visit):
            raise ContentShredded("its keys were destroyed")

    async def _check_shreddable(self, held: Held) -> None:
        if not held.closed:
            raise StillRecorded("it is still being recorded")
        if await self.is_held(held.visit):
            raise OnHold("it is held")
        until = self.kept_until(held)
        if until is None:
            raise RetentionRuns("no setting says how long it must be kept")
        if min(self._custody.now(), await self._vouched()) < until:
            raise RetentionRuns(f"it must be kept until {until:%Y-%m-%d}")

    async def _vouched(self) -> datetime:
        """LOOK-6."""
        try:
            said = await self._time() if self._time is not None else None
        except NoTimestamp:
            raise ClockUnproven("no time-stamp authority says what time it is: try again") from None
        return said or self._custody.now()

    async def _first(self, what: What, held: Held, person: Person) -> Asked | None:
        """Who said it first, if this is the second; else this one is the first now (LOOK-3)."""
        first = self._custody.standing(held.visit).first(what, self._custody.now())
        if first is None:
            await self._custody.say(held.visit, Asked(what, *person))
            return None
        if first.who == person.who:
            raise SecondPerson("it takes a second person")
        return first


def _exported(first: Person, second: str, keys: list[HeldKey], recipient: str | None) -> Exported:
    named = sorted(one.key for one in keys)
    return Exported(first.who, first.role, second, first.reason, named, UNSET if recipient is None else recipient)
