"""Stream time: one clock for all streams, from arrivals, RTP timestamps and sender reports."""

from __future__ import annotations

from recorder.tape.timeline import Anchor, SenderClock, SenderReport, TrackClock, parse_sender_report
from tests.tapping import sender_report

RATE = 90_000


def test_jitter_moves_no_frame() -> None:
    clock = TrackClock(RATE, Anchor(1000, 5_000_000))
    assert clock.place(1000 + RATE) == 6_000_000
    assert clock.place(1000 - RATE // 2) == 4_500_000


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
    assert senders.put(first) is None
    senders.hear(first, 10_000)
    assert senders.skew_us(first, audio) == 10_000
    assert senders.skew_us(SenderReport(1_000_000, 0), video) == -50_000
    assert video.anchor == Anchor(0, 60_000)
    assert senders.put(SenderReport(2_000_000, RATE)) == Anchor(RATE, 1_010_000, aligned=True)


def test_the_least_delayed_report_tells_the_senders_clock() -> None:
    senders = SenderClock()
    for second, delay_ms in enumerate((80, 30, 95, 60)):
        senders.hear(SenderReport(second * 1_000_000, 0), second * 1_000_000 + delay_ms * 1000)
    assert senders.put(SenderReport(0, 0)) == Anchor(0, 30_000, aligned=True)


def test_a_longer_way_is_no_drift_but_a_slower_clock_is() -> None:
    senders, drifting = SenderClock(), SenderClock()
    for second in range(600):
        longer = 100_000 if second >= 60 else 0
        senders.hear(SenderReport(second * 1_000_000, 0), second * 1_000_000 + longer)
        drifting.hear(SenderReport(second * 1_000_000, 0), second * 1_000_100)
    after_a_minute = senders.put(SenderReport(0, 0))
    assert after_a_minute is not None
    assert after_a_minute.at_us == 100_000, "in nine minutes it is believed"
    drifted = drifting.put(SenderReport(600_000_000, 0))
    assert drifted is not None
    assert abs(drifted.at_us - 600_060_000) < 2_000


def test_a_report_held_up_is_passed_over_and_a_clock_that_was_set_is_learnt_anew() -> None:
    senders = SenderClock()
    senders.hear(SenderReport(1_000_000, 0), 0)
    senders.hear(SenderReport(2_000_000, 0), 1_700_000)
    assert senders.put(SenderReport(2_000_000, 5)) == Anchor(5, 1_000_000, aligned=True)
    for second in range(3):
        senders.hear(SenderReport(90_000_000 + second * 1_000_000, 0), 3_000_000 + second * 1_000_000)
    assert senders.put(SenderReport(90_000_000, 5)) == Anchor(5, 3_000_000, aligned=True)
