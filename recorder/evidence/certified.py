"""Whether the certificate of a call says what its records say (FORMAT.md §4).

CERT-1  There is at most one, of seats that were in the visit, and nothing but `close` follows it.
CERT-2  What it counts is what the records count, and what it lets a client claim is the last that the client claimed.
"""

from __future__ import annotations

from collections import defaultdict

from msgspec import UNSET

from recorder.evidence import records as r
from recorder.evidence.layout import seat_of

COUNTED = ("packets", "lost", "recovered", "frozen", "frozen_ms", "missing_ms", "parts", "samples")
"""What of `measured` is counted again; the other names are means, worsts and lists."""
OURS_TO_LOSE = ("network", "worker", "recorder")


class CallCounts:
    """Feed it the body of every record; `agrees` says whether a certificate is of these."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
        self._claimed: dict[str, r.Details] = {}

    def take(self, body: r.Body) -> None:
        """The next record."""
        match body:
            case r.Part():
                self._counts[seat_of(body.stream)]["parts"] += 1
            case r.Segment():
                counts = self._counts[seat_of(body.stream)]
                for track in body.tracks:
                    counts["packets"] += track.expected
                    counts["lost"] += track.lost
                    counts["recovered"] += track.recovered
            case r.Gap() if body.cause in OURS_TO_LOSE:
                self._counts[seat_of(body.stream)]["missing_ms"] += max(0, body.to_ms - body.from_ms)
            case r.Event() if isinstance(body.seat, str):
                self._event(body.seat, body.event, body.detail if isinstance(body.detail, dict) else {})
            case _:
                pass

    def agrees(self, certificate: r.Certificate) -> bool:
        """CERT-2."""
        claims = {seat: leg.claimed for seat, leg in certificate.legs.items() if leg.claimed is not UNSET}
        return _same(claims, self._claimed) and all(
            _number(leg.measured[name]) == self._counts[seat][name]
            for seat, leg in certificate.legs.items()
            for name in COUNTED
            if name in leg.measured
        )

    def _event(self, seat: str, event: str, detail: r.Details) -> None:
        counts = self._counts[seat]
        if event == "quality":
            counts["samples"] += 1
        elif event == "frozen":
            counts["frozen"] += 1
            from_ms, to_ms = _number(detail.get("from_ms")), _number(detail.get("to_ms"))
            if from_ms is not None and to_ms is not None:
                counts["frozen_ms"] += max(0, to_ms - from_ms)
        elif event == "claimed":
            self._claimed[seat] = detail


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _same(one: object, other: object) -> bool:
    # To Python 1 and true are equal; on the record they are not.
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    return type(one) is type(other) and one == other
