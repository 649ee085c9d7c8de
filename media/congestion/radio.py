"""How much a path loses whatever is sent, in three steps that do not flutter. Pure.

RADIO-1  A step is entered at `ENTERED` of loss and left below `LEFT`, and after `KEPT_S` at the soonest: losses come in
         bursts, and every change of step is a change of the picture's size.
"""

from __future__ import annotations

ENTERED, LEFT = (0.06, 0.2), (0.035, 0.14)
"""Fractions 0–1, for the first and the second step."""
KEPT_S = 6.0


class Radio:
    """One path's. Times in seconds of one clock."""

    __slots__ = ("_held_at", "step")

    def __init__(self) -> None:
        self.step = 0
        """0: little is lost, 1: now and then, 2: much."""
        self._held_at = float("-inf")

    def hear(self, loss: float, now: float) -> int:
        """What is lost over some seconds; to be called a few times a second. The step."""
        while self.step < len(ENTERED) and loss >= ENTERED[self.step]:
            self.step += 1
        if self.step and loss >= LEFT[self.step - 1]:
            self._held_at = now
        elif self.step and now - self._held_at > KEPT_S:
            self.step -= 1
            self._held_at = now
        return self.step
