"""When a part that died is started again.

RESTART-1  The first restart comes after 0.1 s; each further death doubles the wait, to 5 s at most.
RESTART-2  A part that lived 10 s is taken to be sound again: its next death counts as the first.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 0.1
MOST_S = 5.0
SOUND_AFTER_S = 10.0


@dataclass(slots=True)
class Restarts:
    """One part's deaths. Pure: told how long each life was, it says how long to wait."""

    deaths: int = 0
    """In a row, none of which followed a sound life."""

    def died(self, lived_s: float) -> float:
        """Seconds to wait before the next start."""
        if lived_s >= SOUND_AFTER_S:  # RESTART-2
            self.deaths = 0
        self.deaths += 1
        return float(min(FIRST_S * 2 ** min(self.deaths - 1, 16), MOST_S))
