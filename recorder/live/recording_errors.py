"""What a recording refuses.

```
RecordingError
├── VisitClosed
├── ConsentMissing
└── SpoolFailed
```
"""

from __future__ import annotations


class RecordingError(Exception):
    """A request that cannot be carried out; `code` is what the asker is told."""

    code = "recording_error"


class VisitClosed(RecordingError):
    """The visit's log is complete."""

    code = "visit_closed"


class ConsentMissing(RecordingError):
    """REC-3: the log does not hold the consent of every seat named."""

    code = "consent_missing"


class SpoolFailed(RecordingError):
    """The disk did not take the record."""

    code = "spool_failed"

    def __init__(self, text: str, full: bool = False) -> None:
        """`full`: because there is no space."""
        super().__init__(text)
        self.full = full
