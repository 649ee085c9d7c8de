"""What every running visit of this process has in common: where it reaches beyond itself, and how visits are held here."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.law.facts import Slot
from signaling.law.promise import Limits
from signaling.live.workers import MediaWorkers, RecorderLink
from signaling.ports import Clock, MessageStore, Pseudonyms, VisitStore


@dataclass(frozen=True, slots=True)
class Doors:
    """A visit's doors out."""

    store: VisitStore
    messages: MessageStore
    media: MediaWorkers
    recorder: RecorderLink
    pseudonyms: Pseudonyms
    clock: Clock


@dataclass(frozen=True, slots=True)
class Practice:
    """How visits are held here: `slot` is the prescribing page, if there is one; `camera_codec` what pages are to send."""

    limits: Limits
    slot: Slot | None = None
    camera_codec: str = "VP8"
