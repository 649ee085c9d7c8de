"""What a stream gives out, in the order in which it must be made durable: bytes of objects, and records."""

from __future__ import annotations

from typing import NamedTuple

from recorder.evidence import records


class Write(NamedTuple):
    """Append these bytes to an object; `whole` if the object is complete with them, `gone` if it is not needed any more."""

    name: str
    content: bytes
    whole: bool = False
    gone: bool = False


class Said(NamedTuple):
    """A record to append to the visit's log."""

    kind: str
    body: records.DataKey | records.Part | records.Segment | records.Gap | records.Sync | records.Event


Output = Write | Said
