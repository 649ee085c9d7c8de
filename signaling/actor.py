"""One actor a visit. (Skeleton.)"""

from __future__ import annotations

from signaling.ports import VisitFacts


class VisitActor:
    """Performs what `visit` says."""

    facts: VisitFacts
