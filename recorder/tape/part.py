"""The open part of a stream: its tracks, their shapes, and the muxer whose file it is (FORMAT.md §5)."""

from __future__ import annotations

import msgspec

from recorder.evidence import layout, records
from recorder.evidence.digest import Digest
from recorder.sealing.stream_seal import StreamSeal
from recorder.tape.depacketize import MediaFrame
from recorder.tape.muxer import Container, Muxer, TimedFrame, TrackShape, avc_configuration
from recorder.tape.output import Write
from recorder.tape.segment import SegmentState, Tally
from recorder.tape.track import Track


class OpenPart:
    """A part being written."""

    def __init__(
        self, number: int, tracks: list[Track], shapes: list[TrackShape], last_ms: list[int] | None = None
    ) -> None:
        """`last_ms`: where each track's last block stands, if an earlier life of the recorder began the part."""
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
        self.run_bytes = 0
        self.run: list[TimedFrame] = []
        """Frames put and not yet taken."""
        self.is_video = [track.kind == "video" for track in tracks]

    @property
    def container(self) -> Container:
        """Which file format it is."""
        return self.muxer.container

    def begin(self, stream: str, why: str, from_ms: int, seal: StreamSeal | None = None) -> tuple[Write, records.Part]:
        """Its `init` object, and the record that begins it."""
        name = layout.init_name(stream, self.number, self.container)
        content = self.muxer.init if seal is None else seal.whole(name, self.muxer.init)
        init = Digest(content)
        body = records.Part(
            stream=stream,
            part=self.number,
            container=self.container,
            why=why,  # type: ignore[arg-type]
            from_ms=from_ms,
            init=records.ObjectDigest(name=name, bytes=init.size, sha256=init.sha256, sm3=init.sm3),
            tracks=[_described(n, t, s) for n, (t, s) in enumerate(zip(self.tracks, self.shapes, strict=True), 1)],
        )
        return Write(name, content, whole=True), body

    def next_segment(self, stream: str, from_ms: int) -> SegmentState:
        """The part's next segment, empty."""
        self.segments += 1
        name = layout.segment_name(stream, self.number, self.segments, self.container)
        return SegmentState(self.segments, name, from_ms, [Tally() for _ in self.tracks])

    def add(self, index: int, frame: MediaFrame, at_ms: int) -> None:
        """Put a frame behind the others of the run."""
        payload = frame.payload
        self.run.append((index, at_ms, frame.keyframe, payload))
        self.run_bytes += len(payload)
        if self.is_video[index]:
            self.last_video_ms = at_ms

    def take_run(self) -> bytes:
        """The clusters of the run; nothing of it waits any more."""
        content = self.muxer.clusters(self.run) if self.run else b""
        self.run = []
        self.run_bytes = 0
        return content


def shape_of(track: Track, first: MediaFrame | None) -> TrackShape:
    """What a container says of a track. `first`: its first keyframe, if it is video."""
    if track.kind == "audio":
        return TrackShape("opus", channels=2)
    assert first is not None
    if track.tap.codec != "H264":
        return TrackShape(track.tap.codec, width=first.width, height=first.height)
    assert first.parameters is not None
    track.parameters = first.parameters
    return TrackShape("H264", width=first.width, height=first.height, private=avc_configuration(*first.parameters))


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
