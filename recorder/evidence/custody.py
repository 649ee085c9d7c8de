"""What happens to recordings after they were made: the custody chain of one recorder (FORMAT.md §8, Custody).

One chain for all its visits, beside theirs and never closed, its lines leaves of the same log. Pure: makes lines, reads them
again, and says where each visit stands.

CUSTODY-1  A line is a record as in §3 (FORM-1, FORM-2), its `seq` and `prev` counting in this chain; the first `prev` is
           SHA-256 of `teleconsult-custody-v1` and a newline, followed by the log's 16 digits.
CUSTODY-2  Each body has exactly the members of its type, and `rotate` is of no visit.
CUSTODY-3  `export` and `shred` follow an `ask` of another person, at most `BOX` apart; a visit on hold is not shredded, and
           no key of a shredded one is exported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from recorder.evidence.canon import canonical, parse
from recorder.evidence.errors import ChainBroken, NotCanonical, RecordInvalid
from recorder.evidence.records import Count, Hex, Record, Stream, Text, record_of

BOX = timedelta(hours=24)
"""How long a first person's word waits for the second's."""
EVERYTHING = "-"
"""The `visit` of a line that concerns no single one."""

What = Literal["shred", "keys"]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Looked(_Body, frozen=True):
    """`access`: someone is about to see this. The keys are unwrapped after it is in a checkpoint."""

    who: Text
    role: Text
    purpose: Text
    streams: list[Stream]
    from_ms: Count
    to_ms: Count | None


class Asked(_Body, frozen=True):
    """`ask`: the first of two people."""

    what: What
    who: Text
    role: Text
    reason: Text


class Exported(_Body, frozen=True):
    """`export`: the data keys leave, agreed by two. No keys: what left was never sealed, or nothing opens it any more."""

    who: Text
    role: Text
    second: Text
    reason: Text
    keys: list[Hex]
    recipient: Text | UnsetType = UNSET


class Derived(_Body, frozen=True):
    """`copy`: a derived copy was made for `who`, of this size and hash; `redacted`: how many spans are not in it."""

    who: Text
    role: Text
    purpose: Text
    bytes: Count
    sha256: Hex
    redacted: Count


class Held(_Body, frozen=True):
    """`hold`: it may not be shredded, or may be again."""

    on: bool
    who: Text
    role: Text
    reason: Text


class Shredded(_Body, frozen=True):
    """`shred`: these data keys are destroyed, agreed by two."""

    who: Text
    role: Text
    second: Text
    reason: Text
    keys: list[Hex]


class Rotated(_Body, frozen=True):
    """`rotate`: everything is wrapped under the root key `root`; those named were destroyed."""

    who: Text
    root: Text
    visits: Count
    destroyed: list[Text]


Body = Looked | Derived | Asked | Exported | Held | Shredded | Rotated
KINDS: dict[str, type[Body]] = {
    "access": Looked,
    "copy": Derived,
    "ask": Asked,
    "export": Exported,
    "hold": Held,
    "shred": Shredded,
    "rotate": Rotated,
}
NAMES: dict[type[Body], str] = {kind: name for name, kind in KINDS.items()}


@dataclass(slots=True)
class Standing:
    """Where a visit stands."""

    held: bool = False
    shredded: bool = False
    asked: dict[What, tuple[Asked, datetime]] = field(default_factory=dict)

    def first(self, what: What, now: datetime) -> Asked | None:
        """Who asked for it and still waits for a second."""
        asked = self.asked.get(what)
        return asked[0] if asked is not None and abs(now - asked[1]) <= BOX else None


class CustodyChain:
    """The chain so far: the next line, and every visit's standing."""

    def __init__(self, log: str) -> None:
        """`log`: the log's 16 digits."""
        self.size = 0
        self._last = sha256(f"teleconsult-custody-v1\n{log}".encode()).hexdigest()
        self._standing: dict[str, Standing] = {}

    def standing(self, visit: str) -> Standing:
        """Of one visit."""
        return self._standing.get(visit) or Standing()

    @property
    def shredded(self) -> list[str]:
        """Every visit whose keys are destroyed."""
        return [visit for visit, standing in self._standing.items() if standing.shredded]

    def lines(self, visit: str, bodies: Sequence[Body], at: str, mono_us: int) -> list[bytes]:
        """The next lines, as this chain would take them; it is not changed. Raises `RecordInvalid`, `ChainBroken`."""
        trial = CustodyChain("")
        trial.size, trial._last = self.size, self._last
        trial._standing[visit] = deepcopy(self.standing(visit))
        made = []
        for body in bodies:
            made.append(trial.line(visit, body, at, mono_us))
            trial.take(made[-1])
        return made

    def line(self, visit: str, body: Body, at: str, mono_us: int) -> bytes:
        """The next line; nothing is changed before it is taken. Raises `RecordInvalid`."""
        members: dict[str, object] = {
            "v": 1,
            "type": NAMES[type(body)],
            "visit": visit,
            "seq": self.size,
            "at": at,
            "mono_us": mono_us,
            "prev": self._last,
            "body": msgspec.to_builtins(body),
        }
        _body_of(record_of(members))
        return canonical(members)

    def take(self, line: bytes) -> tuple[Record, Body]:
        """The next line, written by us or read again. Raises `ChainBroken`."""
        where = f"custody {self.size}"
        try:
            record = record_of(parse(line))
        except (NotCanonical, RecordInvalid):
            raise ChainBroken("CUSTODY-1", where) from None
        if (record.seq, record.prev) != (self.size, self._last):
            raise ChainBroken("CUSTODY-1", where)
        try:
            body = _body_of(record)
        except RecordInvalid:
            raise ChainBroken("CUSTODY-2", where) from None
        self._follow(record, body, where)
        self._last = sha256(line).hexdigest()
        self.size += 1
        return record, body

    def take_all(self, lines: Iterable[bytes]) -> None:
        """Every line from the first on. Raises `ChainBroken`."""
        for line in lines:
            self.take(line)

    def _follow(self, record: Record, body: Body, where: str) -> None:
        standing = self._standing.setdefault(record.visit, Standing())
        at = datetime.fromisoformat(record.at)
        match body:
            case Held():
                standing.held = body.on
            case Asked():
                standing.asked[body.what] = (body, at)
            case Exported():
                if standing.shredded and body.keys:
                    raise ChainBroken("CUSTODY-3", where)
                self._two("keys", body.who, body.second, standing, at, where)
            case Shredded():
                if standing.held:
                    raise ChainBroken("CUSTODY-3", where)
                self._two("shred", body.who, body.second, standing, at, where)
                standing.shredded = True
            case _:
                pass

    def _two(self, what: What, who: str, second: str, standing: Standing, at: datetime, where: str) -> None:
        first = standing.first(what, at)
        if first is None or first.who != who or second == who:
            raise ChainBroken("CUSTODY-3", where)
        del standing.asked[what]


def _body_of(record: Record) -> Body:
    # CUSTODY-2
    kind = KINDS.get(record.type)
    if kind is None or (kind is Rotated and record.visit != EVERYTHING):
        raise RecordInvalid("an unknown type of record, or one of a visit that is of none")
    try:
        return msgspec.convert(dict(record.body), kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RecordInvalid(str(error)) from None
