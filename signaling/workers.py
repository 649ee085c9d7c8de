"""Links to the media workers and to the recorder: connect, greet, reconnect, and place rooms. (Skeleton.)"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class MediaWorkers:
    """The media workers this process may place rooms on, one Unix socket each."""

    def __init__(self, sockets: Sequence[Path]) -> None:
        self._sockets = tuple(sockets)


class RecorderLink:
    """The recorder behind its Unix socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
