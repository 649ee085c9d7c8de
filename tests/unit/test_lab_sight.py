"""The laboratory's arithmetic: what it says of a call must follow from what the pages noted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import stories
from tests.lab.links import LINKS, STEP_S, STEPS_BPS
from tests.lab.sight import Taken, first_after, frozen, heard_after, received

FRAME_MS = 40.0


def taken(
    samples: list[dict[str, Any]] | None = None, sent: list[Any] | None = None, seen: list[Any] | None = None
) -> Taken:
    return Taken.of({"samples": samples or [], "frames": {"sent": sent or [], "seen": seen or []}, "states": []})


def sound(at: float, total: int, concealed: int, connection: int = 0) -> dict[str, Any]:
    row = {
        "id": "a",
        "type": "inbound-rtp",
        "kind": "audio",
        "totalSamplesReceived": total,
        "concealedSamples": concealed,
    }
    return {"at": at, "connection": connection, "rows": [row]}


def smooth(begin: float, end: float) -> list[float]:
    return [begin + FRAME_MS * number for number in range(int((end - begin) / FRAME_MS))]


def test_how_many_frames_the_other_camera_made_is_told_for_a_page_without_a_core_makes_few() -> None:
    there = taken(sent=[[at, 1, 640, 480, "camera"] for at in smooth(0, 3000)])
    assert received(taken(), there, 1000, 1999)["camera_fps"] == pytest.approx(25, abs=0.1)


def test_an_even_picture_is_never_frozen() -> None:
    assert frozen(smooth(0, 10_000), 0, 10_000) == 0


def test_a_gap_counts_whole_and_a_small_one_not_at_all() -> None:
    assert frozen([*smooth(0, 4000), *smooth(5000, 10_000)], 0, 10_000) == pytest.approx(0.104, abs=0.001)
    assert frozen([*smooth(0, 4000), *smooth(4100, 10_000)], 0, 10_000) == 0


def test_a_freeze_that_has_not_ended_counts_and_no_picture_at_all_is_frozen_throughout() -> None:
    assert frozen(smooth(0, 5000), 0, 10_000) == pytest.approx(0.504, abs=0.001)
    assert frozen([], 0, 10_000) == 1


def test_the_first_after_a_moment_is_told_in_seconds() -> None:
    assert first_after([900, 2500, 2600], 1000) == 1.5
    assert first_after([900], 1000) is None


def test_counters_grow_on_when_a_connection_replaces_another() -> None:
    here = taken([sound(0, 1000, 100), sound(100, 2000, 100), sound(200, 500, 250, connection=1)])
    assert here.growth("totalSamplesReceived", 0, 300, kind="audio") == 1500
    assert received(here, taken(), 0, 300)["concealed"] == pytest.approx(250 / 1500, abs=1e-4)


def test_sound_is_back_when_most_of_a_tenth_of_a_second_is_real() -> None:
    here = taken([sound(0, 0, 0), sound(100, 4800, 4800), sound(200, 9600, 6000), sound(300, 14_400, 6100)])
    assert heard_after(here, 0) == 0.2
    assert heard_after(here, 250) is None


def test_delay_is_from_the_last_time_that_number_was_before_the_camera() -> None:
    sent: list[list[Any]] = [[at, number % 300, 640, 480, "camera"] for number, at in enumerate(smooth(0, 24_000))]
    seen = [[at + 65, number, 640, 480, "x"] for at, number, *_ in sent]
    figures = received(taken(seen=seen), taken(sent=sent), 14_000, 24_000)
    assert figures["delay_ms"] == figures["delay_p95_ms"] == 65
    assert figures["fps"] == pytest.approx(25, abs=0.2)


def test_a_track_without_stamps_is_the_screen() -> None:
    seen = [[at, 3 if at < 500 else None, 640, 480, "face"] for at in smooth(0, 1000)]
    seen += [[at, None, 1280, 720, "desk"] for at in smooth(0, 400)]
    figures = received(taken(seen=seen), taken(), 0, 1000)
    assert (figures["fps"], figures["screen_fps"]) == (25, 10)


def test_steps_tell_what_was_used_and_how_soon_it_went_down_and_came_back() -> None:
    """A sender that uses 80 % of every step, 1 s late."""
    rows, octets = [], 0.0
    for tick in range(int(10 * STEP_S * len(STEPS_BPS))):
        second = tick / 10
        step = int(max(0.0, second - 1) // STEP_S)
        rows.append([second, octets, octets, 0.0, octets, octets, 0.0])
        octets += 0.85 * STEPS_BPS[step] / 8 / 10
    figures = stories.rates(LINKS["steps"], rows, "down")
    assert figures["used_1"] == pytest.approx(0.85, abs=0.01)
    assert figures["down_s"] == pytest.approx(1.0, abs=0.15)
    assert figures["back_s"] == pytest.approx(1.0, abs=0.5)
    assert "used_of_source" not in figures


def test_a_source_of_less_than_the_link_is_told_beside_the_raw_share() -> None:
    """Half of every link is used, by a source of 1 Mbit/s."""
    rows, source, octets = [], [], 0.0
    for tick in range(int(10 * STEP_S * len(STEPS_BPS))):
        second = tick / 10
        rows.append([second, octets, octets, 0.0, octets, octets, 0.0])
        source.append([second, second * 1e6 / 8, second * 1e6 / 8, 0.0, 0.0, 0.0, 0.0])
        octets += 0.5 * STEPS_BPS[min(int(second // STEP_S), 3)] / 8 / 10
    figures = stories.rates(LINKS["steps"], rows, "down", source)
    assert figures["used"] == pytest.approx(0.5, abs=0.01)
    assert figures["used_of_source"] == pytest.approx(0.5 * 5.1 / 3.6, abs=0.01)


def test_a_blackout_is_counted_from_its_end() -> None:
    link = LINKS["blackout4"]
    seen = [[at, 1, 640, 480, "x"] for at in (*smooth(0, 3000), *smooth(7600, 12_000))]
    samples = [sound(at * 100.0, at * 4800, 4800 * min(max(at - 30, 0), 43)) for at in range(120)]
    figures = stories.told(link, taken(samples, seen=seen), 0, 15_000, None)
    assert figures["picture_back_s"] == 0.6
    assert figures["sound_back_s"] == pytest.approx(0.4, abs=0.11)
