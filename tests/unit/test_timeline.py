"""Stream time: one clock for all streams, from arrivals, RTP timestamps and sender reports."""

from __future__ import annotations

from recorder.timeline import Anchor, SenderClock, SenderReport, TrackClock, parse_sender_report
from tests.tapping import sender_report

RATE = 90_000


def test_jitter_moves_no_frame() -> None:
    clock = TrackClock(RATE, Anchor(1000, 5_000_000))
    assert clock.place(1000 + RATE) == 6_000_000
    assert clock.place(1000 - RATE // 2) == 4_500_000


def test_a_timestamp_that_cannot_be_is_a_jump_and_a_late_burst_is_none() -> None:
    clock = TrackClock(RATE, Anchor(0, 0))
    assert clock.jumped(RATE * 10, 1_000_000)
    assert not clock.jumped(RATE * 1, 4_000_000)
    assert clock.jumped(RATE * 1, 9_000_000)


def test_a_sender_report_is_found_in_a_compound_packet() -> None:
    other = bytes((0x81, 201, 0, 1)) + (9).to_bytes(4, "big")
    assert parse_sender_report(other + sender_report(7, 1500, 42), 7) == (1_691_011_200_000_000 + 1_500_000, 42)
    assert parse_sender_report(sender_report(7, 1500, 42), 8) is None
    assert parse_sender_report(sender_report(7, 1500, 42)[:20], 7) is None
    assert parse_sender_report(b"", 7) is None


def test_the_skew_between_two_tracks_is_told_and_nothing_is_moved() -> None:
    senders = SenderClock()
    audio, video = TrackClock(48_000, Anchor(0, 0)), TrackClock(RATE, Anchor(0, 60_000))
    first = SenderReport(1_000_000, 0)
    senders.learn(1, first, audio)
    assert senders.skew_us(1, first, audio) is None
    assert senders.skew_us(2, SenderReport(1_000_000, 0), video) == -60_000
    assert video.anchor == Anchor(0, 60_000)
    assert senders.put(2, SenderReport(2_000_000, RATE)) == Anchor(RATE, 1_000_000, aligned=True)
    senders.forget(1)
    assert senders.put(2, first) is None
