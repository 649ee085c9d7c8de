"""The smallest story of each fault that the simulator found, by the fault."""

from __future__ import annotations

from tests.stories.judge import faults
from tests.stories.stage import perform
from tests.stories.steps import (
    Agree,
    Crash,
    Device,
    DiskFails,
    Jump,
    Publish,
    Step,
    Story,
    TapBreaks,
    Weather,
    Withdraw,
)


def _faults(seed: int, end_ms: int, *steps: Step) -> list[str]:
    """`seed`: of what the senders send."""
    return faults(perform(Story(seed, end_ms, sealed=False, tidy=False, steps=steps)))


def test_a_part_that_begins_with_a_jump_waiting_behind_its_first_frame_begins_where_that_stands() -> None:
    mic = Publish(0, "guest-1", "microphone", "opus")
    jump = Jump(480, "guest-1", "microphone", -3_600_000)
    assert _faults(103, 581, Agree(0, "guest-1"), mic, Crash(40, 1200, torn=True), jump) == []


def test_a_picture_whose_timestamps_go_back_is_written_in_the_order_in_which_it_was_sent() -> None:
    camera = Publish(100, "doctor", "camera", "VP9")
    assert _faults(38, 2219, Agree(0, "doctor"), camera, Jump(2040, "doctor", "camera", -1809)) == []


def test_a_sound_whose_timestamps_go_back_is_written_in_the_order_in_which_it_was_sent() -> None:
    mic = Publish(20, "doctor", "microphone", "opus")
    assert _faults(77, 935, Agree(0, "doctor"), mic, Jump(780, "doctor", "microphone", -763)) == []


def test_what_was_written_of_a_microphone_that_was_replaced_is_not_written_again_after_a_crash() -> None:
    steps = (
        Agree(0, "doctor"),
        Publish(20, "doctor", "microphone", "opus"),
        Publish(360, "patient", "camera", "VP8"),
        Agree(1240, "patient"),
        Publish(1640, "doctor", "microphone", "opus"),
        Crash(2660, 20, torn=True),
    )
    assert _faults(289, 2679, *steps) == []


def test_a_screen_that_began_before_a_crash_and_was_not_written_is_written_where_it_was() -> None:
    screen = Publish(100, "patient", "screen", "VP8")
    assert _faults(37, 1296, Agree(0, "patient"), screen, Crash(1160, 20, torn=True)) == []
    assert _faults(0, 3658, Agree(0, "patient"), screen, Crash(1240, 3620, torn=True)) == []


def test_a_sound_that_waits_for_a_keyframe_when_the_visit_ends_is_told_as_not_kept() -> None:
    camera, mic = Publish(0, "patient", "camera", "VP9"), Publish(11_160, "patient", "microphone", "opus", overlap=True)
    assert _faults(216, 11_400, Agree(0, "patient"), camera, mic) == []


def test_a_hole_is_not_given_up_while_the_worker_that_may_fill_it_is_not_heard() -> None:
    rain = Weather(0, "patient", loss=0.2, burst=3, repairs=1.0, repair_ms=450)
    mic = Publish(740, "patient", "microphone", "opus")
    assert _faults(216, 6200, Agree(0, "patient"), rain, mic, TapBreaks(5540, 2860)) == []


def test_a_segment_that_stands_after_its_seat_withdrew_is_not_kept() -> None:
    camera, jump = Publish(100, "doctor", "camera", "VP9"), Jump(13_600, "doctor", "camera", 1938)
    assert _faults(1163, 15_400, Agree(0, "doctor"), camera, jump, Withdraw(15_280, "doctor", untapped=True)) == []
    sources = Publish(0, "patient", "microphone", "opus"), Publish(0, "patient", "screen", "VP9")
    assert _faults(1236, 2907, Agree(0, "patient"), *sources, Withdraw(2900, "patient", untapped=False)) == []


def test_a_part_that_would_be_placed_after_its_seat_withdrew_does_not_begin() -> None:
    sources = Publish(100, "patient", "microphone", "opus"), Publish(100, "patient", "camera", "VP9")
    jump, withdraw = Jump(180, "patient", "camera", 1773), Withdraw(560, "patient", untapped=True)
    assert _faults(8989, 663, Agree(0, "patient"), *sources, jump, withdraw) == []


def test_a_screen_of_which_only_the_part_was_said_begins_there_after_a_crash() -> None:
    crashes = Crash(220, 1200, torn=False), Crash(2460, 300, torn=False)
    assert _faults(1317, 2529, Agree(0, "doctor"), Publish(20, "doctor", "screen", "VP8"), *crashes) == []


def test_nothing_stands_before_its_seat_agreed_again() -> None:
    cameras = Publish(440, "patient", "camera", "H264"), Publish(9000, "patient", "camera", "VP9")
    agreed = Agree(1600, "patient"), Withdraw(3100, "patient", untapped=True), Agree(8980, "patient")
    assert _faults(4839, 9213, cameras[0], *agreed, cameras[1]) == []


def test_a_seat_that_agreed_again_just_before_a_crash_is_not_taken_for_withdrawn_afterwards() -> None:
    steps = (
        Agree(0, "doctor"),
        Withdraw(260, "doctor", untapped=False),
        Publish(320, "doctor", "camera", "H264"),
        DiskFails(1380, 2400),
        Agree(2300, "doctor"),
        Crash(5100, 600, torn=True),
        Device(10_020, "doctor", "camera", "off", quiet=True),
    )
    assert _faults(5017, 11_369, *steps) == []


def test_a_frame_of_which_a_later_packet_came_first_outlives_two_crashes() -> None:
    steps = (
        Weather(0, "patient", loss=0, burst=3, doubles=0.05, repairs=0, repair_ms=60, delay_ms=150, jitter_ms=120),
        Agree(9240, "patient"),
        Publish(9240, "patient", "camera", "VP9"),
        Publish(9340, "patient", "microphone", "opus"),
        Crash(11_220, 20, torn=False),
        Crash(12_220, 220, torn=False),
    )
    assert _faults(13298, 12_400, *steps) == []
