"""The quality certificate of a call: what the records say of each seat's leg, folded into a few numbers (FORMAT.md §4).

Pure: it is fed every record, in this life of the recorder or a later one, and asked once, before `close`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recorder.evidence import records as r
from recorder.evidence.layout import seat_of

MEANS = ("loss_up_permille", "loss_down_permille", "rtt_ms")
DEVICES = ("microphone", "camera", "screen")
OURS_TO_LOSE = ("network", "worker", "recorder")


@dataclass(slots=True)
class _Leg:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("packets", "lost", "recovered"), 0))
    codecs: set[str] = field(default_factory=set)
    sums: dict[str, int] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)
    worst: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    frozen: int = 0
    frozen_ms: int = 0
    missing_ms: int = 0
    parts: int = 0
    transports: int = 0
    device_changes: int = 0
    states: dict[str, str] = field(default_factory=dict)
    claimed: r.Details | None = None


class CallQuality:
    """Feed it the body of every record."""

    def __init__(self) -> None:
        self._legs: dict[str, _Leg] = {}

    def take(self, body: object) -> None:
        """The next record."""
        match body:
            case r.Part():
                leg = self._leg(seat_of(body.stream))
                leg.parts += 1
                leg.codecs.update(track.codec for track in body.tracks)
            case r.Segment():
                counts = self._leg(seat_of(body.stream)).counts
                for track in body.tracks:
                    counts["packets"] += track.expected
                    counts["lost"] += track.lost
                    counts["recovered"] += track.recovered
            case r.Gap() if body.cause in OURS_TO_LOSE:
                self._leg(seat_of(body.stream)).missing_ms += body.to_ms - body.from_ms
            case r.Event() if isinstance(body.seat, str):
                self._event(self._leg(body.seat), body)
            case _:
                pass

    @property
    def body(self) -> r.Certificate | None:
        """The certificate; None if nothing was ever measured."""
        legs = {
            seat: r.Leg(_measured(leg), leg.claimed) if leg.claimed is not None else r.Leg(_measured(leg))
            for seat, leg in sorted(self._legs.items())
            if leg.parts or leg.samples or leg.claimed is not None
        }
        return r.Certificate(legs) if legs else None

    def _leg(self, seat: str) -> _Leg:
        return self._legs.setdefault(seat, _Leg())

    def _event(self, leg: _Leg, body: r.Event) -> None:
        detail = body.detail if isinstance(body.detail, dict) else {}
        match body.event:
            case "quality":
                _sample(leg, detail)
            case "frozen":
                leg.frozen += 1
                from_ms, to_ms = detail.get("from_ms"), detail.get("to_ms")
                if isinstance(from_ms, int) and isinstance(to_ms, int):
                    leg.frozen_ms += max(0, to_ms - from_ms)
            case "transport" if body.state == "connected":
                leg.transports += 1
            case "claimed":
                leg.claimed = detail
            case device if device in DEVICES and isinstance(body.state, str):
                before = leg.states.get(device)
                leg.device_changes += before is not None and before != body.state
                leg.states[device] = body.state
            case _:
                pass


def _sample(leg: _Leg, detail: r.Details) -> None:
    leg.samples += 1
    for name in MEANS:
        value = detail.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            leg.sums[name] = leg.sums.get(name, 0) + value
            leg.said[name] = leg.said.get(name, 0) + 1
            leg.worst[name] = max(leg.worst.get(name, 0), value)


def _measured(leg: _Leg) -> r.Details:
    means: r.Details = {}
    for name, said in leg.said.items():
        means[name] = round(leg.sums[name] / said)
        means[f"{name}_worst"] = leg.worst[name]
    return {
        **leg.counts,
        **means,
        "frozen": leg.frozen,
        "frozen_ms": leg.frozen_ms,
        "missing_ms": leg.missing_ms,
        "codecs": " ".join(sorted(leg.codecs)),
        "parts": leg.parts,
        "samples": leg.samples,
        "transports": leg.transports,
        "device_changes": leg.device_changes,
    }
