"""Asks the kernel to let this process run soon once a packet has come, though the machine is busy with other things.

URGENT-1  A worker runs a tenth of a millisecond at a time, many times a second: it wants short waits, and no greater share.
URGENT-2  What is not allowed or not known here is left as it is, and so is a niceness that somebody chose.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from struct import Struct

NICENESS = -5
"""Where it is allowed (root, `CAP_SYS_NICE`, `RLIMIT_NICE`); Chromium gives its own media threads -8."""
SLICE_NS = 100_000
"""The shortest there is. From Linux 6.12 on a process with a shorter slice than the one that runs goes first, once it wakes;
no permission is needed. Before, it is ignored."""
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = Struct("=IIQiIQQQ")
"""sched_setattr(2): size, policy, flags, nice, priority, runtime (for ordinary processes: the slice), deadline, period."""


def ask_for_short_waits() -> None:
    """For this process, from now on."""
    if os.getpriority(os.PRIO_PROCESS, 0) == 0:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None and os.sched_getscheduler(0) == os.SCHED_OTHER:
        niceness = os.getpriority(os.PRIO_PROCESS, 0)
        wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, niceness, 0, SLICE_NS, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, wanted, 0)
