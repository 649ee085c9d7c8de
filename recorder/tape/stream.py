"""One stream: a publisher's tracks interleaved, and cut into parts and segments.

The rules are FORMAT.md's, §5; when a part ends and another begins is `recorder.tape.parting`'s, and what is said of the time
between segments `recorder.tape.covering`'s.

Frames come from `recorder.tape.track`; what comes out is bytes to append to objects (`Write`) and records to chain (bodies of
`recorder.evidence.records`), in the order in which they must be made durable.

STREAM-1  Frames are interleaved by stream time; one waits for the other tracks a moment at most (`recorder.tape.interleave`).
STREAM-2  A part begins when every track that sends has something to show, or after a moment with those that have.
STREAM-3  Silence of all tracks longer than `SILENCE_MS` is a gap record, and so is every hole between segments; only a
          stream without sound, of which no packet is missing, may be silent for `STANDING_MS`: its picture stands.
STREAM-4  Nothing is open for long without frames: after `IDLE_US` the open segment is cut.
STREAM-5  Where streams are sealed, a data key is made and said before the first object, in each life of the recorder anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from media.tap import TapTrack
from recorder.evidence import records
from recorder.sealing.stream_seal import StreamSeal
from recorder.tape.account import Account
from recorder.tape.covering import Covering
from recorder.tape.depacketize import MediaFrame
from recorder.tape.interleave import Interleave
from recorder.tape.muxer import TrackShape
from recorder.tape.output import Output, Said
from recorder.tape.part import OpenPart, shape_of
from recorder.tape.parting import Parting, is_lost, lost_before
from recorder.tape.passed import Ended, Passed
from recorder.tape.placing import Placing
from recorder.tape.segment import OpenSegment, SegmentState
from recorder.tape.segmenter import SILENCE_MS, VIDEO_FRAME_MS, Cut, cut_before
from recorder.tape.stretch import Stretch
from recorder.tape.timeline import SenderClock
from recorder.tape.track import PlacedFrame, Track, TrackState

IDLE_US = 2_500_000
STANDING_MS = 1500
MAX_PARTS = 999


class StreamState(msgspec.Struct):
    """A stream with an open part, as a later life of the recorder takes it up."""

    stream: str
    part: int
    segments: int
    shapes: list[TrackShape]
    last_ms: list[int]
    tracks: list[TrackState]
    ended: list[bool]
    awaiting: list[int]
    end_ms: int
    segment: SegmentState | None


class Stream:
    """One stream of a visit. Pure: frames and times in, outputs out."""

    def __init__(
        self,
        name: str,
        first_ms: int,
        senders: SenderClock,
        account: Account | None = None,
        begin_seal: Callable[[str], StreamSeal] | None = None,
    ) -> None:
        """`first_ms`: where its coverage begins. `senders`: the seat's wall clock, shared with its other stream.

        `begin_seal(name)` makes its data key, where streams are sealed.
        """
        self.name = name
        self.covering = Covering(name, first_ms, account)
        self.tracks: list[Track] = []
        self._part: OpenPart | None = None
        self._segment: OpenSegment | None = None
        self._begin_seal = begin_seal
        self._sealed: StreamSeal | None = None
        self._waiting = Interleave()
        self._placing = Placing(name, first_ms, senders)
        self._parting = Parting("recovered" if self.covering.account.parts else "start")
        self._ended = Ended()
        self._agreed_ms = 0
        self._until_ms: int | None = None
        self._end_ms = self.covering.to_ms
        self.covering.publishing((), first_ms)

    def agreed(self, at_ms: int) -> None:
        """Its seat is recorded from here on: nothing of it may stand before (CONSENT-2)."""
        self._agreed_ms = at_ms
        self._placing.begins(max(at_ms, self.covering.first_ms))

    # ---- tracks

    def add(self, track: Track, now_ms: int) -> None:
        """A track begins; one of the same source ends with it."""
        for old in self.tracks:
            if old.tap.source == track.tap.source:
                old.ended = True
        self.tracks.append(track)
        self.covering.begun(self.tracks, now_ms)

    def adopt(self, epoch: str, tap: TapTrack) -> Track | None:
        """The track of an earlier life of the recorder that this TRACK continues, if it is one."""
        if self._part is None or not self._part.resumed:
            return None
        for track in self._part.tracks:
            if not track.ended and track not in self.tracks and track.epoch == epoch and track.tap == tap:
                return track
        return None

    def end(self, track: Track, now_ms: int, transport_gone: bool = False) -> None:
        """No packet of the track follows."""
        track.ended = True
        track.transport_gone = transport_gone
        self.covering.ended(self.tracks, now_ms, transport_gone)

    def device(self, source: str, state: str, now_ms: int) -> None:
        """The participant says that a device is `on`, `muted`, `off` or `failed`."""
        self.covering.devices[source] = state
        self.covering.publishing(self.tracks, now_ms)

    def oldest_tap_seq(self, epoch: str) -> int | None:
        """The smallest tap frame of this worker's life of which something is not yet written."""
        known = [s for t in self.tracks if t.epoch == epoch and (s := t.oldest_tap_seq()) is not None]
        known += [f.frame.tap_seq for f in self._waiting if f.track.epoch == epoch]
        known += [f.frame.tap_seq for f in self._parting if f.track.epoch == epoch]
        return min(known, default=None)

    def recording(self, now_us: int) -> Literal["waiting", "recording", "stalled", "ended"]:
        """`waiting`, `recording`, `stalled` or `ended`, as `recorder.control.StreamAlive` says it."""
        if self._part is None and not self.covering.account.segments:
            return "waiting"
        if not self.tracks:
            return "ended"
        return "recording" if now_us - self._waiting.last_arrival_us < IDLE_US else "stalled"

    # ---- time goes on

    def drain(self, now_us: int, out: list[Output], flush: bool = False) -> None:
        """Take what the tracks have, write what is due. `flush`: wait for nothing."""
        if self._part is not None and is_lost(self._part, self.tracks):
            self._parting.why = "recovered" if self._part.resumed else "ssrc"
            self._end_part(None, out)
        waiting = self._waiting
        waiting.draw(self.tracks, now_us, flush)
        self._placing.listen(self.tracks)
        while waiting and (flush or waiting.due(self.tracks, now_us)):
            if (put := self._go_on()) > 0:
                waiting.went(put)
                continue
            if self._part is None and not flush and not waiting.may_start(self.tracks, now_us):
                break
            self._take(waiting.take(), out)
            waiting.let_go()
        self._write(out)
        self._placing.compare(self._part, now_us, out)
        self._tell_frozen(out)
        for track in [t for t in self.tracks if t.ended and not waiting.holds(t) and not self._parting.holds(t)]:
            self._ended.take(track.passed(None))
            self.tracks.remove(track)
            waiting.forget(track)
        if self._segment is not None and not waiting and now_us - waiting.last_arrival_us > IDLE_US:
            self._seal(None, Cut.END, out)

    def stop(self, now_us: int, out: list[Output], until_ms: int | None = None, end_ms: int | None = None) -> None:
        """End the open part: consent withdrawn (no frame from `until_ms` on is kept), or the visit is over at `end_ms`."""
        self._until_ms = until_ms
        self.drain(now_us, out, flush=True)
        if self._segment is not None and self._is_over(
            self._segment.state.from_ms
        ):  # CONSENT-3: it stood ahead of the clock
            self._drop_segment(out)
        self._until_ms = None
        self._end_part(end_ms, out)
        for track in self.tracks:
            track.shown(self.covering.to_ms)
        self._tell_frozen(out)
        self._parting.why = "start"
        self.tracks = []

    # ---- a later life of the recorder

    def state(self) -> StreamState | None:
        """What to take up again; None without an open part."""
        part = self._part
        if part is None:
            return None
        if self._segment is not None:
            self._segment.add_counts(t.counts_before(self._waiting.first_pending(t)) for t in part.tracks)
        states = [t.state(self._waiting.first_pending(t)) for t in part.tracks]
        return StreamState(
            self.name,
            part.number,
            part.segments,
            part.shapes,
            part.muxer.last_ms,
            states,
            [t.ended for t in part.tracks],
            sorted(part.awaiting),
            self._end_ms,
            self._segment.state if self._segment is not None else None,
        )

    def passed(self) -> list[Passed]:
        """How far every track is written that may be said again and is not in `state` to be gone on with (PASSED-1)."""
        part = self._part
        found = list(self._ended)
        for track in self.tracks:
            if part is not None and track in part.index and not track.ended:
                continue
            pending = (self._waiting.first_pending(track), self._parting.first_pending(track))
            if (one := track.passed(min((seq for seq in pending if seq is not None), default=None))) is not None:
                found.append(one)
        return found

    def resume(
        self, state: StreamState, zero_us: int, content: bytes, out: list[Output], seal: StreamSeal | None = None
    ) -> None:
        """Take up a part; `content`: what is kept of its open segment, which is cut, under the seal it was begun with."""
        tracks = [Track(kept.epoch, kept.tap, zero_us, kept) for kept in state.tracks]
        for track, over in zip(tracks, state.ended, strict=True):
            track.ended = over
        part = OpenPart(state.part, tracks, state.shapes, state.last_ms)
        part.awaiting = set(state.awaiting)
        part.segments = state.segments
        if part.has_video:
            part.last_video_ms = state.end_ms
        self._part, self._end_ms = part, state.end_ms
        if state.segment is not None and content:
            self._segment = OpenSegment(state.segment, content, seal)
            self._seal(None, Cut.END, out)
        elif state.segment is not None:  # nothing of it can be read any more
            part.segments -= 1
            self.covering.away(state.segment.from_ms)

    # ---- frames

    def _take(self, placed: PlacedFrame, out: list[Output]) -> None:
        at_ms = placed.at_us // 1000
        if at_ms < self._agreed_ms or (at_ms < self.covering.first_ms and not self._reaches_back(placed.track, at_ms)):
            return
        if self._is_over(at_ms) or (self._segment is None and self._is_over(self.covering.to_ms)):
            return
        part = self._part
        why = self._parting.why_new(part, placed, self._end_ms, self._placing.wanting)
        if why == "tracks" and self._parting.wait(part, placed, self._waiting.flows):
            return
        if why is not None:
            if self._is_over(max(self._end_ms, self.covering.to_ms)):
                return
            if (begins_ms := self._begin_part(placed, why, out)) is None:
                return
            part, at_ms = self._part, begins_ms
        assert part is not None
        index = part.index.get(placed.track)
        assert index is not None
        if index in part.awaiting:
            if not placed.frame.keyframe:
                placed.track.miss(at_ms)
                return
            part.awaiting.discard(index)
            placed.track.shown(at_ms)
        self._put(part, index, placed.frame, at_ms, out)

    def _is_over(self, ms: int) -> bool:
        """Whether consent was withdrawn before this."""
        return self._until_ms is not None and ms >= self._until_ms

    def _reaches_back(self, track: Track, at_ms: int) -> bool:
        """Whether the stream begins with this frame, which came before the recorder heard of its track: nothing else says
        when a screen's time begins (COV-3)."""
        if track.stream == track.tap.seat or at_ms < track.from_ms:
            return False
        if not self.covering.reach_back(at_ms):
            return False
        self._placing.begins(at_ms)
        return True

    def _go_on(self) -> int:
        """Put the frames due first that neither begin nor end anything (STRETCH-1); how many there were."""
        part, segment = self._part, self._segment
        if part is None or segment is None or self.covering.awaiting or self._until_ms is not None:
            return 0
        if not self._parting.calm(part, self._placing.wanting):
            return 0
        frames = self._waiting.sure()
        if not frames or frames[0].at_us // 1000 < self.covering.first_ms:
            return 0
        stretch = Stretch(part, segment, self._end_ms)
        put = stretch.put(frames)
        self._end_ms = stretch.end_ms
        return put

    def _put(self, part: OpenPart, index: int, frame: MediaFrame, at_ms: int, out: list[Output]) -> None:
        video_keyframe = frame.keyframe and part.tracks[index].kind == "video"
        segment = self._segment
        if segment is not None and self._silent(part, index, frame, at_ms):  # STREAM-3
            self.covering.declare(self._end_ms, at_ms, self.tracks, out, self._missing(part, index, frame))
        part.tracks[index].order.passed(frame.first_seq)
        if segment is not None:
            size = segment.state.size + part.run_bytes
            cut = cut_before(at_ms, video_keyframe, segment.state.from_ms, size, part.last_video_ms)
            if cut is not Cut.NO:
                self._seal(at_ms, cut, out)
                segment = None
                if self._is_over(self.covering.to_ms):
                    return
        if segment is None:
            segment = self._begin_segment(part, at_ms, out)
        duration_ms = frame.duration // 48
        part.add(index, frame, at_ms)
        segment.count(index, 1, int(frame.keyframe))
        if part.is_video[index] and segment.state.keyframe is None:
            segment.state.keyframe = frame.keyframe
        self._end_ms = max(self._end_ms, at_ms + (duration_ms or VIDEO_FRAME_MS))
        self.covering.kept(frame, at_ms)

    # ---- silence

    def _silent(self, part: OpenPart, index: int, frame: MediaFrame, at_ms: int) -> bool:
        """Whether what lies between the last frame and this one is a gap."""
        if at_ms - self._end_ms <= SILENCE_MS:
            return False
        return bool(self._missing(part, index, frame)) or not self._standing(part, at_ms)

    def _standing(self, part: OpenPart, at_ms: int) -> bool:
        """Whether nothing else was to be expected up to here: a shared screen that does not change repeats itself once a
        second. One that was taken back does not."""
        silent = any(t.kind == "audio" and self.covering.is_on(t) for t in part.tracks)
        over = all(t.ended for t in part.tracks)
        return not silent and not over and at_ms - self._end_ms <= STANDING_MS

    def _missing(self, part: OpenPart, index: int, frame: MediaFrame) -> int | None:
        """How many packets of the part are missing before this frame; None where that is not known."""
        missing = part.tracks[index].order.missing_before(frame.first_seq)
        for other in part.tracks:
            if other is part.tracks[index] or other.ended:
                continue
            following = self._waiting.first_pending(other)
            if following is None:  # none that can be decoded; but has it gone on?
                following = other.order.next_seq
                if other.order.waiting() or following is None or (other.last_arrival_us or 0) < frame.arrival_us:
                    return None
            missing += other.order.missing_before(following)
        return missing

    # ---- parts

    def _begin_part(self, placed: PlacedFrame, why: str, out: list[Output]) -> int | None:
        """Where its first frame stands (ms), None if none begins with it."""
        first = placed.track
        if first.kind == "video" and not placed.frame.keyframe:
            first.miss(placed.at_us // 1000)
            return None
        if self.covering.account.parts >= MAX_PARTS:
            self.covering.away(placed.at_us // 1000)
            return None
        others = [t for t in self.tracks if t is not first and t.clock.anchor is not None and self._shown(t)]
        tracks = sorted([first, *others], key=lambda t: (t.kind, t.tap.source))
        for waited in self._parting.readmitted(placed.at_us):
            self._waiting.put(waited)
        old = self._part.tracks if self._part is not None else []
        at_ms = (placed.at_us + self._placing.settle(tracks, old, placed, self._waiting)) // 1000
        if self._is_over(max(at_ms, self.covering.to_ms)):  # CONSENT-3
            return None
        first.parameters = placed.frame.parameters or first.parameters
        shapes = [shape_of(t, placed.frame if t is first else self._waiting.keyframe_of(t)) for t in tracks]
        part = OpenPart(self.covering.account.parts + 1, tracks, shapes)
        self._end_part(None if lost_before(self._part, first) else at_ms, out)
        self._part = part
        self._parting.begun()
        init, body = part.begin(self.name, why, max(at_ms, self.covering.to_ms), self._seal_said(out))
        out.append(init)
        self.covering.say("part", body, out)
        return at_ms

    def _shown(self, track: Track) -> bool:
        """Whether enough is known of the track to declare it."""
        if track.ended and not self._waiting.holds(track):
            return False
        return track.kind == "audio" or self._waiting.keyframe_of(track) is not None

    def _end_part(self, next_ms: int | None, out: list[Output]) -> None:
        if self._part is None:
            return
        self._seal(next_ms, Cut.END, out)
        self._part = None
        self._parting.ended(self.covering.to_ms)

    # ---- segments

    def _begin_segment(self, part: OpenPart, at_ms: int, out: list[Output]) -> OpenSegment:
        from_ms = max(at_ms, self.covering.to_ms)
        self.covering.declare_to(from_ms, self.tracks, out)
        self._segment = OpenSegment(part.next_segment(self.name, from_ms), seal=self._seal_said(out))
        return self._segment

    def _seal_said(self, out: list[Output]) -> StreamSeal | None:
        # STREAM-5
        if self._sealed is None and self._begin_seal is not None:
            self._sealed = self._begin_seal(self.name)
            out.append(Said("key", self._sealed.record))
        return self._sealed

    def _write(self, out: list[Output]) -> None:
        if self._part is None or not (content := self._part.take_run()):
            return
        assert self._segment is not None
        out.append(self._segment.write(content))

    def _seal(self, next_ms: int | None, cut: Cut, out: list[Output]) -> None:
        """Seal the open segment; `next_ms`: where the next frame stands, if it is near."""
        part, segment = self._part, self._segment
        if part is None or segment is None:
            return
        rest = part.take_run()
        near = next_ms is not None and (next_ms - self._end_ms <= SILENCE_MS or self._standing(part, next_ms))
        to_ms = next_ms if next_ms is not None and near else self._end_ms
        if to_ms < self.covering.to_ms or (cut is Cut.END and self._end_ms - to_ms > SILENCE_MS):
            to_ms = self._end_ms  # frames stood ahead of the clock, and perhaps behind a declared gap
        to_ms = max(to_ms, segment.state.from_ms + 1)
        segment.add_counts(t.counts_before(self._waiting.first_pending(t)) for t in part.tracks)
        self._segment = None
        out += segment.end(rest)
        body = segment.record(self.name, part.number, to_ms, part.has_video, forced=cut is Cut.FORCED)
        self.covering.say("segment", body, out)

    def _drop_segment(self, out: list[Output]) -> None:
        """Keep nothing of the open segment: no record will speak of it."""
        assert self._part is not None
        assert self._segment is not None
        self._part.take_run()
        self._part.segments -= 1
        out += self._segment.drop()
        self._segment = None

    # ---- records

    def _tell_frozen(self, out: list[Output]) -> None:
        for track in self.tracks:
            for source, begin, end in track.frozen:
                detail: dict[str, str | int | bool | None] = {"source": source, "from_ms": begin, "to_ms": end}
                out.append(Said("event", records.Event(event="frozen", seat=track.tap.seat, detail=detail)))
            track.frozen.clear()
