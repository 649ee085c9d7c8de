"""Transport-wide feedback on the wire: RTPFB 15 (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

`Arrivals` collects what came on one transport and writes feedback about it; `parse` reads a peer's. Numbers are 16 bit on the
wire and unwrapped here. Times are seconds; on the wire deltas are 250 µs and the reference time 64 ms.

TWCC-1  A feedback packet covers each number once, from the first not yet reported to the newest that arrived.
TWCC-2  At most `MOST_STATUSES` numbers a packet: after a long gap the oldest are left out; they count as lost.
TWCC-3  What a radio loses is passed over in silence, between one message and the next, if the caller says that no queue
        stands and no more than `MOST_HIDDEN` is lost: a browser that hears of it sends a tenth of what the path carries. It
        must not be told as having come, either: a Chromium forgets what has come, and could not send it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from struct import Struct

RTPFB, FMT = 205, 15
TICK_S = 0.00025
REFERENCE_S = 0.064
TICKS = 256
"""In a unit of the reference time."""
MOST_STATUSES = 400
LOST, SMALL, LARGE = 0, 1, 2
MOST_HIDDEN, LOSS_OVER = 0.35, 300
"""Fraction 0–1, over so many packets: three seconds of a small picture. Over 100 of them 10 % in bursts came to more in 18
minutes of 40 (over 200 in 2, over 300 in none); a Chromium that hears of it once sends 50 kbit/s for ten seconds and more."""
MOST_RUNS = 24
"""Messages in a row: they leave in one datagram, 24 bytes each at the least."""

_HEAD = Struct("!BBHIIHH")
_REFERENCE = Struct("!I")
_CHUNK = Struct("!H")
_LARGE = Struct("!h")


class TwccError(ValueError):
    """A feedback packet whose lengths do not fit."""

    code = "twcc_malformed"


@dataclass(frozen=True, slots=True)
class Feedback:
    """`arrivals[i]`: when number `first + i` (16 bit) came, or None; on the receiver's clock, modulo 2²⁴ × 64 ms."""

    media_ssrc: int
    count: int
    first: int
    arrivals: tuple[float | None, ...]


class Arrivals:
    """What arrived on one transport."""

    def __init__(self) -> None:
        self._came: dict[int, float] = {}
        self._newest: int | None = None
        self._next: int | None = None
        self._count = 0
        self._lost = 0.0

    @property
    def waiting(self) -> int:
        """How many are not yet reported."""
        return len(self._came)

    def hear(self, number: int, at: float) -> None:
        """A packet with this transport-wide number (16 bit) arrived."""
        newest = self._newest
        if newest is None:
            newest = self._newest = self._next = number + 0x10000
        elif number - newest & 0xFFFF == 1:  # nearly every packet
            self._newest = newest = newest + 1
            self._came[newest] = at
            return
        whole = newest + ((number - newest + 0x8000 & 0xFFFF) - 0x8000)
        assert self._next is not None
        if whole < self._next:
            return
        self._newest = max(newest, whole)
        self._came.setdefault(whole, at)

    def write(self, sender_ssrc: int, media_ssrc: int, calm: bool = False) -> bytes | None:
        """Feedback about all that was not yet reported, one message or several in a row, or None. `calm`: TWCC-3."""
        if not self._came:
            return None
        assert self._newest is not None
        assert self._next is not None
        first = max(self._next, self._newest - MOST_STATUSES + 1)  # TWCC-2
        arrivals = [self._came.get(number) for number in range(first, self._newest + 1)]
        self._next = self._newest + 1
        lost = arrivals.count(None) / len(arrivals)
        self._lost += min(1.0, len(arrivals) / LOSS_OVER) * (lost - self._lost)
        self._came.clear()
        runs = _runs(first, arrivals) if calm and lost and self._lost < MOST_HIDDEN else []
        told = runs if 0 < len(runs) <= MOST_RUNS else [(first, arrivals)]
        self._count += len(told)
        counts = range(self._count - len(told) + 1, self._count + 1)
        return b"".join(
            write(sender_ssrc, media_ssrc, count & 0xFF, begins & 0xFFFF, run)
            for count, (begins, run) in zip(counts, told, strict=True)
        )


def _runs(first: int, arrivals: Sequence[float | None]) -> list[tuple[int, list[float | None]]]:
    """What came without a gap, and the number each run begins with."""
    runs: list[tuple[int, list[float | None]]] = []
    for number, at in enumerate(arrivals, first):
        if at is None:
            continue
        if runs and number == runs[-1][0] + len(runs[-1][1]):
            runs[-1][1].append(at)
        else:
            runs.append((number, [at]))
    return runs


def write(sender_ssrc: int, media_ssrc: int, count: int, first: int, arrivals: Sequence[float | None]) -> bytes:
    """One feedback packet."""
    reference = int(next(at for at in arrivals if at is not None) / REFERENCE_S)
    statuses = _small(reference, arrivals) or _mixed(reference, arrivals)
    body = _REFERENCE.pack((reference & 0xFFFFFF) << 8 | count) + statuses
    padding = -len(body) % 4
    body += bytes(padding - 1) + bytes([padding]) if padding else b""
    length = (_HEAD.size + len(body)) // 4 - 1
    flags = 0x80 | (0x20 if padding else 0) | FMT
    return _HEAD.pack(flags, RTPFB, length, sender_ssrc, media_ssrc, first, len(arrivals)) + body


def _small(reference: int, arrivals: Sequence[float | None]) -> bytes:
    """One run and its deltas, where nothing is lost and all deltas are of one byte, as nearly always; else nothing."""
    ticks = [-1 if at is None else round(at / TICK_S) for at in arrivals]
    deltas = list(map(sub, ticks, (reference * TICKS, *ticks)))
    if min(deltas) < 0 or max(deltas) > 255:
        return b""
    return _CHUNK.pack(SMALL << 13 | len(deltas)) + bytes(deltas)


def _mixed(reference: int, arrivals: Sequence[float | None]) -> bytes:
    before = reference * TICKS
    symbols: list[int] = []
    deltas = bytearray()
    for at in arrivals:
        if at is None:
            symbols.append(LOST)
            continue
        ticks = round(at / TICK_S)
        delta, before = ticks - before, ticks
        if 0 <= delta <= 255:
            symbols.append(SMALL)
            deltas.append(delta)
        else:
            symbols.append(LARGE)
            deltas += _LARGE.pack(min(max(delta, -32768), 32767))
    return _chunks(symbols) + deltas


def parse(packet: bytes | memoryview) -> Feedback:
    """Read one feedback packet. Raises `TwccError`."""
    if len(packet) < _HEAD.size + 4:
        raise TwccError("too short")
    flags, kind, length, _, media_ssrc, first, wanted = _HEAD.unpack_from(packet)
    if kind != RTPFB or flags & 0x1F != FMT or (length + 1) * 4 != len(packet):
        raise TwccError("not transport feedback")
    reference_and_count = _REFERENCE.unpack_from(packet, _HEAD.size)[0]
    symbols, at = _symbols(packet, _HEAD.size + 4, wanted)
    ticks = (reference_and_count >> 8) * TICKS
    if symbols.count(SMALL) == wanted and at + wanted <= len(packet):  # nearly all there are
        steps = accumulate(packet[at : at + wanted], initial=ticks)
        next(steps)
        return Feedback(media_ssrc, reference_and_count & 0xFF, first, tuple([ticks * TICK_S for ticks in steps]))
    arrivals: list[float | None] = []
    for symbol in symbols:
        if symbol == LOST:
            arrivals.append(None)
            continue
        if at + symbol > len(packet):
            raise TwccError("deltas are cut short")
        ticks += packet[at] if symbol == SMALL else _LARGE.unpack_from(packet, at)[0]
        at += symbol
        arrivals.append(ticks * TICK_S)
    return Feedback(media_ssrc, reference_and_count & 0xFF, first, tuple(arrivals))


def _chunks(symbols: Sequence[int]) -> bytes:
    """Runs where they pay (over 7 alike), vectors of seven elsewhere."""
    out = bytearray()
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at] and run < 0x1FFF:
            run += 1
        if run >= 7 or at + run == len(symbols):
            out += _CHUNK.pack(symbols[at] << 13 | run)
            at += run
        else:
            vector = 0b11 << 14
            for place, symbol in enumerate(symbols[at : at + 7]):
                vector |= symbol << (12 - 2 * place)
            out += _CHUNK.pack(vector)
            at += 7
    return bytes(out)


def _symbols(packet: bytes | memoryview, at: int, wanted: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    while len(symbols) < wanted:
        if at + 2 > len(packet):
            raise TwccError("chunks are cut short")
        chunk = _CHUNK.unpack_from(packet, at)[0]
        at += 2
        if not chunk & 0x8000:
            symbol, run = chunk >> 13 & 3, chunk & 0x1FFF
            if symbol == 3 or not run:
                raise TwccError("a reserved symbol or an empty run")
            symbols += [symbol] * min(run, wanted - len(symbols))
        elif chunk & 0x4000:
            symbols += [chunk >> (12 - 2 * place) & 3 for place in range(7)]
        else:
            symbols += [chunk >> (13 - place) & 1 for place in range(14)]
    if 3 in symbols[:wanted]:
        raise TwccError("a reserved symbol")
    return symbols[:wanted], at
