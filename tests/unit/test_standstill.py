"""How long a picture stands still for its keyframes."""

from __future__ import annotations

import random

from media.forwarding.standstill import PAUSE_S, Standstill

FRAME_S = 0.04


def film(stops_s: tuple[float, ...], frame_s: float = FRAME_S, every: int = 50) -> Standstill:
    """Keyframes behind which the next frame comes so much later than it would."""
    still, now = Standstill(), 0.0
    for stop_s in stops_s:
        for _ in range(every):
            still.frame(now := now + frame_s)
        still.keyframe()
        still.frame(now := now + frame_s + stop_s)
    return still


def test_keyframes_that_come_between_two_frames_are_cheap() -> None:
    assert not Standstill().dear
    assert not film((0.0, 0.02, 0.03)).dear


def test_keyframes_that_hold_up_what_is_behind_them_are_dear() -> None:
    assert film((0.2, 0.25)).dear


def test_one_that_was_held_up_may_have_been_a_senders_that_had_no_processor() -> None:
    assert not film((0.02, 0.6)).dear
    assert not film((0.6, 0.02)).dear


def test_a_way_that_has_become_wide_is_found_out_by_the_next_keyframe() -> None:
    assert film((0.2, 0.3)).dear
    assert not film((0.2, 0.3, 0.02)).dear


def test_a_still_screen_that_is_sent_once_a_second_is_no_thin_uplink() -> None:
    assert not film((0.0, 0.0), frame_s=1.0).dear


def test_a_camera_that_was_off_is_not_slow() -> None:
    still = film((0.2,))
    still.frame(PAUSE_S + 100)
    still.frame(PAUSE_S + 100 + FRAME_S)
    still.keyframe()
    still.frame(PAUSE_S + 100 + 2 * FRAME_S + 0.2)
    assert still.dear, "what is usual is still what it was"


def test_a_starved_senders_keyframes_are_seldom_dear() -> None:
    luck, still, now, dear = random.Random(1), Standstill(), 0.0, 0
    for keyframe in range(1000):
        for _ in range(50):
            still.frame(now := now + FRAME_S + (0.3 if luck.random() < 0.08 else 0.0))
        still.keyframe()
        still.frame(now := now + FRAME_S + (0.3 if luck.random() < 0.08 else 0.0))
        dear += keyframe > 0 and still.dear
    assert dear < 15, "0.08 twice in a row"


def test_it_takes_the_next_frame_even_if_nothing_was_before() -> None:
    still = Standstill()
    still.keyframe()
    still.frame(1.0)
    still.frame(1.5)
    assert not still.dear
