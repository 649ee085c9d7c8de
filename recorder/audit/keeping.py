"""The longest this recorder ever promised to keep, on its disk: what shredding waits for, whatever is set later.

KEEP-3  A promise only grows here, too, where no store with locks remembers it: keys are destroyed after the longest retention
        that any start of this recorder promised. A file that cannot be read promises for ever, until somebody looks at it.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from recorder.log.site_log import replace
from recorder.store.retention import Retention

log = logging.getLogger(__name__)


class Keeping:
    """DATA/custody/promised.json. One owner."""

    def __init__(self, path: Path, now: Retention | None) -> None:
        """`now`: what the settings promise; None if they promise nothing. Blocks. Raises `OSError`."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._longest: Retention | None = None
        self._says = now is not None
        try:
            before = msgspec.json.decode(path.read_bytes(), type=Retention)
        except FileNotFoundError:
            before = None
        except msgspec.DecodeError:
            log.error("promise damaged", extra={"path": path.name})
            return
        if now is not None and before is not None:
            now = Retention(*(max(*both) for both in zip(_days(now), _days(before), strict=True)))
        self._longest = now or before
        if self._longest is not None and self._longest != before:
            replace(path, msgspec.json.encode(self._longest))

    def longest(self) -> Retention | None:
        """What was promised at most; None where no setting says how long, and nothing may be destroyed."""
        return self._longest if self._says else None


def _days(one: Retention) -> tuple[int, int]:
    return one.media_days, one.evidence_days
