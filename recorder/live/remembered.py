"""What a visit's records say of who is recorded and what there is: learnt again by a later life of the recorder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recorder.evidence import records
from recorder.evidence.log import Entry
from recorder.live.call_quality import CallQuality
from recorder.tape.account import Account


class Remembered:
    """All records of a visit, folded. Times are this life's monotonic µs."""

    def __init__(self, said: Sequence[records.Record], hashes: Iterable[str], shift: int) -> None:
        """`shift`: what to add to the times of the life that said them."""
        self.agreed: dict[str, bool] = {}
        self.active: dict[str, int] = {}
        """Seats that are recorded, and since when."""
        self.zero_us: int | None = None
        self.started: Entry | None = None
        self.witnesses: tuple[str, ...] = ()
        self.devices: dict[str, dict[str, str]] = {}
        self.accounts: dict[str, Account] = {}
        self.firsts: dict[str, int] = {}
        """Where each stream's coverage begins (ms)."""
        self.objects: dict[str, str] = {}
        """Name and SHA-256 of every object the records speak of."""
        self.stamps = 0
        self.quality = CallQuality()
        self._shift = shift
        self._parts_from: dict[str, int] = {}
        """Where each stream's first part begins (ms): of it there may be nothing else yet."""
        for record, hashed in zip(said, hashes, strict=True):
            self._take(record, hashed)
        for name, account in self.accounts.items():  # a screen: its span begins with what there is of it
            begins = [s[0] for s in account.segments[:1]] + [g[0] for g in account.gaps[:1]]
            self.firsts.setdefault(
                name, min([*begins, *([self._parts_from[name]] if name in self._parts_from else [])], default=0)
            )
        self.newest_us = 0 if shift else max((record.mono_us for record in said), default=0)

    def _take(self, record: records.Record, hashed: str) -> None:
        body = records.body_of(record.type, record.body)
        self.quality.take(body)
        match body:
            case records.Stamp():
                self.stamps = body.n
                self.objects[body.object.name] = body.object.sha256
            case records.Open():
                self.witnesses = tuple(body.witnesses or ())
            case records.Consent():
                self._agree(body.seat, body.decision == "agreed")
            case records.Withdraw():
                self._agree(body.seat, False)
            case records.Start():
                self.zero_us = body.zero_mono_us + self._shift
                self.started = Entry(record.seq, b"", hashed)
                for seat in body.seats:
                    self.active[seat] = self.zero_us + body.from_ms * 1000
                    self.firsts.setdefault(seat, body.from_ms)
            case records.Recovered() if body.zero_mono_us is not None:
                self.zero_us = body.zero_mono_us + self._shift
            case records.Event() if isinstance(body.seat, str) and isinstance(body.state, str):
                self.devices.setdefault(body.seat, {})[body.event] = body.state
            case records.Part():
                self._parts_from.setdefault(body.stream, body.from_ms)
                self.objects[body.init.name] = body.init.sha256
                self.accounts.setdefault(body.stream, Account()).take(body)
            case records.Segment():
                self.objects[body.name] = body.sha256
                self.accounts.setdefault(body.stream, Account()).take(body)
            case records.Gap():
                self.accounts.setdefault(body.stream, Account()).take(body)
            case _:
                pass

    def _agree(self, seat: str, agreed: bool) -> None:
        self.agreed[seat] = agreed
        if not agreed:
            self.active.pop(seat, None)
