"""One stream: parts and segments from a publisher's packets, and every millisecond accounted for."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import pairwise
from struct import Struct

import av
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.tap import SENDER_REPORT, TapTrack
from recorder.evidence import records
from recorder.tape.output import Output, Said, Write
from recorder.tape.stream import Stream
from recorder.tape.timeline import SenderClock
from recorder.tape.track import Track
from tests.tapping import CAMERA_SSRC, MIC_SSRC, Clip, Sent, clip, sender_report

ZERO_US = 1_000_000_000
_RTP = Struct("!BBHII")


class Publisher:
    """Feeds a stream without sockets, on a scripted clock."""

    def __init__(self, codec: str = "VP8") -> None:
        self.stream = Stream("patient", 0, SenderClock())
        self.tracks = {
            "microphone": Track("m", TapTrack(1, "v", "patient", "microphone", "opus", 48_000, 111, MIC_SSRC), ZERO_US),
            "camera": Track("m", TapTrack(2, "v", "patient", "camera", codec, 90_000, 96, CAMERA_SSRC), ZERO_US),  # type: ignore[arg-type]
        }
        for track in self.tracks.values():
            self.stream.add(track, 0)
        self.out: list[Output] = []

    def push(self, source: str, packet: bytes, at_ms: int, flags: int = 0) -> None:
        self.tracks[source].push(flags, ZERO_US + at_ms * 1000, memoryview(packet), 1)

    def play(self, sent: Iterable[tuple[int, Sent]]) -> None:
        tick = 0
        for at_ms, packet in sent:
            while at_ms >= tick:
                self.stream.drain(ZERO_US + tick * 1000, self.out)
                tick += 250
            self.push(packet.source, packet.packet, at_ms, SENDER_REPORT if packet.packet[1] == 200 else 0)

    def finish(self, end_ms: int) -> None:
        self.stream.stop(ZERO_US + end_ms * 1000, self.out, end_ms=end_ms)
        self.stream.covering.declare_to(end_ms, self.stream.tracks, self.out)

    def bodies(self, kind: str) -> list[object]:
        return [said.body for said in self.out if isinstance(said, Said) and said.kind == kind]

    def files(self) -> dict[int, bytes]:
        """Each part's bytes."""
        found: dict[int, bytes] = {}
        for write in self.out:
            if isinstance(write, Write):
                number = int(write.name.split("part-")[1][:3])
                found[number] = found.get(number, b"") + write.content
        return found


def on_time(what: Clip) -> list[tuple[int, Sent]]:
    return [(sent.at_ms, sent) for sent in what.packets]


def segments(publisher: Publisher) -> list[records.Segment]:
    return [body for body in publisher.bodies("segment") if isinstance(body, records.Segment)]


def test_segments_begin_at_keyframes_about_two_seconds_apart() -> None:
    publisher = Publisher()
    publisher.play(on_time(clip(seconds=7)))
    publisher.finish(7000)
    assert [(s.from_ms, s.to_ms, s.keyframe, s.forced) for s in segments(publisher)] == [
        (0, 2000, True, False),
        (2000, 4000, True, False),
        (4000, 6000, True, False),
        (6000, 7000, True, False),
    ]


def test_without_keyframes_a_segment_is_forced() -> None:
    publisher = Publisher()
    publisher.play(on_time(clip(seconds=7, keyframe_every_ms=60_000)))
    publisher.finish(7000)
    assert [(s.keyframe, s.forced) for s in segments(publisher)] == [(True, True), (False, False)]


def test_a_timestamp_jump_begins_a_part_and_time_goes_on() -> None:
    publisher, what = Publisher(), clip(seconds=5)
    moved = []
    for sent in what.packets:
        if sent.at_ms >= 2000 and sent.source == "camera":
            first, second, seq, stamp, ssrc = _RTP.unpack_from(sent.packet)
            head = _RTP.pack(first, second, seq, (stamp + 90_000 * 3600) & 0xFFFFFFFF, ssrc)
            sent = sent._replace(packet=head + sent.packet[12:])
        moved.append((sent.at_ms, sent))
    publisher.play(moved)
    publisher.finish(5000)
    parts = [body for body in publisher.bodies("part") if isinstance(body, records.Part)]
    assert [part.why for part in parts] == ["start", "timestamps"]
    assert segments(publisher)[-1].to_ms == 5000


def test_the_skew_of_the_picture_is_told_and_nothing_is_moved() -> None:
    publisher, what = Publisher(), clip(seconds=3)
    late = [(at + (60 if sent.source == "camera" else 0), sent) for at, sent in on_time(what)]
    publisher.play(sorted(late, key=lambda one: one[0]))
    publisher.push("microphone", sender_report(MIC_SSRC, 3000, 777 + 48_000 * 3), 3000, SENDER_REPORT)
    publisher.push("camera", sender_report(CAMERA_SSRC, 3000, 0xFFFFFF00 + 90_000 * 3), 3020, SENDER_REPORT)
    publisher.finish(3200)
    sound, picture = publisher.bodies("sync")
    assert isinstance(sound, records.Sync)
    assert isinstance(picture, records.Sync)
    assert (sound.skew_us, picture.skew_us) == (0, -60_000)
    assert picture.at_ms == 3060


def test_reports_of_the_first_second_place_both_tracks() -> None:
    publisher, what = Publisher(), clip(seconds=3)
    reports = [
        (300, Sent(300, "microphone", sender_report(MIC_SSRC, 300, 777 + 48 * 300))),
        (400, Sent(400, "camera", sender_report(CAMERA_SSRC, 400, 0xFFFFFF00 + 90 * 400))),
    ]
    late = [(at + (150 if sent.source == "camera" else 10), sent) for at, sent in on_time(what)]
    publisher.play(sorted([*late, *reports], key=lambda one: one[0]))
    publisher.finish(3200)
    (part,) = publisher.bodies("part")
    assert isinstance(part, records.Part)
    assert all(track.aligned for track in part.tracks)
    at_ms = {
        track.source: track.at_ms - (track.rtp_timestamp - base) % (1 << 32) // rate
        for track, base, rate in zip(part.tracks, (777, 0xFFFFFF00), (48, 90), strict=True)
    }
    assert at_ms == {"microphone": 0, "camera": 0}


@pytest.mark.parametrize(("audio_ppm", "video_ppm"), [(100, -100), (-100, 100), (100, 100), (-100, -100)])
def test_half_an_hour_of_drifting_clocks_stays_together_and_on_time(audio_ppm: int, video_ppm: int) -> None:
    publisher = Publisher()
    apart: list[int] = []
    aside: list[int] = []
    keyframe = b"\x10\x10\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00"
    for tick in range(30 * 60 * 5):  # five frames of each a second are enough to drift
        at_ms = tick * 200
        drifted = {"microphone": at_ms * (1_000_000 + audio_ppm), "camera": at_ms * (1_000_000 + video_ppm)}
        stamps = {"microphone": drifted["microphone"] * 48 // 1_000_000, "camera": drifted["camera"] * 90 // 1_000_000}
        for source, payload, kind, ssrc in (
            ("microphone", b"\xfc\xff\xfe", 111, MIC_SSRC),
            ("camera", keyframe, 96, CAMERA_SSRC),
        ):
            head = _RTP.pack(0x80, 0x80 | kind, tick & 0xFFFF, stamps[source] & 0xFFFFFFFF, ssrc)
            publisher.push(source, head + payload, at_ms)
            if tick % 5 == 0:
                publisher.push(source, sender_report(ssrc, at_ms, stamps[source]), at_ms, SENDER_REPORT)
        publisher.stream.drain(ZERO_US + at_ms * 1000, publisher.out)
        if publisher.stream.state() is not None:
            stood = {
                source: track._last_at_us // 1000
                for source, track in publisher.tracks.items()
                if track._last_at_us is not None
            }
            apart.append(abs(stood["microphone"] - stood["camera"]))
            aside.append(max(abs(at - at_ms) for at in stood.values()))
    publisher.finish(30 * 60 * 1000)
    parts = [body.why for body in publisher.bodies("part") if isinstance(body, records.Part)]
    assert max(apart) <= 80
    assert max(aside) <= 200
    assert 1 < len(parts) <= 12
    assert set(parts[1:]) == {"timestamps"}


def accounted(publisher: Publisher) -> int:
    """Up to where every millisecond of the stream is present or declared, none of them twice."""
    account = publisher.stream.covering.account
    spans = sorted([*account.segments, *[(begin, end) for begin, end, _ in account.gaps]])
    covered = 0
    for begin, end in spans:
        assert begin <= covered
        assert begin < end
        covered = max(covered, end)
    assert all(left[1] <= right[0] for left, right in pairwise(account.segments))
    assert all(left[1] <= right[0] for left, right in pairwise(account.gaps))
    return covered


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["kept", "kept", "kept", "lost", "late", "twice", "silent"]), st.integers(1, 900)),
        min_size=5,
        max_size=60,
    )
)
def test_whatever_the_network_does_frames_are_in_order_counts_add_up_and_all_time_is_accounted_for(
    fates: list[tuple[str, int]],
) -> None:
    publisher, what = Publisher(), clip(seconds=6)
    sent: list[tuple[int, Sent]] = []
    for number, (at_ms, packet) in enumerate(on_time(what)):
        fate, how = fates[number * len(fates) // len(what.packets)]
        if fate == "silent" or (fate == "lost" and number % (how % 7 + 2) == 0):
            continue
        late = how if fate == "late" and number % 5 == 0 else 0
        sent.append((at_ms + late, packet))
        if fate == "twice":
            sent.append((at_ms + how, packet))
    publisher.play(sorted(sent, key=lambda one: one[0]))
    publisher.finish(7500)

    assert accounted(publisher) == 7500
    coverage = publisher.stream.covering.account.close(0, 7500).coverage
    assert coverage.present + coverage.network + coverage.off == 7500
    for segment in segments(publisher):
        assert all(t.expected == t.received + t.lost and t.recovered <= t.received for t in segment.tracks)
    voice = iter(what.frames["microphone"])
    for content in publisher.files().values():
        with av.open(io.BytesIO(content)) as file:
            for packet in file.demux(audio=0) if file.streams.audio else ():
                assert not packet.size or any(bytes(packet) == frame for frame in voice)


@settings(max_examples=100, deadline=None)
@given(
    stands=st.lists(
        st.tuples(st.sampled_from(["microphone", "camera"]), st.integers(0, 4000), st.integers(-1900, 1900))
    ),
    end_ms=st.integers(100, 4000),
)
def test_wherever_frames_stand_when_a_visit_ends_all_time_is_accounted_for(
    stands: list[tuple[str, int, int]], end_ms: int
) -> None:
    publisher = Publisher()
    moved: list[tuple[int, Sent]] = []
    for at_ms, sent in on_time(clip(seconds=4)):
        if at_ms >= end_ms:
            break
        by_ms = next((by for source, since, by in stands if source == sent.source and since <= at_ms), 0)
        first, second, seq, stamp, ssrc = _RTP.unpack_from(sent.packet)
        stamp += by_ms * (48 if sent.source == "microphone" else 90)
        head = _RTP.pack(first, second, seq, stamp & 0xFFFFFFFF, ssrc)
        moved.append((at_ms, sent._replace(packet=head + sent.packet[12:])))
    publisher.play(moved)
    publisher.finish(end_ms)
    assert accounted(publisher) >= end_ms


def test_parameter_sets_that_make_no_sense_end_nothing() -> None:
    publisher = Publisher("H264")
    for number, sps in enumerate(
        (b"\x67", b"\x67\x42\xe0\x1f", b"\x67\xff\xff\xff" + bytes(9), b"\x67" + b"\xff" * 12)
    ):
        for index, nal in enumerate((sps, b"\x68\xce\x3c\x80", b"\x65" + bytes(50))):
            head = _RTP.pack(0x80, 0x80 * (index == 2) | 96, number * 3 + index, number * 3000, CAMERA_SSRC)
            publisher.push("camera", head + nal, 100 + number * 33)
        publisher.stream.drain(ZERO_US + 2_000_000, publisher.out)
    publisher.finish(3000)
    assert publisher.stream.covering.account.close(0, 3000).coverage.present in range(3001)


def gaps(publisher: Publisher) -> list[tuple[int, int, str, int | None]]:
    found = [body for body in publisher.bodies("gap") if isinstance(body, records.Gap)]
    return [(gap.from_ms, gap.to_ms, gap.cause, gap.packets) for gap in found]


def test_a_third_of_a_second_that_the_network_swallowed_is_declared_with_its_packets() -> None:
    publisher, what = Publisher(), clip(seconds=5)
    publisher.play([(at, sent) for at, sent in on_time(what) if not 2010 <= at < 2340])
    publisher.finish(5000)
    swallowed = sum(2010 <= sent.at_ms < 2340 for sent in what.packets)
    ((begin, end, cause, packets),) = gaps(publisher)
    assert (cause, packets) == ("network", swallowed)
    assert 2010 <= begin <= 2060
    assert 2330 <= end <= 2350
    assert publisher.stream.covering.account.close(0, 5000).coverage.network == end - begin


def test_a_picture_without_sound_of_which_nothing_is_missing_stands() -> None:
    publisher, what = Publisher(), clip(seconds=5, audio=False)
    kept, seq = [], 0
    for at, sent in on_time(what):
        if 2000 <= at < 2900:
            continue
        first, second, _, stamp, ssrc = _RTP.unpack_from(sent.packet)
        kept.append((at, sent._replace(packet=_RTP.pack(first, second, seq, stamp, ssrc) + sent.packet[12:])))
        seq += 1
    publisher.stream.end(publisher.tracks["microphone"], 0)
    publisher.play(kept)
    publisher.finish(5000)
    assert gaps(publisher) == []


def test_another_life_of_the_worker_begins_a_part_and_a_declared_gap_however_short() -> None:
    publisher, what = Publisher(), clip(seconds=6)
    publisher.play([(at, sent) for at, sent in on_time(what) if at < 3900])
    publisher.stream.covering.causes.begin("worker", 3920)
    for track in publisher.tracks.values():
        publisher.stream.end(track, 3920, transport_gone=True)
    publisher.tracks = {
        name: Track("m-2", msgspec.structs.replace(track.tap, handle=9), ZERO_US)
        for name, track in publisher.tracks.items()
    }
    for track in publisher.tracks.values():
        publisher.stream.add(track, 3990)
    publisher.play([(at + 50, sent) for at, sent in on_time(what) if at >= 4000])
    publisher.finish(6050)
    assert [body.why for body in publisher.bodies("part") if isinstance(body, records.Part)] == ["start", "ssrc"]
    ((begin, end, cause, packets),) = gaps(publisher)
    assert (cause, packets) == ("worker", None)
    assert 3900 <= begin <= 3930
    assert end == 4050


def test_a_sound_that_joins_waits_for_the_pictures_keyframe_and_no_picture_is_lost() -> None:
    publisher, what = Publisher(), clip(seconds=6)
    voice = publisher.tracks["microphone"]
    publisher.stream.tracks.remove(voice)
    sent = on_time(what)
    publisher.play([(at, one) for at, one in sent if one.source == "camera" and at < 2500])
    publisher.stream.add(voice, 2500)
    publisher.play([(at, one) for at, one in sent if at >= 2500])
    publisher.finish(6000)
    parts = [body for body in publisher.bodies("part") if isinstance(body, records.Part)]
    assert [(part.why, part.from_ms, [t.source for t in part.tracks]) for part in parts] == [
        ("start", 0, ["camera"]),
        ("tracks", 4000, ["microphone", "camera"]),
    ]
    frames = sum(
        track.frames
        for segment in segments(publisher)
        for track in segment.tracks
        if parts[segment.part - 1].tracks[track.number - 1].source == "camera"
    )
    assert frames == len(what.frames["camera"])
    assert gaps(publisher) == []
    (unkept,) = [body for body in publisher.bodies("event") if isinstance(body, records.Event)]
    assert (unkept.event, unkept.detail) == ("frozen", {"source": "microphone", "from_ms": 2500, "to_ms": 4000})


def test_a_picture_that_waits_for_a_keyframe_behind_another_microphone_is_told_to_stand_still() -> None:
    publisher, what = Publisher(), clip(seconds=6)
    publisher.play([(at, sent) for at, sent in on_time(what) if at < 2500])
    voice = Track("m", msgspec.structs.replace(publisher.tracks["microphone"].tap, handle=3), ZERO_US)
    publisher.stream.add(voice, 2500)
    publisher.tracks["microphone"] = voice
    publisher.play([(at, sent) for at, sent in on_time(what) if at >= 2500])
    publisher.finish(6000)
    (stood,) = [body for body in publisher.bodies("event") if isinstance(body, records.Event)]
    assert (stood.event, stood.detail) == ("frozen", {"source": "camera", "from_ms": 2533, "to_ms": 4000})


def test_a_sound_that_waits_for_a_keyframe_when_the_visit_ends_is_told_as_not_kept() -> None:
    publisher, what = Publisher(), clip(seconds=4)
    voice = publisher.tracks["microphone"]
    publisher.stream.tracks.remove(voice)
    sent = [one for one in on_time(what) if one[0] < 3000]
    publisher.play([(at, one) for at, one in sent if one.source == "camera" and at < 2500])
    publisher.stream.add(voice, 2500)
    publisher.play([(at, one) for at, one in sent if at >= 2500])
    publisher.finish(3000)
    (unkept,) = [body for body in publisher.bodies("event") if isinstance(body, records.Event)]
    assert (unkept.event, unkept.detail) == ("frozen", {"source": "microphone", "from_ms": 2500, "to_ms": 3000})


def test_frames_behind_a_hole_are_kept_when_the_visit_ends_before_it_is_given_up() -> None:
    publisher, what = Publisher(), clip(seconds=3)
    voices = [(at, sent) for at, sent in on_time(what) if sent.source == "microphone"]
    publisher.play(voices[:-5] + voices[-4:])
    publisher.finish(3000)
    assert sum(track.frames for segment in segments(publisher) for track in segment.tracks) == len(voices) - 1


def test_the_last_segment_reaches_as_far_as_frames_that_stand_far_ahead_of_the_end() -> None:
    publisher = Publisher()
    publisher.play([(at, sent) for at, sent in on_time(clip(seconds=4)) if at < 3000])
    publisher.finish(2000)
    assert segments(publisher)[-1].to_ms >= 2980


def test_packets_count_in_the_segment_that_holds_their_frames() -> None:
    publisher = Publisher()
    publisher.play(on_time(clip(seconds=7)))
    publisher.finish(7000)
    for segment in segments(publisher):
        sound, picture = segment.tracks
        assert sound.frames == sound.received == sound.expected
        assert picture.received >= picture.frames > 0


def test_until_its_first_frame_a_source_is_off() -> None:
    publisher = Publisher()
    publisher.play([(at + 42, sent) for at, sent in on_time(clip(seconds=3))])
    publisher.finish(3042)
    assert {gap.cause for gap in publisher.bodies("gap") if isinstance(gap, records.Gap)} <= {"off"}
    assert publisher.stream.covering.account.gaps[0][:2] == (0, 42)
