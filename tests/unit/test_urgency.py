"""What a worker asks of the kernel's scheduler."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = "from media.sockets.urgency import ask_for_short_waits as ask"
ASKED = f"import os; {ASK}; {{}}; ask(); print(os.getpriority(os.PRIO_PROCESS, 0))"


def niceness(before: str) -> int:
    done = subprocess.run([sys.executable, "-c", ASKED.format(before)], capture_output=True, text=True, check=True)
    assert not done.stderr
    return int(done.stdout)


def test_a_niceness_that_somebody_chose_is_left() -> None:
    assert niceness("os.setpriority(os.PRIO_PROCESS, 0, 7)") == 7


def test_where_nothing_is_allowed_nothing_is_said() -> None:
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness("os.geteuid() or os.setuid(65534)") == usual


@pytest.mark.skipif(os.sched_getscheduler(0) != os.SCHED_OTHER, reason="only an ordinary process has a slice to choose")
def test_a_process_runs_a_tenth_of_a_millisecond_at_a_time_where_the_kernel_can() -> None:
    ask = f"{ASK}; ask(); print(open('/proc/self/sched').read())"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    told = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("se.slice")]
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    assert told in ([], ["100000"]) or release < (6, 12)
