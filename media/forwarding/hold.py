"""How long a viewer should hold a picture back, so that repairs on its sender's way come in time. Pure.

A viewer's browser sees only the way from us: what was lost before us and came again a round trip later stops its picture. The
server sees both, and tells with the packets (CONS-6) before the picture has stopped.

HOLD-1  Long enough for all but a twentieth of the repairs of the last `WINDOW_S`, at most `MOST_S`, nothing while there are
        none.
HOLD-2  It grows at once and by at least `STEP_S`, and shrinks only after `CALM_S` without need of it, `BACK_S` at a time:
        each change makes what is seen a little faster or slower.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 8.0
FEWEST, MOST = 4, 128
"""Repairs that make a rule, and how many of the newest are looked at."""
MOST_S = 0.5
"""Beyond, people talk over each other (ITU-T G.114)."""
FLOOR_S, STEP_S = 0.08, 0.03
CALM_S, BACK_S = 10.0, 0.1
_PART = 0.95


class Hold:
    """One track's, whichever of its encodings is seen. Times in seconds of one clock."""

    __slots__ = ("_late", "_since", "s")

    def __init__(self) -> None:
        self.s = 0.0
        self._late: deque[tuple[float, float]] = deque(maxlen=MOST)
        self._since = 0.0

    def hear(self, late_s: float, now: float) -> None:
        """A repair came so much later than its packet would have."""
        self._late.append((now, late_s))

    def settle(self, now: float) -> float:
        """What to hold back from now on; to be called a few times a second."""
        while self._late and now - self._late[0][0] > WINDOW_S:
            self._late.popleft()
        wanted = self._wanted()
        if wanted >= self.s + STEP_S or (wanted > self.s and wanted == MOST_S):
            self.s, self._since = wanted, now
        elif wanted > self.s - STEP_S:
            self._since = now
        elif now - self._since > CALM_S:
            self.s, self._since = max(wanted, round(self.s - BACK_S, 3)), now
        return self.s

    def _wanted(self) -> float:
        if len(self._late) < FEWEST:
            return 0.0
        late = sorted(late for _, late in self._late)
        return min(MOST_S, max(FLOOR_S, late[int(len(late) * _PART)]))
