"""A visit that is closed, until others have said what they have to say of its end: the log's proof, the last stamp.

LEAVING-1  A proof and a stamp of the end are made once: what an earlier life of the recorder kept stays these bytes.
LEAVING-2  A visit is let go when both are kept, or will never be; nobody waits for an evidence service elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial

from recorder.evidence import layout
from recorder.live.recording import Recording
from recorder.log.anchors import Anchors
from recorder.log.day_book import DayBook
from recorder.log.notary import Notary
from recorder.log.stamping import Stamp

log = logging.getLogger(__name__)


class Leaving:
    """One visit's."""

    def __init__(
        self,
        recording: Recording,
        notary: Notary | None,
        anchors: Anchors | None,
        days: DayBook | None,
        later: Callable[[Coroutine[None, None, None]], None],
        gone: Callable[[], None],
    ) -> None:
        """`later` does something beside everything else; `gone` hears that nobody has anything left to say."""
        self._recording = recording
        self._notary = notary
        self._anchors = anchors
        self._days = days
        self._later = later
        self._gone = gone
        self._waiting = {layout.PROOF, layout.CLOSE_STAMP}

    def begin(self) -> None:
        """Ask for what is not there yet."""
        notary, recording = self._notary, self._recording
        if notary is None:
            self._gone()
            return
        kept = {name: recording.journal.kept(name) for name in (layout.PROOF, layout.CLOSE_STAMP)}
        for name, content in kept.items():
            if content is not None:  # LEAVING-1
                self._told(name, content)
        visit, size = recording.visit, recording.journal.size
        if kept[layout.PROOF] is None:  # NOTARY-2
            notary.prove(visit, size, recording.witnesses, partial(self._told, layout.PROOF))
            if self._anchors is not None:
                self._later(self._anchor(self._anchors))
        if kept[layout.CLOSE_STAMP] is None:
            notary.stamp_end(visit, size, self._stamped)

    def _stamped(self, stamp: Stamp | None) -> None:
        self._told(layout.CLOSE_STAMP, stamp.content if stamp is not None else None)

    def _told(self, name: str, content: bytes | None) -> None:
        self._later(self._keep(name, content))

    async def _keep(self, name: str, content: bytes | None) -> None:
        recording = self._recording
        try:
            if content is not None:
                await recording.keep(name, content)
        except OSError as error:  # the recording is whole without it, and must not fill the disk for ever
            log.error("not kept", extra={"visit": recording.visit, "object": name, "errno": error.errno})
        self._waiting.discard(name)
        if not self._waiting and self._notary is not None:  # LEAVING-2
            self._notary.forget(recording.visit)
            self._gone()

    async def _anchor(self, anchors: Anchors) -> None:
        recording = self._recording
        for service, reference in await anchors.deposit(recording.journal.last_hash):
            if self._days is not None:
                await asyncio.to_thread(self._days.anchored, recording.visit, service, reference)
