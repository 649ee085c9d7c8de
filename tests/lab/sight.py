"""What the two ends of a call saw and heard in a span of time, from what `eye.js` noted in each page.

Times are milliseconds of the wall clock, the same for every process of the machine. Counters of getStats only grow, but a
page may replace its connection: growth is summed over every row of every connection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

FREEZE_MS = 150.0
"""W3C webrtc-stats, `freezeCount`: a frame is late if it took this much longer than the average (or 3 × as long)."""
OVERHEAD = 28
"""Bytes of IP and UDP around each RTP packet."""


@dataclass(slots=True)
class Taken:
    """One page's notes (`__lab.take()`)."""

    samples: list[dict[str, Any]]
    sent: list[list[Any]]
    """Frames captured: `[at, number, width, height, name]`; number is None where the stamp could not be read."""
    seen: list[list[Any]]
    states: list[list[Any]]
    trips: list[list[float]] = field(default_factory=list)
    """Round trips of signaling: `[asked at, ms]`."""
    _rows: dict[tuple[int, str], list[tuple[float, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, taken: dict[str, Any]) -> Taken:
        """From the page's JSON."""
        made = cls(
            taken["samples"], taken["frames"]["sent"], taken["frames"]["seen"], taken["states"], taken.get("trips", [])
        )
        for sample in made.samples:
            for row in sample["rows"]:
                made._rows[sample["connection"], row["id"]].append((sample["at"], row))
        return made

    def growth(self, name: str, begin: float, end: float, **like: Any) -> float:
        """How much this counter grew in the span, over all rows that are like this."""
        return sum(
            _value(noted, name, end) - _value(noted, name, begin)
            for noted in self._rows.values()
            if _like(noted[-1][1], like)
        )

    def latest(self, begin: float, end: float, **like: Any) -> dict[str, Any]:
        """The newest row of the span that is like this, or an empty one."""
        rows = [
            (at, row) for noted in self._rows.values() for at, row in noted if begin <= at <= end and _like(row, like)
        ]
        return max(rows, key=lambda pair: pair[0])[1] if rows else {}

    def concealed(self, begin: float, end: float) -> float | None:
        """Fraction of the sound of the span that was made up."""
        audio = {"type": "inbound-rtp", "kind": "audio"}
        samples = self.growth("totalSamplesReceived", begin, end, **audio)
        return round(self.growth("concealedSamples", begin, end, **audio) / samples, 4) if samples else None

    def faces(self) -> list[list[Any]]:
        """Frames of the other's camera: of tracks that have shown a stamp."""
        stamped = {frame[4] for frame in self.seen if frame[1] is not None}
        return [frame for frame in self.seen if frame[4] in stamped]

    def screens(self) -> list[list[Any]]:
        """Frames of anything else, which is the other's screen."""
        stamped = {frame[4] for frame in self.seen if frame[1] is not None}
        return [frame for frame in self.seen if frame[4] not in stamped]


def _trips(here: Taken, begin: float, end: float) -> dict[str, float | None]:
    took = sorted(ms for at, ms in here.trips if begin <= at <= end)
    return {
        "trip_ms": round(took[len(took) // 2]) if took else None,
        "trip_p95_ms": round(took[len(took) * 95 // 100]) if took else None,
    }


def _value(noted: list[tuple[float, dict[str, Any]]], name: str, at: float) -> float:
    place = bisect_right(noted, at, key=lambda pair: pair[0]) - 1
    return float(noted[place][1].get(name) or 0) if place >= 0 else 0.0


def _like(row: dict[str, Any], like: dict[str, Any]) -> bool:
    return all(row.get(name) == value for name, value in like.items())


def received(here: Taken, there: Taken, begin: float, end: float) -> dict[str, float | None]:
    """What `here` got from `there`: rates in kbit/s, times in ms, fractions 0–1. None where there was nothing to measure."""
    seconds = (end - begin) / 1000
    audio = {"type": "inbound-rtp", "kind": "audio"}
    video = {"type": "inbound-rtp", "kind": "video"}
    faces = [frame for frame in here.faces() if begin <= frame[0] <= end]
    screens = [frame for frame in here.screens() if begin <= frame[0] <= end]
    delays = sorted(delay for frame in faces if (delay := _delay(frame, there.sent)) is not None)
    heights = [frame[3] for frame in faces]
    return {
        "fps": round(len(faces) / seconds, 2),
        "camera_fps": round(sum(begin <= frame[0] <= end for frame in there.sent) / seconds, 2),
        "decoded_fps": round(here.growth("framesDecoded", begin, end, **video) / seconds, 2),
        "freeze": round(frozen([frame[0] for frame in here.faces()], begin, end), 4),
        "freeze_stats": round(here.growth("totalFreezesDuration", begin, end, **video) / seconds, 4),
        "freezes": here.growth("freezeCount", begin, end, **video),
        "concealed": here.concealed(begin, end),
        "height": sorted(heights)[len(heights) // 2] if heights else None,
        "delay_ms": round(delays[len(delays) // 2]) if delays else None,
        "delay_p95_ms": round(delays[len(delays) * 95 // 100]) if delays else None,
        "video_kbps": _kbps(here, video, begin, end),
        "audio_kbps": _kbps(here, audio, begin, end),
        "nacks": here.growth("nackCount", begin, end, **video),
        "plis": here.growth("pliCount", begin, end, **video),
        "keyframes": here.growth("keyFramesDecoded", begin, end, **video),
        **_trips(here, begin, end),
        "screen_fps": round(len(screens) / seconds, 2),
        "screen_height": sorted(frame[3] for frame in screens)[len(screens) // 2] if screens else None,
    }


def encodings(here: Taken, begin: float, end: float) -> dict[str, list[list[Any]]]:
    """How each encoding of `here` went, by rid, once a second: `[s, asked bit/s, bytes sent, frames, lines, why limited]`."""
    found: dict[str, list[list[Any]]] = {}
    for noted in here._rows.values():
        if not _like(noted[-1][1], {"type": "outbound-rtp", "kind": "video"}):
            continue
        rows: list[list[Any]] = []
        for at, row in noted:
            if begin <= at <= end and (not rows or at - begin >= 1000 * (rows[-1][0] + 1)):
                figures = (row.get(name) for name in ("targetBitrate", "bytesSent", "framesSent", "frameHeight"))
                rows.append([round((at - begin) / 1000, 1), *figures, row.get("qualityLimitationReason")])
        if rows:
            found[str(noted[-1][1].get("rid", noted[-1][1]["id"]))] = rows
    return found


def frozen(shown: list[float], begin: float, end: float) -> float:
    """Share of the span in which the picture stood still, by W3C's rule for freezes; one that has not ended counts too."""
    total, average = 0.0, 40.0
    last = begin
    for at in [*(at for at in shown if begin <= at <= end), end]:
        gap = at - last
        if gap > max(3 * average, average + FREEZE_MS):
            total += gap
        else:
            average += (gap - average) / 30
        last = at
    return min(1.0, total / (end - begin))


def first_after(shown: list[float], moment: float) -> float | None:
    """Seconds from the moment to the first of these times after it."""
    later = [at for at in shown if at > moment]
    return round((min(later) - moment) / 1000, 3) if later else None


def heard_after(here: Taken, moment: float) -> float | None:
    """Seconds from the moment until a tenth of a second of sound was mostly not concealed (to 0.1 s)."""
    for noted in here._rows.values():
        if noted[-1][1].get("kind") != "audio" or noted[-1][1]["type"] != "inbound-rtp":
            continue
        for (before, old), (at, new) in pairwise(noted):
            samples = new.get("totalSamplesReceived", 0) - old.get("totalSamplesReceived", 0)
            concealed = new.get("concealedSamples", 0) - old.get("concealedSamples", 0)
            if before >= moment and samples and concealed < samples / 2:
                return round((at - moment) / 1000, 3)
    return None


def _kbps(here: Taken, like: dict[str, str], begin: float, end: float) -> float:
    octets = sum(here.growth(name, begin, end, **like) for name in ("bytesReceived", "headerBytesReceived"))
    octets += OVERHEAD * here.growth("packetsReceived", begin, end, **like)
    return round(octets * 8 / (end - begin), 1)


def _delay(frame: list[Any], sent: list[list[Any]]) -> float | None:
    """From the camera to the far page, by the number in the picture, which comes again only after many seconds."""
    if frame[1] is None:
        return None
    place = bisect_right(sent, frame[0], key=lambda captured: captured[0])
    for captured in reversed(sent[max(0, place - 300) : place]):
        if captured[1] == frame[1]:
            return float(frame[0] - captured[0])
    return None
