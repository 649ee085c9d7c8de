"""A line in one word."""

from __future__ import annotations

import pytest

from signaling.law.quality import judge, of_socket


@pytest.mark.parametrize(
    ("detail", "word"),
    [
        ({}, "good"),
        ({"rtt_ms": 120, "loss_up_permille": 5, "loss_down_permille": None}, "good"),
        ({"rtt_ms": 301}, "slow"),
        ({"loss_up_permille": 31}, "slow"),
        ({"rtt_ms": 20, "loss_down_permille": 101}, "bad"),
    ],
)
def test_the_worst_figure_speaks(detail: dict[str, int | None], word: str) -> None:
    assert judge(detail) == word


def test_a_socket_does_not_jump_to_and_fro() -> None:
    said, now = [], None
    for rtt_s in (0.1, 0.5, 0.7, 0.5, 0.3):
        now = of_socket(rtt_s, now)
        said.append(now)
    assert said == ["good", "good", "slow", "slow", "good"]
