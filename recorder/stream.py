"""One stream: a publisher's tracks interleaved, cut into parts and segments, every millisecond accounted for.

The rules are FORMAT.md's, §5 and §8.

Frames come from `recorder.track`; what comes out is bytes to append to objects (`Write`) and records to chain (bodies of
`recorder.evidence.records`), in the order in which they must be made durable.

STREAM-1  Frames are interleaved by stream time; one waits for the other tracks at most `HOLD_US`.
STREAM-2  A part begins when every track that sends has something to show, or after `START_WAIT_US` with those that have.
STREAM-3  Silence of all tracks longer than `SILENCE_MS` is a gap record, and so is every hole between segments; only a
          stream without sound, of which no packet is missing, may be silent for `STANDING_MS`: its picture stands.
STREAM-4  A part whose tracks are all over ends with its last frame. What follows of the same sources, after another life of
          the worker or by another transport, is a new part, and what lies between is a gap, however short.
STREAM-5  Where sender reports say that tracks stand more than `APART_US` apart, or one more than `ASIDE_US` from its time, a
          new part is begun at the next keyframe, placed by them; at most once in `ALIGN_EVERY_US`.
STREAM-6  A sound that joins a picture waits for the picture's next keyframe, which is asked for, and the new part begins
          there: a part cannot show a picture before one, and a moment of sound is missed less than one of picture.
STREAM-7  Nothing is open for long without frames: after `IDLE_US` the open segment is sealed.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Literal, NamedTuple

import msgspec

from media.tap import TapTrack
from recorder.coverage import BRIEF_MS, Cause, Causes, count
from recorder.depacketize import MediaFrame
from recorder.evidence import layout, records
from recorder.evidence.digest import Digest
from recorder.muxer import Container, Muxer, TimedFrame, TrackShape, avc_configuration
from recorder.order import Counts
from recorder.segmenter import Cut, cut_before
from recorder.timeline import Anchor, SenderClock
from recorder.track import Frozen, PlacedFrame, Track, TrackState

HOLD_US = 600_000
START_WAIT_US = 1_000_000
ACTIVE_US = 1_000_000
IDLE_US = 2_500_000
SILENCE_MS = 200
STANDING_MS = 1500
PAUSE_MS = 10_000
SKEW_STEP_US = 20_000
APART_US = 40_000
ASIDE_US = 120_000
NEWCOMER_WAIT_US = 2_500_000
BELIEVED_US = 1_000_000
ALIGN_EVERY_US = 30_000_000
VIDEO_FRAME_MS = 40
MAX_PARTS = 999


class Write(NamedTuple):
    """Append these bytes to an object; `whole` if the object is complete with them."""

    name: str
    content: bytes
    whole: bool = False


class Said(NamedTuple):
    """A record to append to the visit's log."""

    kind: str
    body: records.Part | records.Segment | records.Gap | records.Sync | records.Event


Output = Write | Said


class Tally(msgspec.Struct):
    """What the open segment holds of one track."""

    expected: int = 0
    received: int = 0
    recovered: int = 0
    lost: int = 0
    frames: int = 0
    keyframes: int = 0

    def add(self, counts: Counts) -> None:
        """Take over a track's packet counts."""
        self.expected += counts.expected
        self.received += counts.received
        self.recovered += counts.recovered
        self.lost += counts.lost


class SegmentState(msgspec.Struct):
    """The open segment: `size` bytes of it are written."""

    n: int
    name: str
    from_ms: int
    tallies: list[Tally]
    size: int = 0
    keyframe: bool | None = None
    """Whether its first video frame is a keyframe; None before there is one."""


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


class _Part:
    """The open part."""

    def __init__(self, number: int, tracks: list[Track], shapes: list[TrackShape], last_ms: list[int] | None = None):
        self.number = number
        self.tracks = tracks
        self.shapes = shapes
        self.muxer = Muxer(shapes, last_ms)
        self.index = {track: index for index, track in enumerate(tracks)}
        self.has_video = any(track.kind == "video" for track in tracks)
        self.segments = 0
        self.last_video_ms: int | None = None
        self.skew_us: dict[int, int] = {}
        self.resumed = last_ms is not None
        self.awaiting = {index for index, track in enumerate(tracks) if track.kind == "video"}
        """Tracks that have not shown a keyframe in this part."""

    @property
    def container(self) -> Container:
        return self.muxer.container


class Account:
    """What a stream has come to, from its records alone: what `close` and `heartbeat` say."""

    def __init__(self) -> None:
        self.parts = 0
        self.bytes = 0
        self.last: str | None = None
        self.segments: list[tuple[int, int]] = []
        self.gaps: list[tuple[int, int, Cause]] = []

    def take(self, body: object) -> None:
        """Take a record of the stream."""
        match body:
            case records.Part():
                self.parts = body.part
            case records.Segment():
                self.bytes += body.bytes
                self.last = body.sha256
                self.segments.append((body.from_ms, body.to_ms))
            case records.Gap():
                self.gaps.append((body.from_ms, body.to_ms, body.cause))

    @property
    def covered_to(self) -> int | None:
        """Up to where every millisecond is accounted for; None before anything is."""
        ends = [segment[1] for segment in self.segments[-1:]] + [gap[1] for gap in self.gaps[-1:]]
        return max(ends, default=None)

    def close(self, first_ms: int, last_ms: int) -> records.StreamClose:
        """The stream's entry in `close`."""
        return records.StreamClose(
            parts=self.parts,
            segments=len(self.segments),
            bytes=self.bytes,
            last=self.last,
            first_ms=first_ms,
            last_ms=last_ms,
            coverage=records.Coverage(**count(first_ms, last_ms, self.segments, self.gaps)),
        )


class Stream:
    """One stream of a visit. Pure: frames and times in, outputs out."""

    def __init__(self, name: str, first_ms: int, senders: SenderClock, account: Account | None = None) -> None:
        """`first_ms`: where its coverage begins. `senders`: the seat's wall clock, shared with its other stream."""
        self.name = name
        self.first_ms = first_ms
        self.account = account or Account()
        self.causes = Causes()
        self.tracks: list[Track] = []
        self.devices: dict[str, str] = {}
        self._senders = senders
        self._part: _Part | None = None
        self._segment: SegmentState | None = None
        self._digest = Digest()
        self._run: list[TimedFrame] = []
        self._run_bytes = 0
        self._heap: list[tuple[int, int, PlacedFrame]] = []
        self._number = itertools.count()
        self._jumped: set[Track] = set()
        self._until_ms: int | None = None
        self._back_us: int | None = None
        self._latest_us: dict[Track, int] = {}
        self._reported: set[Track] = set()
        self._misplaced = False
        self._newcomers: list[PlacedFrame] = []
        """Frames of a track that the part does not have, while it waits for a keyframe to begin another."""
        self._aligned_us: int | None = None
        self._at_hand: PlacedFrame | None = None
        """The frame being taken: what is sealed before it does not hold it."""
        self._end_ms = self._covered()
        self._last_arrival_us = 0
        self._why = "recovered" if self.account.parts else "start"
        self._transport_gone = False
        self.update_off(first_ms)

    # ---- tracks

    def add(self, track: Track, now_ms: int) -> None:
        """A track begins; one of the same source ends with it."""
        for old in self.tracks:
            if old.tap.source == track.tap.source:
                old.ended = True
        self.tracks.append(track)
        self._transport_gone = False
        self.causes.end("worker", now_ms)
        self.update_off(now_ms)

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
        self._transport_gone = transport_gone
        self.update_off(now_ms)

    def device(self, source: str, state: str, now_ms: int) -> None:
        """The participant says that a device is `on`, `muted`, `off` or `failed`."""
        self.devices[source] = state
        self.update_off(now_ms)

    def away(self, at_ms: int) -> None:
        """The recorder keeps nothing from here on."""
        self.causes.begin("recorder", at_ms)
        self._back_us = None

    def back(self, now_us: int) -> None:
        """The recorder keeps what arrives from now on: what is silent up to the first of it is the recorder's gap."""
        self._back_us = now_us

    def update_off(self, now_ms: int) -> None:
        """Note whether nothing is published now."""
        live = [track for track in self.tracks if not track.ended]
        if any(self.devices.get(track.tap.source, "on") == "on" for track in live):
            self.causes.end("off", now_ms)
        elif live or not self._transport_gone:
            self.causes.begin("off", now_ms)

    def oldest_tap_seq(self, epoch: str) -> int | None:
        """The smallest tap frame of this worker's life of which something is not yet written."""
        known = [s for t in self.tracks if t.epoch == epoch and (s := t.oldest_tap_seq()) is not None]
        known += [f.frame.tap_seq for _, _, f in self._heap if f.track.epoch == epoch]
        known += [f.frame.tap_seq for f in self._newcomers if f.track.epoch == epoch]
        return min(known, default=None)

    @property
    def covered_to(self) -> int:
        """Up to where every millisecond is present or declared."""
        return self._covered()

    @property
    def sealed_to_ms(self) -> int:
        """Up to where it is sealed."""
        return self.account.segments[-1][1] if self.account.segments else 0

    def recording(self, now_us: int) -> Literal["waiting", "recording", "stalled", "ended"]:
        """`waiting`, `recording`, `stalled` or `ended`, as `recorder.control.StreamAlive` says it."""
        if self._part is None and not self.account.segments:
            return "waiting"
        if not self.tracks:
            return "ended"
        return "recording" if now_us - self._last_arrival_us < IDLE_US else "stalled"

    # ---- time goes on

    def drain(self, now_us: int, out: list[Output], flush: bool = False) -> None:
        """Take what the tracks have, write what is due. `flush`: wait for nothing."""
        self._end_lost_part(out)
        for track in self.tracks:
            for placed in track.drain(now_us):
                self._latest_us[track] = placed.at_us
                self._last_arrival_us = max(self._last_arrival_us, placed.frame.arrival_us)
                heapq.heappush(self._heap, (placed.at_us, next(self._number), placed))
        self._listen()
        while self._heap and (flush or self._due(self._heap[0][2], now_us)):
            if self._part is None and not flush and not self._may_start(now_us):
                break
            self._at_hand = heapq.heappop(self._heap)[2]
            self._take(self._at_hand, out)
            self._at_hand = None
        self._write(out)
        self._compare(now_us, out)
        self._tell_frozen(out)
        for track in [t for t in self.tracks if t.ended and not self._pending(t)]:
            self.tracks.remove(track)
            self._latest_us.pop(track, None)
        if self._segment is not None and not self._heap and now_us - self._last_arrival_us > IDLE_US:
            self._seal(None, Cut.END, out)

    def stop(self, now_us: int, out: list[Output], until_ms: int | None = None, end_ms: int | None = None) -> None:
        """End the open part: consent withdrawn (no frame from `until_ms` on is kept), or the visit is over at `end_ms`."""
        self._until_ms = until_ms
        self.drain(now_us, out, flush=True)
        self._until_ms = None
        self._end_part(end_ms, out)
        self._why = "start"
        self.tracks = []

    def declare_to(self, end_ms: int, out: list[Output]) -> None:
        """Declare what is not accounted for up to here."""
        covered = self._covered()
        if end_ms > covered:
            self._declare(covered, end_ms, out)

    # ---- a later life of the recorder

    def state(self) -> StreamState | None:
        """What to take up again; None without an open part."""
        part = self._part
        if part is None:
            return None
        if self._segment is not None:
            for tally, track in zip(self._segment.tallies, part.tracks, strict=True):
                tally.add(track.counts_before(self._first_pending(track)))
        states = [t.state(self._first_pending(t)) for t in part.tracks]
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
            self._segment,
        )

    def resume(self, state: StreamState, zero_us: int, content: bytes, out: list[Output]) -> None:
        """Take up a part; `content`: what is kept of its open segment, which is sealed."""
        tracks = [Track(kept.epoch, kept.tap, zero_us, kept) for kept in state.tracks]
        for track, over in zip(tracks, state.ended, strict=True):
            track.ended = over
        part = _Part(state.part, tracks, state.shapes, state.last_ms)
        part.awaiting = set(state.awaiting)
        part.segments = state.segments
        if part.has_video:
            part.last_video_ms = state.end_ms
        self._part, self._end_ms = part, state.end_ms
        if state.segment is not None and content:
            self._segment = state.segment
            self._digest = Digest(content)
            self._seal(None, Cut.END, out)

    # ---- frames

    def _covered(self) -> int:
        covered = self.account.covered_to
        return self.first_ms if covered is None else max(covered, self.first_ms)

    def _pending(self, track: Track) -> bool:
        return any(f.track is track for _, _, f in self._heap)

    def _first_pending(self, track: Track) -> int | None:
        waiting = [f.frame.first_seq for _, _, f in self._heap if f.track is track]
        if self._at_hand is not None and self._at_hand.track is track:
            waiting.append(self._at_hand.frame.first_seq)
        return min(waiting, default=None)

    def _due(self, head: PlacedFrame, now_us: int) -> bool:
        if head.frame.arrival_us + HOLD_US <= now_us:
            return True
        for track in self.tracks:  # STREAM-1
            if track is head.track or track.ended or track.last_arrival_us is None:
                continue
            if now_us - track.last_arrival_us < ACTIVE_US and self._latest_us.get(track, -1) < head.at_us:
                return False
        return True

    def _may_start(self, now_us: int) -> bool:
        earliest = min(f.frame.arrival_us for _, _, f in self._heap)
        if now_us - earliest >= START_WAIT_US:
            return True
        return all(t.ended or (self._pending(t) and t.report is not None) for t in self.tracks)  # STREAM-2

    def _take(self, placed: PlacedFrame, out: list[Output]) -> None:
        at_ms = placed.at_us // 1000
        if at_ms < self.first_ms or (self._until_ms is not None and at_ms >= self._until_ms):
            return
        part = self._part
        why = self._why_new_part(placed, at_ms)
        if why == "tracks" and self._picture_goes_on(placed):
            self._newcomers.append(placed)
            return
        if why is not None:
            if not self._begin_part(placed, at_ms, why, out):
                return
            part = self._part
            at_ms = placed.track.clock.place(placed.frame.timestamp) // 1000
        assert part is not None
        index = part.index.get(placed.track)
        assert index is not None
        if index in part.awaiting:
            if not placed.frame.keyframe:
                placed.track.hurry()
                return
            part.awaiting.discard(index)
        self._put(part, index, placed.frame, at_ms, out)

    def _picture_goes_on(self, newcomer: PlacedFrame) -> bool:
        """Whether a part with the newcomer would cost picture now: then it waits for the next keyframe."""
        part = self._part
        if (
            part is None
            or newcomer.track in part.index
            or (self._newcomers and newcomer.at_us - self._newcomers[0].at_us > NEWCOMER_WAIT_US)
        ):
            return False
        flowing = [t for t in part.tracks if t.kind == "video" and not t.ended and self._latest_us.get(t) is not None]
        for track in flowing:
            if not self._newcomers:
                track.hurry()
        return bool(flowing)

    def _readmit(self, at_us: int) -> None:
        """The part begins: of what waited, what comes after it goes back, and what comes before it is told as not kept."""
        missed = [placed for placed in self._newcomers if placed.at_us < at_us]
        for track in {placed.track for placed in missed}:
            begins = min(placed.at_us for placed in missed if placed.track is track)
            track.frozen.append(Frozen(track.tap.source, begins // 1000, at_us // 1000))
        for placed in self._newcomers:
            if placed.at_us >= at_us:
                heapq.heappush(self._heap, (placed.at_us, next(self._number), placed))
        self._newcomers.clear()

    def _why_new_part(self, placed: PlacedFrame, at_ms: int) -> str | None:
        part, track, frame = self._part, placed.track, placed.frame
        if part is None:
            return self._why
        if part.index.get(track) is None:
            old = next((t for t in part.tracks if t.tap.source == track.tap.source), None)
            if part.resumed and old is not None:
                return "recovered"
            if old is None:
                return "tracks"
            return "ssrc" if old.tap.codec == track.tap.codec else "codec"
        if placed.jumped or track in self._jumped:
            self._jumped.add(track)
            return "timestamps"
        if at_ms - self._end_ms > PAUSE_MS:
            return "pause"
        if frame.parameters is not None and frame.parameters != track.parameters:
            return "codec"
        if self._newcomers and track.kind == "video" and frame.keyframe:
            return "tracks"
        if self._misplaced and (track.kind == "video" if part.has_video else True) and frame.keyframe:
            return "timestamps"
        return None

    def _put(self, part: _Part, index: int, frame: MediaFrame, at_ms: int, out: list[Output]) -> None:
        video_keyframe = frame.keyframe and part.tracks[index].kind == "video"
        segment = self._segment
        if segment is not None and self._silent(part, index, frame, at_ms):  # STREAM-3
            self._declare(self._end_ms, at_ms, out, self._missing(part, index, frame))
        part.tracks[index].order.passed(frame.first_seq)
        if segment is not None:
            size = segment.size + self._run_bytes
            cut = cut_before(at_ms, video_keyframe, segment.from_ms, size, part.last_video_ms)
            if cut is not Cut.NO:
                self._seal(at_ms, cut, out)
                segment = None
        if segment is None:
            segment = self._begin_segment(part, at_ms, out)
        duration_ms = frame.duration // 48
        self._run.append(TimedFrame(index, at_ms, frame.keyframe, frame.payload))
        self._run_bytes += len(frame.payload)
        tally = segment.tallies[index]
        tally.frames += 1
        if frame.keyframe:
            tally.keyframes += 1
        if part.tracks[index].kind == "video":
            part.last_video_ms = at_ms
            if segment.keyframe is None:
                segment.keyframe = frame.keyframe
        self._end_ms = max(self._end_ms, at_ms + (duration_ms or VIDEO_FRAME_MS))
        if self._back_us is not None and frame.arrival_us >= self._back_us:
            self._back_us = None
            self.causes.end("recorder", at_ms)

    # ---- silence

    def _silent(self, part: _Part, index: int, frame: MediaFrame, at_ms: int) -> bool:
        """Whether what lies between the last frame and this one is a gap."""
        if at_ms - self._end_ms <= SILENCE_MS:
            return False
        return bool(self._missing(part, index, frame)) or not self._standing(part, at_ms)

    def _standing(self, part: _Part, at_ms: int) -> bool:
        """Whether nothing else was to be expected up to here: a shared screen that does not change repeats itself once a
        second."""
        silent = any(t.kind == "audio" and self.devices.get(t.tap.source, "on") == "on" for t in part.tracks)
        return not silent and at_ms - self._end_ms <= STANDING_MS

    def _missing(self, part: _Part, index: int, frame: MediaFrame) -> int | None:
        """How many packets of the part are missing before this frame; None where that is not known."""
        missing = part.tracks[index].order.missing_before(frame.first_seq)
        for other in part.tracks:
            if other is part.tracks[index] or other.ended:
                continue
            following = self._first_pending(other)
            if following is None:  # none that can be decoded; but has it gone on?
                following = other.order.next_seq
                if other.order.waiting() or following is None or (other.last_arrival_us or 0) < frame.arrival_us:
                    return None
            missing += other.order.missing_before(following)
        return missing

    # ---- parts

    def _begin_part(self, placed: PlacedFrame, at_ms: int, why: str, out: list[Output]) -> bool:
        first = placed.track
        if first.kind == "video" and not placed.frame.keyframe:
            first.hurry()
            return False
        if self.account.parts >= MAX_PARTS:
            self.away(at_ms)
            return False
        others = [t for t in self.tracks if t is not first and t.clock.anchor is not None and self._shown(t)]
        tracks = sorted([first, *others], key=lambda t: (t.kind, t.tap.source))
        self._readmit(placed.at_us)
        at_ms += self._settle(tracks, placed) // 1000
        first.parameters = placed.frame.parameters or first.parameters
        part = _Part(self.account.parts + 1, tracks, [self._shape(t, placed) for t in tracks])
        self._end_part(None if self._lost(first) else at_ms, out)
        self._part = part
        self._jumped.clear()
        name = layout.init_name(self.name, part.number, part.container)
        init = Digest(part.muxer.init)
        out.append(Write(name, part.muxer.init, whole=True))
        body = records.Part(
            stream=self.name,
            part=part.number,
            container=part.container,
            why=why,  # type: ignore[arg-type]
            from_ms=max(at_ms, self._covered()),
            init=records.ObjectDigest(name=name, bytes=init.size, sha256=init.sha256, sm3=init.sm3),
            tracks=[_described(n, t, s) for n, (t, s) in enumerate(zip(tracks, part.shapes, strict=True), 1)],
        )
        self._say("part", body, out)
        return True

    def _settle(self, tracks: list[Track], first: PlacedFrame) -> int:
        """Place the tracks of a new part (TIMELINE-2); by how much (µs) that moves its first frame."""
        old = self._part.tracks if self._part is not None else []
        waiting: dict[Track, list[PlacedFrame]] = {track: [] for track in tracks}
        waiting[first.track].append(first)
        for _, _, placed in self._heap:
            if placed.track in waiting:
                waiting[placed.track].append(placed)
        wished: dict[Track, Anchor] = {}
        for track in tracks:
            anchor = track.clock.anchor
            assert anchor is not None
            said = self._senders.put(track.report) if track.report is not None else None
            if said is not None and abs(said.at_us - track.clock.place(said.rtp_timestamp)) < BELIEVED_US:
                if self._misplaced or track not in old:
                    wished[track] = said
            elif track not in old:
                least = min((track.delay_us(placed) for placed in waiting[track]), default=0)
                wished[track] = msgspec.structs.replace(anchor, at_us=anchor.at_us + least)
        self._misplaced = False
        return self._move(wished, waiting, first)

    def _move(self, wished: dict[Track, Anchor], waiting: dict[Track, list[PlacedFrame]], first: PlacedFrame) -> int:
        # Nothing may come to stand before the stream's time begins; what would takes the others along, so that all stay
        # together.
        begins = [
            placed.at_us + anchor.at_us - track.clock.place(anchor.rtp_timestamp)
            for track, anchor in wished.items()
            for placed in waiting[track]
        ]
        spare = max(0, self.first_ms * 1000 - min(begins, default=self.first_ms * 1000))
        moved = {
            track: track.move(msgspec.structs.replace(anchor, at_us=anchor.at_us + spare))
            for track, anchor in wished.items()
        }
        if any(moved.values()):
            heap = [
                (at + moved.get(p.track, 0), n, p._replace(at_us=p.at_us + moved.get(p.track, 0)))
                for at, n, p in self._heap
            ]
            heapq.heapify(heap)
            self._heap = heap
            for track, by in moved.items():
                if track in self._latest_us:
                    self._latest_us[track] += by
        return moved.get(first.track, 0)

    def _lost(self, follower: Track) -> bool:
        """Whether the part ends because its worker or its transport was lost, and this track comes after."""
        tracks = self._part.tracks if self._part is not None else []
        return any(t.epoch != follower.epoch or t.transport_gone for t in tracks if t is not follower)

    def _end_lost_part(self, out: list[Output]) -> None:
        """STREAM-4."""
        part = self._part
        if part is None or not any(t not in part.index and t.last_arrival_us is not None for t in self.tracks):
            return
        if all(t.ended and t.transport_gone and t not in self.tracks for t in part.tracks):
            self._why = "recovered" if part.resumed else "ssrc"
            self._end_part(None, out)

    def _shown(self, track: Track) -> bool:
        """Whether enough is known of the track to declare it."""
        if track.ended and not self._pending(track):
            return False
        return track.kind == "audio" or self._keyframe_of(track) is not None

    def _keyframe_of(self, track: Track) -> MediaFrame | None:
        for _, _, placed in sorted(self._heap):
            if placed.track is track and placed.frame.keyframe:
                return placed.frame
        return None

    def _shape(self, track: Track, placed: PlacedFrame) -> TrackShape:
        if track.kind == "audio":
            return TrackShape("opus", channels=2)
        frame = placed.frame if placed.track is track else self._keyframe_of(track)
        assert frame is not None
        if track.tap.codec == "VP8":
            return TrackShape("VP8", width=frame.width, height=frame.height)
        assert frame.parameters is not None
        track.parameters = frame.parameters
        return TrackShape("H264", width=frame.width, height=frame.height, private=avc_configuration(*frame.parameters))

    def _end_part(self, next_ms: int | None, out: list[Output]) -> None:
        if self._part is None:
            return
        self._seal(next_ms, Cut.END, out)
        self._part = None
        self._newcomers.clear()

    # ---- segments

    def _begin_segment(self, part: _Part, at_ms: int, out: list[Output]) -> SegmentState:
        from_ms = max(at_ms, self._covered())
        if from_ms > self._covered():
            self._declare(self._covered(), from_ms, out)
        part.segments += 1
        name = layout.segment_name(self.name, part.number, part.segments, part.container)
        self._segment = SegmentState(part.segments, name, from_ms, [Tally() for _ in part.tracks])
        self._digest = Digest()
        return self._segment

    def _write(self, out: list[Output]) -> None:
        if not self._run:
            return
        assert self._part is not None
        assert self._segment is not None
        content = self._part.muxer.clusters(self._run)
        self._run = []
        self._run_bytes = 0
        self._digest.update(content)
        self._segment.size += len(content)
        out.append(Write(self._segment.name, content))

    def _seal(self, next_ms: int | None, cut: Cut, out: list[Output]) -> None:
        """Seal the open segment; `next_ms`: where the next frame stands, if it is near."""
        self._write(out)
        part, segment = self._part, self._segment
        if part is None or segment is None:
            return
        near = next_ms is not None and (next_ms - self._end_ms <= SILENCE_MS or self._standing(part, next_ms))
        to_ms = next_ms if next_ms is not None and near else self._end_ms
        to_ms = max(to_ms, segment.from_ms + 1)
        for tally, track in zip(segment.tallies, part.tracks, strict=True):
            tally.add(track.counts_before(self._first_pending(track)))
        body = records.Segment(
            stream=self.name,
            part=part.number,
            n=segment.n,
            name=segment.name,
            bytes=segment.size,
            sha256=self._digest.sha256,
            sm3=self._digest.sm3,
            from_ms=segment.from_ms,
            to_ms=to_ms,
            keyframe=bool(segment.keyframe) if part.has_video else True,
            forced=cut is Cut.FORCED,
            enc="none",
            tracks=[
                records.TrackCounts(number=n, **msgspec.structs.asdict(tally))
                for n, tally in enumerate(segment.tallies, 1)
            ],
        )
        self._segment = None
        out.append(Write(segment.name, b"", whole=True))
        self._say("segment", body, out)

    # ---- records

    def _declare(self, from_ms: int, to_ms: int, out: list[Output], packets: int | None = None) -> None:
        pieces = self.causes.split(from_ms, to_ms)
        # Until its first frame a source is off, as far as no packet is known to be missing.
        begun = self.account.segments or self.account.gaps or any(t.order.counts.lost for t in self.tracks)
        if not begun and len(pieces) == 1 and to_ms - from_ms < BRIEF_MS:
            pieces = [(begin, end, "off" if cause == "network" else cause) for begin, end, cause in pieces]
        for begin, end, cause in pieces:
            lost = packets if len(pieces) == 1 else None
            gap = records.Gap(stream=self.name, from_ms=begin, to_ms=end, cause=cause, packets=lost)
            self._say("gap", gap, out)

    def _say(self, kind: str, body: records.Part | records.Segment | records.Gap, out: list[Output]) -> None:
        self.account.take(body)
        out.append(Said(kind, body))

    def _listen(self) -> None:
        """Hear what sender reports say, of tracks placed or not."""
        for track in self.tracks:
            for report, arrival_us in track.reports:
                track.report = report
                self._senders.hear(report, arrival_us)
            if track.reports:
                track.reports.clear()
                self._reported.add(track)

    def _compare(self, now_us: int, out: list[Output]) -> None:
        """Tell what sender reports say against the placing (TIMELINE-3, STREAM-5)."""
        part = self._part
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
                stream=self.name,
                part=part.number,
                number=number,
                rtp_timestamp=report.rtp_timestamp & 0xFFFFFFFF,
                at_ms=track.clock.place(report.rtp_timestamp) // 1000,
                skew_us=skew,
            )
            out.append(Said("sync", body))
        if not skews or (self._aligned_us is not None and now_us - self._aligned_us < ALIGN_EVERY_US):
            return
        if max(skews) - min(skews) > APART_US or max(map(abs, skews)) > ASIDE_US:
            self._misplaced = True
            self._aligned_us = now_us

    def _tell_frozen(self, out: list[Output]) -> None:
        for track in self.tracks:
            for source, begin, end in track.frozen:
                detail: dict[str, str | int | bool | None] = {"source": source, "from_ms": begin, "to_ms": end}
                out.append(Said("event", records.Event(event="frozen", seat=track.tap.seat, detail=detail)))
            track.frozen.clear()


def _described(number: int, track: Track, shape: TrackShape) -> records.Track:
    anchor = track.clock.anchor
    assert anchor is not None
    video = track.kind == "video"
    return records.Track(
        number=number,
        source=track.tap.source,
        kind=track.kind,
        codec=track.tap.codec,
        clock_rate=track.tap.clock_rate,
        ssrc=track.tap.ssrc,
        rtp_timestamp=anchor.rtp_timestamp & 0xFFFFFFFF,
        at_ms=anchor.at_us // 1000,
        aligned=anchor.aligned,
        channels=msgspec.UNSET if video else shape.channels,
        width=shape.width if video else msgspec.UNSET,
        height=shape.height if video else msgspec.UNSET,
    )
