"""The TLS certificate that pages are served under, taken up anew when its files change.

TLS-1  A renewed certificate serves the next connection, without a restart; open ones keep theirs. Files that do not fit
       together (one is written before the other) or cannot be read leave the old certificate in force, and are tried again.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

LOOK_EVERY_S = 30.0

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int], ...]


class Certificate:
    """See the module. Raises `OSError` (`ssl.SSLError` among them) when it is made of files that are none."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self._files = (certificate, key)
        self._stamp = self._stamped()
        self.context = _context(certificate, key)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> bool:
        """Take up what changed; whether something was taken up."""
        try:
            stamp = self._stamped()
            if stamp == self._stamp:
                return False
            _context(*self._files)  # a pair that does not fit would leave half of it in the one in use
            self.context.load_cert_chain(*self._files)
        except OSError as error:
            log.warning("certificate cannot be used", extra={"why": type(error).__name__})
            return False
        self._stamp = stamp
        log.info("certificate renewed")
        return True

    def _stamped(self) -> Stamp:
        found = [each.stat() for each in self._files if each is not None]
        return tuple((each.st_ino, each.st_mtime_ns) for each in found)


def _context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
