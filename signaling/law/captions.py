"""What is being said, in writing: as a recogniser of the hospital's own heard it, passed on at once and kept nowhere.

CAPTION-1  A caption is a machine's guess: it goes to who is in the live visit, and into no storage, log or evidence.
CAPTION-2  Of one visit 20 a second are passed on, 40 at once; more are refused. Nothing waits: what a socket has no room
           for hangs that socket up, as any event would.
"""

from __future__ import annotations

from typing import Any

import msgspec

from signaling.law.facts import Seat

PER_S = 20.0
AT_ONCE = 40.0


class Caption(msgspec.Struct, frozen=True):
    """A line as it is so far: the same `line` of the same `seat` again takes its place, until one is `final`."""

    seat: Seat
    line: str
    text: str
    final: bool
    language: str | None = None

    def event(self) -> dict[str, Any]:
        """`caption`, PROTOCOL.md §4."""
        return {"v": 1, **msgspec.to_builtins(self)}
