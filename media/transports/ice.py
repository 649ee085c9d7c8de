"""An ICE-lite agent (RFC 8445 §2.5): it answers checks and remembers which addresses passed one.

One `IceLite` belongs to one transport. It is pure: a datagram and the path it came by go in, an `Answer` comes out.

ICE-1  An address is validated only by a binding request with our fragment and a right MESSAGE-INTEGRITY.
ICE-2  Where we send moves only with an authenticated check that carries USE-CANDIDATE; the first address validated with the
       credentials in force is used until then. No other check moves anything.
ICE-3  After a restart the old credentials, and the address in use, work until a check with the new ones has passed. That
       first one moves us at once: who restarts has mostly lost the old way, and nomination would take another round trip.
ICE-4  At most `MAX_PATHS` addresses are remembered; the oldest that is not in use gives way.
ICE-5  A check is good for the address it was first seen from: somebody on the way who repeats it from elsewhere (ICE has no
       nonce) gains nothing. The last `REMEMBERED` transactions are known.

Role conflicts are ignored: a lite agent is always controlled (RFC 8445 §6.1.1).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Generic, TypeVar

from media.plane import IceCredentials
from media.transports import stun

MAX_PATHS = 16
REMEMBERED = 64

PathT = TypeVar("PathT")
"""Whatever the plane names a 5-tuple by: hashable, comparable."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[PathT]):
    """What a check led to: `reply` goes back by the path it came; `forgotten` is a path that gave way (ICE-4)."""

    reply: bytes
    accepted: bool
    moved: bool = False
    forgotten: PathT | None = None
    retired: str | None = None
    """A fragment of ours that is no longer answered (ICE-3)."""


class _Side:
    __slots__ = ("credentials", "key", "prefix")

    def __init__(self, local: IceCredentials) -> None:
        self.credentials = local
        self.key = stun.ShortTermKey(local.pwd)
        self.prefix = local.ufrag + ":"


class IceLite(Generic[PathT]):
    """See the module's rules."""

    def __init__(self, local: IceCredentials) -> None:
        """`local` are the credentials of our answer."""
        self._side = _Side(local)
        self._old: _Side | None = None
        self.paths: dict[PathT, None] = {}
        """Validated, oldest first."""
        self.selected: PathT | None = None
        self._transactions: dict[bytes, PathT] = {}

    @property
    def fragments(self) -> list[str]:
        """Our username fragments that are answered now."""
        return [side.credentials.ufrag for side in (self._side, self._old) if side is not None]

    def restart(self, local: IceCredentials) -> str | None:
        """Take new credentials; returns a fragment that is answered no longer, if there is one."""
        retired = self._old.credentials.ufrag if self._old is not None else None
        self._old, self._side = self._side, _Side(local)
        return retired

    def check(self, datagram: bytes, message: stun.Message, path: PathT, source: tuple[bytes, int]) -> Answer[PathT]:
        """Answer a binding request whose username names one of our fragments. `source` is (packed IP, port)."""
        side = self._side_of(message.username or "")
        if side is None or not stun.is_authentic(datagram, message, side.key):
            status = 401 if message.integrity_at else 400  # RFC 8489 §9.1.3
            return Answer(stun.binding_error(message.transaction, status, None), accepted=False)
        if message.unknown:
            return Answer(stun.binding_error(message.transaction, 420, side.key, message.unknown), accepted=False)
        if self._is_repeated(message.transaction, path):  # ICE-5
            return Answer(stun.binding_error(message.transaction, 400, side.key), accepted=False)
        reply = stun.binding_success(message.transaction, source, side.key)
        forgotten = self._validate(path)
        renewed = side is self._side and self._old is not None  # ICE-3
        moved = self.selected != path and (self.selected is None or renewed or message.use_candidate)  # ICE-2
        if moved:
            self.selected = path
        retired = None
        if renewed and self._old is not None:
            retired, self._old = self._old.credentials.ufrag, None
        return Answer(reply, accepted=True, moved=moved, forgotten=forgotten, retired=retired)

    def lose(self, path: PathT) -> None:
        """A path that can carry nothing any more (a closed connection); the newest of the others takes its place."""
        self.paths.pop(path, None)
        if self.selected == path:
            self.selected = next(reversed(self.paths), None)

    def _side_of(self, username: str) -> _Side | None:
        if username.startswith(self._side.prefix):
            return self._side
        if self._old is not None and username.startswith(self._old.prefix):
            return self._old
        return None

    def _is_repeated(self, transaction: bytes, path: PathT) -> bool:
        first = self._transactions.setdefault(transaction, path)
        if len(self._transactions) > REMEMBERED:
            del self._transactions[next(iter(self._transactions))]
        return first != path

    def _validate(self, path: PathT) -> PathT | None:
        if path in self.paths:
            return None
        self.paths[path] = None
        if len(self.paths) <= MAX_PATHS:
            return None
        oldest = next(known for known in self.paths if known != self.selected)  # ICE-4
        del self.paths[oldest]
        return oldest


def packed(host: str) -> bytes:
    """An address as a socket gives it (perhaps with an IPv6 zone) as 4 or 16 bytes."""
    return ipaddress.ip_address(host.partition("%")[0]).packed
