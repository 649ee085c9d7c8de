"""How a seat's line is, in one word, from what its media worker measured. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from signaling.law.facts import Level

SLOW = {"rtt_ms": 300, "loss_up_permille": 30, "loss_down_permille": 30}
BAD = {"rtt_ms": 800, "loss_up_permille": 100, "loss_down_permille": 100}
SLOW_SOCKET_S = 0.6
GOOD_SOCKET_S = 0.4


def judge(detail: Mapping[str, int | None]) -> Level:
    """The worst of what is known."""
    for level, bounds in (("bad", BAD), ("slow", SLOW)):
        if any((detail.get(name) or 0) > most for name, most in bounds.items()):
            return level  # type: ignore[return-value]
    return "good"


def of_socket(rtt_s: float, before: Level | None) -> Level:
    """The same of a waiting patient's socket, without jumping to and fro."""
    if rtt_s > SLOW_SOCKET_S:
        return "slow"
    return "slow" if before == "slow" and rtt_s > GOOD_SOCKET_S else "good"
