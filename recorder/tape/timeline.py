"""Where a packet stands on the visit's clock: stream time, from RTP timestamps, arrivals and sender reports.

TIMELINE-1  Stream time 0 is the visit's `start`; every stream of the visit shares the clock.
TIMELINE-2  A track is placed by its sender reports if it has one, else by the least delayed of its first frames; every
            frame by its RTP timestamp: network jitter never moves a frame.
TIMELINE-3  Within a part a placed track is not re-timed. What a sender report says against the placing is told as a skew; if
            that grows (clocks drift), the next part is placed anew (`recorder.tape.stream`).
TIMELINE-4  A frame that would stand more than `AHEAD_US` after its arrival, `BEHIND_US` before it, or before the frame that
            the track gave before it, is a timestamp jump: the track is placed anew, in a new part, where it came, but never
            before that frame: what is written of a track is in the order in which it was sent. No more than `STEP_US` is no
            jump: the frame stands with the one before it, or where it would.

All times are microseconds; stream times may be negative (before `start`).
"""

from __future__ import annotations

from collections import deque

import msgspec

AHEAD_US = 2_000_000
BEHIND_US = 5_000_000
STEP_US = 200_000
WINDOW = 16
LEARN_US = 10_000_000
STEPPED_US = 500_000
STRANGE = 3
"""So many reports in a row that are half a second off mean that the clock was set."""
DRIFT_PPM = 200

_NTP_UNIX_S = 2_208_988_800


class Anchor(msgspec.Struct, frozen=True):
    """This extended RTP timestamp stands at this stream time; `aligned` if a sender report says so."""

    rtp_timestamp: int
    at_us: int
    aligned: bool = False


class SenderReport(msgspec.Struct, frozen=True):
    """RFC 3550 §6.4.1: the sender's wall clock (µs since 1970) at an extended RTP timestamp."""

    ntp_us: int
    rtp_timestamp: int


class TrackClock:
    """Places one track's timestamps on stream time."""

    def __init__(self, clock_rate: int, anchor: Anchor | None = None) -> None:
        self.anchor = anchor
        self._rate = clock_rate

    def place(self, rtp_timestamp: int) -> int:
        """Stream time of a timestamp. The track must have an anchor."""
        anchor = self.anchor
        assert anchor is not None
        return anchor.at_us + (rtp_timestamp - anchor.rtp_timestamp) * 1_000_000 // self._rate


class SenderClock:
    """The one wall clock of a participant on stream time, seen through the sender reports of all its tracks.

    The least delayed of the last `WINDOW` reports tells where it stands; from one to the next it is believed to drift by
    `DRIFT_PPM` at most, so that a change of the network's delay moves nothing.
    """

    def __init__(self) -> None:
        self._offset_us: int | None = None
        self._heard: deque[int] = deque(maxlen=WINDOW)
        self._heard_us = 0
        self._begun_us = 0
        self._strange = 0

    def hear(self, report: SenderReport, arrival_us: int) -> None:
        """A report came at this stream time."""
        said = arrival_us - report.ntp_us
        strange = self._offset_us is not None and abs(said - self._offset_us) > STEPPED_US
        self._strange = self._strange + 1 if strange else 0
        if strange and self._strange < STRANGE:  # held up on its way
            return
        if strange or self._offset_us is None:  # the sender's clock was set
            self._heard.clear()
            self._offset_us, self._begun_us, self._strange = said, arrival_us, 0
        self._heard.append(said)
        least = min(self._heard)
        if arrival_us - self._begun_us > LEARN_US:
            most = max(0, arrival_us - self._heard_us) * DRIFT_PPM // 1_000_000
            least = min(max(least, self._offset_us - most), self._offset_us + most)
        self._offset_us, self._heard_us = least, arrival_us

    def put(self, report: SenderReport) -> Anchor | None:
        """Where the report puts its timestamp."""
        if self._offset_us is None:
            return None
        return Anchor(report.rtp_timestamp, report.ntp_us + self._offset_us, aligned=True)

    def skew_us(self, report: SenderReport, clock: TrackClock) -> int | None:
        """Where the report puts its timestamp, less where the track has put it (TIMELINE-3)."""
        said = self.put(report)
        if said is None or clock.anchor is None:
            return None
        return said.at_us - clock.place(report.rtp_timestamp)


def parse_sender_report(packet: bytes | memoryview, ssrc: int) -> tuple[int, int] | None:
    """The (NTP time in µs since 1970, 32-bit RTP timestamp) of `ssrc`'s sender report in an RTCP packet, if it has one."""
    at, data = 0, bytes(packet)
    while len(data) - at >= 8:
        size = (int.from_bytes(data[at + 2 : at + 4], "big") + 1) * 4
        if data[at] >> 6 != 2 or at + size > len(data):
            return None
        if data[at + 1] == 200 and size >= 28 and int.from_bytes(data[at + 4 : at + 8], "big") == ssrc:
            seconds = int.from_bytes(data[at + 8 : at + 12], "big") - _NTP_UNIX_S
            fraction = int.from_bytes(data[at + 12 : at + 16], "big")
            stamp = int.from_bytes(data[at + 16 : at + 20], "big")
            return seconds * 1_000_000 + (fraction * 1_000_000 >> 32), stamp
        at += size
    return None
