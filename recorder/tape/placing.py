"""Where a stream's tracks stand: placed when a part begins, held against sender reports while it goes on.

PLACING-1  Tracks are placed together when a part begins (TIMELINE-2), and nothing comes to stand before the stream begins.
PLACING-2  What sender reports say against the placing is told as `sync`, whenever it changes by `SKEW_STEP_US`.
PLACING-3  Tracks more than `APART_US` apart, or one more than `ASIDE_US` from its time, are to be placed anew (PARTING-2), at
           most once in `ALIGN_EVERY_US`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from recorder.evidence import records
from recorder.tape.interleave import Interleave
from recorder.tape.output import Output, Said
from recorder.tape.part import OpenPart
from recorder.tape.timeline import Anchor, SenderClock
from recorder.tape.track import PlacedFrame, Track

SKEW_STEP_US = 20_000
APART_US = 40_000
ASIDE_US = 120_000
BELIEVED_US = 1_000_000
ALIGN_EVERY_US = 30_000_000


class Placing:
    """The placing of one stream's tracks."""

    def __init__(self, stream: str, first_ms: int, senders: SenderClock) -> None:
        """`senders`: the seat's wall clock, shared with its other stream."""
        self.wanting = False
        """The tracks are to be placed anew as soon as may be (PLACING-3)."""
        self._stream = stream
        self._first_us = first_ms * 1000
        self._senders = senders
        self._reported: set[Track] = set()
        self._aligned_us: int | None = None

    def begins(self, first_ms: int) -> None:
        """The stream begins here (PLACING-1)."""
        self._first_us = first_ms * 1000

    def listen(self, tracks: Sequence[Track]) -> None:
        """Hear what sender reports say, of tracks placed or not."""
        for track in tracks:
            for report, arrival_us in track.reports:
                track.report = report
                self._senders.hear(report, arrival_us)
            if track.reports:
                track.reports.clear()
                self._reported.add(track)

    def settle(self, tracks: list[Track], old: list[Track], first: PlacedFrame, waiting: Interleave) -> int:
        """Place the tracks of a new part (PLACING-1); by how much (µs) that moves its first frame.

        `old`: the tracks of the part before; `waiting`: all frames but the first.
        """
        given: dict[Track, list[PlacedFrame]] = {track: [] for track in tracks}
        given[first.track].append(first)
        for placed in waiting:
            if placed.track in given:
                given[placed.track].append(placed)
        wished: dict[Track, Anchor] = {}
        for track in tracks:
            anchor = track.clock.anchor
            assert anchor is not None
            said = self._senders.put(track.report) if track.report is not None else None
            if said is not None and abs(said.at_us - track.clock.place(said.rtp_timestamp)) < BELIEVED_US:
                if self.wanting or track not in old:
                    wished[track] = said
            elif track not in old:
                least = min((track.delay_us(placed) for placed in given[track]), default=0)
                wished[track] = msgspec.structs.replace(anchor, at_us=anchor.at_us + least)
        self.wanting = False
        return self._move(wished, given, first, waiting)

    def _move(
        self,
        wished: dict[Track, Anchor],
        given: dict[Track, list[PlacedFrame]],
        first: PlacedFrame,
        waiting: Interleave,
    ) -> int:
        # What would come to stand before the stream's time begins takes the others along, so that all stay together.
        begins = [
            placed.at_us + anchor.at_us - track.clock.place(anchor.rtp_timestamp)
            for track, anchor in wished.items()
            for placed in given[track]
        ]
        spare = max(0, self._first_us - min(begins, default=self._first_us))
        moved = {
            track: track.move(msgspec.structs.replace(anchor, at_us=anchor.at_us + spare))
            for track, anchor in wished.items()
        }
        if any(moved.values()):
            waiting.move(moved)
        return moved.get(first.track, 0)

    def compare(self, part: OpenPart | None, now_us: int, out: list[Output]) -> None:
        """Tell what sender reports say against the placing (TIMELINE-3, PLACING-2)."""
        if part is None or not self._reported:
            return
        reported, self._reported = self._reported, set()
        skews: list[int] = []
        for number, track in enumerate(part.tracks, 1):
            report = track.report
            if report is None or track.ended:
                continue
            skew = self._senders.skew_us(report, track.clock)
            if skew is None:
                continue
            if abs(skew) < BELIEVED_US:
                skews.append(skew)
            if track not in reported or abs(skew - part.skew_us.get(number, 1 << 40)) < SKEW_STEP_US:
                continue
            part.skew_us[number] = skew
            body = records.Sync(
                stream=self._stream,
                part=part.number,
                number=number,
                rtp_timestamp=report.rtp_timestamp & 0xFFFFFFFF,
                at_ms=track.clock.place(report.rtp_timestamp) // 1000,
                skew_us=skew,
            )
            out.append(Said("sync", body))
        self._want(skews, now_us)

    def _want(self, skews: list[int], now_us: int) -> None:  # PLACING-3
        if not skews or (self._aligned_us is not None and now_us - self._aligned_us < ALIGN_EVERY_US):
            return
        if max(skews) - min(skews) > APART_US or max(map(abs, skews)) > ASIDE_US:
            self.wanting = True
            self._aligned_us = now_us
