"""What of one stream is there, and why the rest is not: every millisecond present or declared (FORMAT.md §8).

COVERING-1  What holds outside is noted as it comes: a device off, nothing published, the worker or the recorder away, no
            consent. Only when a silence is over is it said, as gaps of one cause each (`recorder.tape.coverage`).
COVERING-2  Until its first frame a source is off, as far as no packet is known to be missing.
COVERING-3  What the recorder could not keep lasts until the first frame that came after it kept again.
"""

from __future__ import annotations

from collections.abc import Sequence

from recorder.evidence import records
from recorder.tape.account import Account
from recorder.tape.coverage import BRIEF_MS, Causes
from recorder.tape.depacketize import MediaFrame
from recorder.tape.output import Output, Said
from recorder.tape.track import Track


class Covering:
    """One stream's."""

    def __init__(self, stream: str, first_ms: int, account: Account | None = None) -> None:
        """`first_ms`: where its coverage begins. `account`: what an earlier life of the recorder said."""
        self.stream = stream
        self.first_ms = first_ms
        self.account = account or Account()
        self.causes = Causes()
        self.devices: dict[str, str] = {}
        """What the participant says of each source: `on`, `muted`, `off` or `failed`."""
        self._transport_gone = False
        self._back_us: int | None = None

    @property
    def to_ms(self) -> int:
        """Up to where every millisecond is present or declared."""
        covered = self.account.covered_to
        return self.first_ms if covered is None else max(covered, self.first_ms)

    @property
    def sealed_to_ms(self) -> int:
        """Up to where it is sealed."""
        return self.account.segments[-1][1] if self.account.segments else 0

    def reach_back(self, first_ms: int) -> bool:
        """Let the coverage begin so early, if nothing was said yet."""
        if self.account.parts or self.account.covered_to is not None:
            return False
        self.first_ms = first_ms
        return True

    # ---- why nothing may come

    def begun(self, tracks: Sequence[Track], now_ms: int) -> None:
        """A track began; `tracks`: all there are."""
        self._transport_gone = False
        self.causes.end("worker", now_ms)
        self.publishing(tracks, now_ms)

    def ended(self, tracks: Sequence[Track], now_ms: int, transport_gone: bool) -> None:
        """A track ended; `tracks`: all there are."""
        self._transport_gone = transport_gone
        self.publishing(tracks, now_ms)

    def publishing(self, tracks: Sequence[Track], now_ms: int) -> None:
        """Note whether anything is published now."""
        live = [track for track in tracks if not track.ended]
        if any(self.is_on(track) for track in live):
            self.causes.end("off", now_ms)
        elif live or not self._transport_gone:
            self.causes.begin("off", now_ms)

    def is_on(self, track: Track) -> bool:
        """Whether its device is."""
        return self.devices.get(track.tap.source, "on") == "on"

    def away(self, at_ms: int) -> None:
        """The recorder keeps nothing from here on."""
        self.causes.begin("recorder", at_ms)
        self._back_us = None

    def back(self, now_us: int) -> None:
        """It keeps what arrives from now on: what is silent up to the first of it is the recorder's gap (COVERING-3)."""
        self._back_us = now_us

    @property
    def awaiting(self) -> bool:
        """Whether the first frame that it keeps again is still to come."""
        return self._back_us is not None

    def kept(self, frame: MediaFrame, at_ms: int) -> None:
        """A frame is kept that stands here."""
        if self._back_us is not None and frame.arrival_us >= self._back_us:
            self._back_us = None
            self.causes.end("recorder", at_ms)

    # ---- what is said

    def say(self, kind: str, body: records.Part | records.Segment | records.Gap, out: list[Output]) -> None:
        """Put a record of the stream among the others, and in its account."""
        self.account.take(body)
        out.append(Said(kind, body))

    def declare(
        self, from_ms: int, to_ms: int, tracks: Sequence[Track], out: list[Output], packets: int | None = None
    ) -> None:
        """Nothing is here: say why. `packets`: how many are missing, where that is known; `tracks`: all there are."""
        pieces = self.causes.split(from_ms, to_ms)
        begun = self.account.segments or self.account.gaps or any(t.order.counts.lost for t in tracks)
        if not begun and len(pieces) == 1 and to_ms - from_ms < BRIEF_MS:  # COVERING-2
            pieces = [(begin, end, "off" if cause == "network" else cause) for begin, end, cause in pieces]
        for begin, end, cause in pieces:
            lost = packets if len(pieces) == 1 else None
            gap = records.Gap(stream=self.stream, from_ms=begin, to_ms=end, cause=cause, packets=lost)
            self.say("gap", gap, out)

    def declare_to(self, end_ms: int, tracks: Sequence[Track], out: list[Output]) -> None:
        """Declare what is not accounted for up to here."""
        covered = self.to_ms
        if end_ms > covered:
            self.declare(covered, end_ms, tracks, out)
