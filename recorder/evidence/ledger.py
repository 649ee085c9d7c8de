"""What the records of a chain say together: who consented, which objects there must be, how each stream adds up.

Fed record by record; holds the state of SEAT, CONSENT, START, ENC, PART, SEG-3…6, GAP, CERT, CLOSE and COV
(FORMAT.md §4, §5, §8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.evidence import records as r
from recorder.evidence.certified import CallCounts
from recorder.evidence.coverage import Lost, Span, count, holes, overlapping, total_ms
from recorder.evidence.errors import RecordInvalid
from recorder.evidence.findings import Findings
from recorder.evidence.layout import init_name, seat_of, segment_name, stamp_name

CLOCK_TOLERANCE_MS = 120_000
"""How far the recorder's clock may be from an authority's (STAMP-4)."""


class Expected(NamedTuple):
    """An object that must be there: its size and hashes."""

    bytes: int
    sha256: str
    sm3: str
    is_init: bool
    key: r.DataKey | None = None
    """What it is sealed under."""
    from_ms: int = 0
    to_ms: int = 0
    is_stamp: bool = False

    @property
    def missing(self) -> str:
        """The rule that is broken if it is not there."""
        return "STAMP-1" if self.is_stamp else "PART-2" if self.is_init else "SEG-1"

    @property
    def altered(self) -> str:
        """The rule that is broken if it is other bytes."""
        return "STAMP-1" if self.is_stamp else "PART-2" if self.is_init else "SEG-2"


@dataclass(slots=True)
class StreamLedger:
    """One stream so far."""

    parts: int = 0
    part: int = 0
    container: str = "webm"
    tracks: frozenset[int] = frozenset()
    n: int = 0
    segments: int = 0
    bytes: int = 0
    last: str | None = None
    present: list[Span] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)


@dataclass(slots=True)
class SeatLedger:
    """One seat's consent. Times in µs of stream time; `started_ms` is None while its streams may not be kept."""

    agreed: bool = False
    first_ms: int | None = None
    started_ms: int | None = None
    withdrawn_us: int | None = None


class Ledger:
    """Feed it every readable record in order, then ask it to `settle`."""

    def __init__(self, findings: Findings) -> None:
        self.opened: r.Open | None = None
        self.closed: r.Close | None = None
        self.closed_at: str | None = None
        self.opened_at: str | None = None
        self.streams: dict[str, StreamLedger] = {}
        self.expected: dict[str, Expected] = {}
        self.keys: dict[str, r.DataKey] = {}
        """By stream: what its next object is sealed under."""
        self.stamps: list[r.Stamp] = []
        self.anchors: list[r.Anchor] = []
        self.certificate: r.Certificate | None = None
        self.recovered = 0
        self.retained: str | None = None
        """The latest time before which the store lets nobody delete an object of it."""
        self._times: dict[int, int] = {}
        self._hashes: dict[int, str] = {}
        self._seats: dict[str, SeatLedger] = {}
        self._came: set[str] = set()
        self._calls = CallCounts()
        self._last_ms = 0
        self._zero_us: int | None = None
        self._findings = findings

    @property
    def zero_mono_us(self) -> int | None:
        """Stream time zero on the clock of the newest epoch, or None before `start`."""
        return self._zero_us

    def feed(self, record: r.Record, body: r.Body, where: str) -> None:
        """Take in the next record."""
        self._times[record.seq] = r.instant_ms(record.at)
        self._hashes[record.seq - 1] = record.prev
        if self.closed is not None:
            self._findings.add("CLOSE-2", where)
        elif self.certificate is not None and not isinstance(body, r.Close):
            self._findings.add("CERT-1", where)  # CERT-1
        self._calls.take(body)
        match body:
            case r.Open():
                self._open(body, record)
            case r.Join():
                self._came.add(body.seat)
            case r.Consent():
                self._known(body.seat, where)
                self._decide(body.seat, body.decision == "agreed", record.mono_us)
            case r.Withdraw():
                self._known(body.seat, where)
                self._decide(body.seat, False, record.mono_us)
            case r.Start():
                self._start(body, where)
            case r.DataKey():
                self._known(seat_of(body.stream), where)
                self.keys[body.stream] = body
            case r.Part():
                self._part(body, where)
            case r.Segment():
                self._segment(body, where)
            case r.Gap():
                self._gap(body, where)
            case r.Stamp():
                self._stamp(body, record, where)
            case r.Anchor():
                if body.seq >= record.seq or self._hashes.get(body.seq) != body.hash:
                    self._findings.add("ANCHOR-1", where)  # ANCHOR-1
                self.anchors.append(body)
            case r.Certificate():
                self._certify(body, where)
            case r.Stored():
                untils = [one.retain_until for one in body.objects if one.retain_until is not None]
                self.retained = max([*untils, *([self.retained] if self.retained else [])], default=None)
            case r.Recovered():
                self._recover(body, where)
            case r.Close():
                self.closed, self.closed_at = body, record.at
            case _:
                pass

    def settle(self, size: int, where: str) -> None:
        """After the last record: closing and coverage. `size`: records in the chain; `where`: the last one."""
        for name, stream in self.streams.items():
            if overlapping(stream.lost):
                self._findings.add("GAP-1", f"streams/{name}")
        if self.closed is None:
            self._findings.add("CLOSE-1", where)
            return
        if not self._accounts_agree(self.closed, size):
            self._findings.add("CLOSE-3", where)
        if not self._ends_last(self.closed.end_ms):
            self._findings.add("CLOSE-4", where)  # CLOSE-4
        for name, account in self.closed.streams.items():
            self._cover(name, account, self.closed.end_ms)

    # ---- consent

    def _seat(self, seat: str) -> SeatLedger:
        return self._seats.setdefault(seat, SeatLedger())

    def _open(self, body: r.Open, record: r.Record) -> None:
        if self.opened is None:
            self.opened, self.opened_at = body, record.at
            self._came.update(body.seats)

    def _known(self, seat: str, where: str) -> None:
        if seat not in self._came:
            self._findings.add("SEAT-1", where)  # SEAT-1

    def _decide(self, name: str, agreed: bool, mono_us: int) -> None:
        seat = self._seat(name)
        seat.agreed = agreed
        if not agreed and seat.started_ms is not None and seat.withdrawn_us is None and self._zero_us is not None:
            seat.withdrawn_us = mono_us - self._zero_us

    def _start(self, body: r.Start, where: str) -> None:
        first = self._zero_us is None
        if (first and body.from_ms != 0) or (not first and body.zero_mono_us != self._zero_us):
            self._findings.add("START-1", where)  # START-1
        self._zero_us = body.zero_mono_us
        for name in body.seats:
            self._known(name, where)
            seat = self._seat(name)
            if not seat.agreed:
                self._findings.add("CONSENT-1", where)  # CONSENT-1
            if seat.started_ms is None or seat.withdrawn_us is not None:
                seat.started_ms, seat.withdrawn_us = body.from_ms, None
            if seat.first_ms is None:
                seat.first_ms = body.from_ms

    def _recover(self, body: r.Recovered, where: str) -> None:
        self.recovered += 1
        if (body.zero_mono_us is None) != (self._zero_us is None):
            self._findings.add("START-1", where)  # START-1
        if body.zero_mono_us is not None:
            self._zero_us = body.zero_mono_us

    def _permitted(self, stream: str, from_ms: int, where: str) -> None:
        self._known(seat_of(stream), where)
        seat = self._seat(seat_of(stream))
        if seat.started_ms is None or from_ms < seat.started_ms:
            self._findings.add("CONSENT-2", where)  # CONSENT-2
        if seat.withdrawn_us is not None and from_ms * 1000 >= seat.withdrawn_us:
            self._findings.add("CONSENT-3", where)  # CONSENT-3

    # ---- media

    def _stream(self, name: str) -> StreamLedger:
        return self.streams.setdefault(name, StreamLedger())

    def _part(self, body: r.Part, where: str) -> None:
        self._permitted(body.stream, body.from_ms, where)
        stream = self._stream(body.stream)
        name = init_name(body.stream, body.part, body.container)
        if body.part != stream.part + 1 or body.init.name != name:
            self._findings.add("PART-1", where)  # PART-1
        else:
            self.expected[name] = Expected(
                body.init.bytes, body.init.sha256, body.init.sm3, True, self.keys.get(body.stream)
            )
        if (body.container == "matroska") != any(track.codec == "H264" for track in body.tracks):
            self._findings.add("PART-3", where)  # PART-3
        stream.parts += 1
        stream.part, stream.n, stream.container = body.part, 0, body.container
        stream.tracks = frozenset(track.number for track in body.tracks)

    def _segment(self, body: r.Segment, where: str) -> None:
        self._permitted(body.stream, body.from_ms, where)
        stream = self._stream(body.stream)
        if body.part != stream.part or body.n != stream.n + 1:
            self._findings.add("SEG-3", where)  # SEG-3
        key = self.keys.get(body.stream)
        if body.enc != (key.suite if key is not None else "none"):
            self._findings.add("ENC-1", where)  # ENC-1
        name = segment_name(body.stream, body.part, body.n, stream.container)
        if body.name != name or name in self.expected:
            self._findings.add("SEG-4", where)  # SEG-4, and so nothing but a segment's name is ever opened
        else:
            self.expected[name] = Expected(body.bytes, body.sha256, body.sm3, False, key, body.from_ms, body.to_ms)
        if body.from_ms >= body.to_ms or (stream.present and body.from_ms < stream.present[-1].to_ms):
            self._findings.add("SEG-5", where)  # SEG-5
        if not all(_adds_up(counts, stream.tracks) for counts in body.tracks):
            self._findings.add("SEG-6", where)  # SEG-6
        stream.n, stream.last = body.n, body.sha256
        stream.segments += 1
        stream.bytes += body.bytes
        stream.present.append(Span(body.from_ms, body.to_ms))
        self._last_ms = max(self._last_ms, body.to_ms)

    def _gap(self, body: r.Gap, where: str) -> None:
        self._known(seat_of(body.stream), where)
        self._last_ms = max(self._last_ms, body.to_ms)
        if body.from_ms >= body.to_ms:
            self._findings.add("GAP-1", where)  # GAP-1
            return
        self._stream(body.stream).lost.append(Lost(body.from_ms, body.to_ms, body.cause))

    # ---- time and anchors of third parties

    def _stamp(self, body: r.Stamp, record: r.Record, where: str) -> None:
        name = stamp_name(body.n)
        before = self.stamps[-1].records if self.stamps else 1
        if body.n != len(self.stamps) + 1 or body.object.name != name or not before <= body.records <= record.seq:
            self._findings.add("STAMP-1", where)  # STAMP-1
        else:
            self.expected[name] = Expected(body.object.bytes, body.object.sha256, body.object.sm3, False, is_stamp=True)
            self.stamps.append(body)
            if not self._clock_agrees(body, record):
                self._findings.add("STAMP-4", where)  # STAMP-4

    def _clock_agrees(self, body: r.Stamp, record: r.Record) -> bool:
        try:
            stamped_ms = r.instant_ms(body.at)
        except RecordInvalid:
            return False
        covered_ms = self._times.get(body.records - 1, stamped_ms)
        late_ms = r.instant_ms(record.at) - stamped_ms
        return covered_ms - stamped_ms <= CLOCK_TOLERANCE_MS and late_ms >= -CLOCK_TOLERANCE_MS

    # ---- the quality of the call

    def _certify(self, body: r.Certificate, where: str) -> None:
        if not body.legs.keys() <= self._came:
            self._findings.add("CERT-1", where)  # CERT-1
        elif not self._calls.agrees(body):
            self._findings.add("CERT-2", where)  # CERT-2
        self.certificate = body

    # ---- closing

    def _accounts_agree(self, close: r.Close, size: int) -> bool:
        # CLOSE-3
        started = {name for name, seat in self._seats.items() if seat.first_ms is not None}
        if close.records != size or close.streams.keys() != self.streams.keys() | started:
            return False
        return all(
            (account.parts, account.segments, account.bytes, account.last)
            == (seen.parts, seen.segments, seen.bytes, seen.last)
            for name, account in close.streams.items()
            for seen in (self.streams.get(name, StreamLedger()),)
        )

    def _ends_last(self, end_ms: int | None) -> bool:
        # CLOSE-4
        if end_ms is None or self._zero_us is None:
            return end_ms is None and self._zero_us is None and not self._last_ms
        return end_ms >= self._last_ms

    def _cover(self, name: str, account: r.StreamClose, end_ms: int | None) -> None:
        where = f"streams/{name}"
        stream = self.streams.get(name, StreamLedger())
        spans: list[Span | Lost] = [*stream.present, *stream.lost]
        outside = any(span[0] < account.first_ms or span[1] > account.last_ms for span in spans)
        if outside or holes(account.first_ms, account.last_ms, spans):
            self._findings.add("COV-1", where)  # COV-1
        if not _counted(stream, account):
            self._findings.add("COV-2", where)  # COV-2
        if not self._spans_visit(name, account, end_ms):
            self._findings.add("COV-3", where)  # COV-3

    def _spans_visit(self, name: str, account: r.StreamClose, end_ms: int | None) -> bool:
        end = end_ms if end_ms is not None else 0
        if name != seat_of(name):
            return 0 <= account.first_ms <= account.last_ms <= end
        return account.first_ms == self._seat(name).first_ms and account.last_ms == end


def _counted(stream: StreamLedger, account: r.StreamClose) -> bool:
    if overlapping(stream.present) or overlapping(stream.lost):
        return False
    counted = count(stream.present, stream.lost)
    return counted == account.coverage and total_ms(counted) == account.last_ms - account.first_ms


def _adds_up(counts: r.TrackCounts, tracks: frozenset[int]) -> bool:
    return (
        counts.number in tracks
        and counts.expected == counts.received + counts.lost
        and counts.recovered <= counts.received
        and counts.keyframes <= counts.frames
    )
