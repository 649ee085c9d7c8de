"""The running visits of this process. (Skeleton.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from signaling.ports import Clock, Pseudonyms, VisitFacts, VisitStore
from signaling.workers import MediaWorkers, RecorderLink

if TYPE_CHECKING:
    from signaling.actor import VisitActor


class VisitRegistry:
    """Implements `ports.Visits`; `start` and `stop` also start and stop the links to workers and recorder."""

    def __init__(
        self, store: VisitStore, media: MediaWorkers, recorder: RecorderLink, pseudonyms: Pseudonyms, clock: Clock
    ) -> None:
        self._store = store

    async def start(self) -> None:
        """Connect, and take up every visit that was open when this process last stopped."""

    async def stop(self) -> None:
        """Tell every socket that the server stops, and end every actor in order. Live visits are not ended."""

    async def get(self, visit: str) -> VisitActor | None:
        """The actor of a visit, made from its stored facts if it is not running; None if the visit is unknown."""
        return None

    def created(self, facts: VisitFacts) -> None:
        """A visit was created by the HTTP API (and is stored)."""

    async def end(self, visit: str, reason: Literal["completed", "cancelled"]) -> VisitFacts:
        """End a visit for the hospital. Raises `KeyError` if unknown; ending an ended visit returns it unchanged."""
        raise KeyError(visit)
