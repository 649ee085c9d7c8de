"""One track: RTP in, frames on stream time out, and where a later life of the recorder goes on."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from media.tap import RECOVERED, SENDER_REPORT, TapTrack
from recorder.tape.track import PlacedFrame, Track, TrackState
from tests.tapping import CAMERA_SSRC, clip, sender_report

ZERO_US = 5_000_000
TAP = TapTrack(3, "v", "doctor", "camera", "VP8", 90_000, 96, CAMERA_SSRC)


def camera(track: Track, until_ms: int, from_ms: int = 0) -> list[int]:
    """Feed the clip's camera; the stream times (ms) of the frames that came out."""
    out: list[int] = []
    for number, sent in enumerate(clip(audio=False).packets):
        if from_ms <= sent.at_ms < until_ms:
            track.push(0, ZERO_US + sent.at_ms * 1000, memoryview(sent.packet), number)
            out += [placed.at_us // 1000 for placed in track.drain(ZERO_US + sent.at_ms * 1000)]
    return out


def test_frames_stand_where_their_timestamps_say() -> None:
    times = camera(Track("m", TAP, ZERO_US), 1000)
    assert times == [number * 1000 // 15 for number in range(15)]


def test_a_screen_is_another_stream() -> None:
    assert Track("m", TAP, ZERO_US).stream == "doctor"
    assert Track("m", msgspec.structs.replace(TAP, source="screen"), ZERO_US).stream == "doctor.screen"


def test_what_arrived_before_it_may_be_kept_is_not() -> None:
    track = Track("m", TAP, ZERO_US)
    track.from_us = ZERO_US + 2_000_000
    assert min(camera(track, 3000)) >= 2000


def test_a_keyframe_is_asked_for_when_there_is_none_and_not_too_often() -> None:
    track = Track("m", TAP, ZERO_US)
    now = ZERO_US + 1_000_000
    assert not track.wants_keyframe(now)
    camera(track, 1000, from_ms=500)  # the clip's second half second: no keyframe in it
    assert track.wants_keyframe(now)
    assert not track.wants_keyframe(now + 100_000)
    assert track.wants_keyframe(now + 600_000)
    assert not track.wants_keyframe(now + 9_000_000), "nothing comes: nobody to ask"


def test_a_keyframe_that_is_on_its_way_is_not_asked_for_twice() -> None:
    track = Track("m", TAP, ZERO_US)
    camera(track, 1000)
    camera(track, 3000, from_ms=2500)
    asked = [at for at in range(1020, 4900, 20) if track.wants_keyframe(ZERO_US + at * 1000)]
    assert asked == [2000, 3500], "and again if it has not come in a second and a half"
    assert track.goes_on
    track.hurry()
    assert not track.goes_on


def test_a_later_life_goes_on_without_a_keyframe() -> None:
    first = Track("m", TAP, ZERO_US)
    before = camera(first, 1000)
    state = msgspec.json.decode(msgspec.json.encode(first.state(None)), type=TrackState)
    again = Track("m", TAP, ZERO_US, state)
    after = camera(again, 1700, from_ms=800)  # some of it resent
    assert before + after == [number * 1000 // 15 for number in range(26)]
    assert again.order.counts.lost == 0


def test_a_report_does_not_disturb_the_timestamps() -> None:
    track = Track("m", TAP, ZERO_US)
    before = camera(track, 500)
    track.push(SENDER_REPORT, ZERO_US, memoryview(sender_report(CAMERA_SSRC, 10, 0xFFFFFF00 + 90 * 400)), 1)
    track.drain(ZERO_US)
    assert len(track.reports) == 1
    assert before + camera(track, 1000, from_ms=500) == [number * 1000 // 15 for number in range(15)]


@given(st.binary(max_size=60), st.sampled_from([0, 1, SENDER_REPORT, 3]))
def test_no_packet_of_any_kind_raises(packet: bytes, flags: int) -> None:
    track = Track("m", TAP, ZERO_US)
    camera(track, 200)
    track.push(flags, ZERO_US, memoryview(packet), 9)
    track.drain(ZERO_US)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(("VP8", "H264")),
    st.lists(st.sampled_from("    xxd<rpee"), min_size=1, max_size=60),
    st.integers(1, 7),
)
def test_packets_read_in_one_row_become_the_frames_they_become_one_by_one(codec: str, fate: list[str], at: int) -> None:
    tap = msgspec.structs.replace(TAP, codec=codec)
    once, each = Track("m", tap, ZERO_US), Track("m", tap, ZERO_US)
    came: list[tuple[int, bytes]] = []
    for number, sent in enumerate(clip(codec, audio=False).packets):
        match fate[number * at % len(fate)]:
            case "x":  # lost
                continue
            case "d":  # twice
                came += [(0, sent.packet)] * 2
            case "<" if came:  # before the one before it
                came.insert(-1, (0, sent.packet))
            case "r":
                came.append((RECOVERED, sent.packet))
            case "e":  # with an extension of 4 bytes, as browsers send them
                head, payload = sent.packet[:12], sent.packet[12:]
                came.append((0, bytes([0x90]) + head[1:] + b"\xbe\xde\x00\x01\x10\xff\x00\x00" + payload))
            case "p":  # nothing but a header
                came.append((0, sent.packet[:12]))
            case _:
                came.append((0, sent.packet))
    one_by_one: list[PlacedFrame] = []
    for number, (flags, packet) in enumerate(came):
        for track in (once, each):
            track.push(flags, ZERO_US, memoryview(packet), number)
        one_by_one += each.drain(ZERO_US)
    in_one_row = once.drain(ZERO_US)
    once.ended = each.ended = True
    in_one_row += once.drain(ZERO_US)
    one_by_one += each.drain(ZERO_US)
    assert [(p.at_us, p.frame) for p in in_one_row] == [(p.at_us, p.frame) for p in one_by_one]
    assert once.oldest_tap_seq() == each.oldest_tap_seq()
    assert tallies(once) == tallies(each)


def tallies(track: Track) -> list[int]:
    counts, frames = track.order.counts, track.depacketizer
    return [*(getattr(counts, name) for name in counts.__slots__), frames.damaged, frames.skipped]


def stands(jumps: dict[int, int]) -> list[tuple[int, bool]]:
    """Where (ms) sound of 20 ms a packet stands whose timestamps jump (`jumps`: ms by packet), and whether anew."""
    track = Track("m", msgspec.structs.replace(TAP, source="microphone", codec="opus", clock_rate=48_000), ZERO_US)
    stamp, placed = 1 << 20, list[PlacedFrame]()
    for number in range(10):
        stamp += 48 * (20 + jumps.get(number, 0))
        head = bytes((0x80, 111)) + number.to_bytes(2, "big") + stamp.to_bytes(4, "big") + bytes(4)
        track.push(0, ZERO_US + (1000 + 20 * number) * 1000, memoryview(head + b"\xf8\xff"), number)
    placed += track.drain(ZERO_US + 2_000_000)
    return [(one.at_us // 1000, one.jumped) for one in placed]


def test_a_timestamp_that_cannot_be_is_a_jump_and_the_track_goes_on_where_it_came() -> None:
    for by in (-6000, -300, 2500, 3_600_000):
        assert stands({5: by}) == [(1000 + 20 * number, number == 5) for number in range(10)], by


def test_a_timestamp_that_goes_a_little_back_waits_for_the_frame_before_it() -> None:
    assert [at for at, _ in stands({5: -50})] == [1000, 1020, 1040, 1060, 1080, 1080, 1080, 1090, 1110, 1130]
    assert not any(jumped for _, jumped in stands({5: -50}))


def test_a_track_that_stands_ahead_and_goes_back_never_stands_before_what_it_gave() -> None:
    assert [at for at, _ in stands({3: 1500, 6: -1000})] == [1000, 1020, 1040, 2560, 2580, 2600, 2600, 2620, 2640, 2660]
