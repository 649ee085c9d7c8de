"""Runs of the weak-network bench, made at different times, become one table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.bench import weak_network, weak_plot, weak_results, weak_table
from tests.bench.weak_results import Unjoinable
from tests.lab.links import LINKS

FIGURES = ("fps", "freeze", "concealed", "delay_ms", "height", "video_kbps", "first_s", "screen_fps", "used")


def made(*runs: tuple[str, str, int, float]) -> dict[str, Any]:
    """A result of runs: link, way, seed, frames a second."""
    result = weak_results.empty(480, 4)
    for name, way, seed, fps in runs:
        link = LINKS[name]
        about = {"words": link.words, "goal": asdict(link.goal), "uplink_too": link.uplink_too}
        seen = dict.fromkeys(FIGURES, 0.5) | {"fps": fps}
        run = {"seed": seed, "seconds": 12.0, "down": seen, "up": seen, "machine": {"cpu": 0.4}}
        weak_results.add(result, name, about, way, run | {"wire": {"late_p99_ms": 1.0}})
    return result


def test_runs_made_apart_are_one_table_with_their_medians_and_ranges() -> None:
    morning = made(("500k", "ours", 1, 20.0), ("500k", "ours", 2, 24.0))
    evening = made(("500k", "ours", 3, 25.0), ("500k", "direct", 1, 10.0), ("clear", "ours", 1, 25.0))
    whole = weak_results.joined([morning, evening, morning])
    assert [run["seed"] for run in whole["links"]["500k"]["ways"]["ours"]["runs"]] == [1, 2, 3]
    assert whole["links"]["500k"]["ways"]["ours"]["median"]["down"]["fps"] == [24.0, 20.0, 25.0]
    table = weak_table.text(whole)
    assert "24.0 [20.0–25.0]" in table
    assert "1 to 3 runs of 12 s" in table


def test_two_different_runs_of_one_name_are_not_chosen_from() -> None:
    with pytest.raises(Unjoinable, match="500k ours, seed 1"):
        weak_results.joined([made(("500k", "ours", 1, 20.0)), made(("500k", "ours", 1, 24.0))])


def test_a_bench_that_was_stopped_goes_on_with_what_is_missing_link_after_link() -> None:
    held = made(("500k", "ours", 1, 20.0), ("300k-down-share", "ours", 1, 20.0))
    asked = weak_network.Asked(("500k", "300k-down-share"), ("ours", "direct"), runs=2)
    left = [(link.name, way, seed) for link, way, seed in weak_network.missing(held, asked, asked.ways)]
    assert left == [
        ("500k", "direct", 1),
        ("500k", "ours", 2),
        ("500k", "direct", 2),
        ("300k-down-share", "ours", 2),
    ]


def test_what_is_written_is_read_again_and_every_link_and_way_is_drawn(tmp_path: Path) -> None:
    held = made(("500k", "ours", 1, 12.0), ("500k", "janus", 1, 3.0), ("steps", "ours", 1, 25.0))
    path = tmp_path / "new" / "runs.json"
    weak_results.write(held, path)
    drawn = weak_plot.page(weak_results.read(path))
    for words in ("500k", "Janus VideoRoom", "steps: share of the link used", ">12.0<", ">3.0<"):
        assert words in drawn
    assert weak_plot.MISSED in drawn, "12 frames a second is less than the goal"
    assert "two browsers" not in drawn
