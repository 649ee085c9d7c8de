"""How long the main threads of a browser's pages waited for a core: what of a long task is work, and what is the machine's.

`/proc/<pid>/schedstat` counts nanoseconds on a core, and nanoseconds ready to run without one (Linux,
Documentation/scheduler/sched-stats.rst). What is left of a task's wall time was spent blocked: by a lock, a file, another
process.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import time
from pathlib import Path

EVERY_S = 0.005
PROC = Path("/proc")


def renderers(browser: int) -> list[int]:
    """The processes that draw this browser's pages; a renderer's main thread has its number."""
    parents: dict[int, int] = {}
    drawing: list[int] = []
    for each in PROC.iterdir():
        if not each.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(each.name)
            parents[pid] = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            if b"--type=renderer" in (each / "cmdline").read_bytes():
                drawing.append(pid)
    return [pid for pid in drawing if browser in _ancestors(pid, parents)]


def _ancestors(pid: int, parents: dict[int, int]) -> set[int]:
    found: set[int] = set()
    while (pid := parents.get(pid, 0)) > 1:
        found.add(pid)
    return found


class Waits:
    """Samples of some threads' waiting, 200 a second, until its task is cancelled."""

    def __init__(self, pids: list[int]) -> None:
        self._at: list[float] = []
        self._waited: dict[int, list[int]] = {pid: [] for pid in pids}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look(time.monotonic())
            await asyncio.sleep(EVERY_S)

    def look(self, now: float) -> None:
        """One sample of each thread; one that ended keeps its last figure."""
        self._at.append(now)
        for pid, waited in self._waited.items():
            try:
                waited.append(int((PROC / str(pid) / "schedstat").read_text().split()[1]))
            except (OSError, IndexError):
                waited.append(waited[-1] if waited else 0)

    def between_ms(self, pid: int, begins: float, ends: float) -> float | None:
        """How long this thread waited between the samples around these moments (`time.monotonic`); None if nobody looked."""
        waited = self._waited.get(pid)
        first, last = bisect.bisect_right(self._at, begins) - 1, bisect.bisect_left(self._at, ends)
        if waited is None or first < 0 or last >= len(waited):
            return None
        return (waited[last] - waited[first]) / 1e6
