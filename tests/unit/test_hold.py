"""How long a picture is held back for repairs on its sender's way."""

from __future__ import annotations

from media.forwarding.hold import BACK_S, CALM_S, MOST_S, WINDOW_S, Hold


def repaired(hold: Hold, *late_s: float, at: float = 0.0) -> float:
    for late in late_s:
        hold.hear(late, at)
    return hold.settle(at)


def test_who_needs_no_repairs_is_held_back_by_nothing() -> None:
    assert repaired(Hold()) == 0.0
    assert repaired(Hold(), 0.2, 0.2) == 0.0, "two are no rule"


def test_it_is_long_enough_for_nearly_all_repairs_and_never_endless() -> None:
    assert repaired(Hold(), *[0.1] * 90, *[0.25] * 9, 0.6) == 0.25
    assert repaired(Hold(), *[2.0] * 9) == MOST_S


def test_it_grows_at_once_and_shrinks_slowly() -> None:
    hold = Hold()
    assert repaired(hold, *[0.3] * 8) == 0.3
    assert repaired(hold, *[0.4] * 8, at=1.0) == 0.4
    assert repaired(hold, *[0.41] * 8, at=2.0) == 0.4, "a little more is no reason to change it"
    for second in range(3, int(2 + WINDOW_S)):
        assert hold.settle(second) == 0.4
    later = 2.0 + WINDOW_S + CALM_S + 1
    assert hold.settle(later) == round(0.4 - BACK_S, 3)
    assert hold.settle(later + 1) == round(0.4 - BACK_S, 3)
    for n in range(1, 8):
        hold.settle(later + n * (CALM_S + 1))
    assert hold.s == 0.0
