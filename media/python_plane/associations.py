"""Who is there: transports from the first check to silence, their fragments and addresses, and their DTLS associations.

What a transport publishes and gets is none of it; the plane is told when one has keys and when one ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from media.plane import IceCredentials, TransportMoved, TransportState
from media.python_plane.forwarder import Forwarder
from media.transports import stun
from media.transports.dtls import Certificate, DtlsEndpoint
from media.transports.ice import packed
from media.transports.srtp import SrtpSession
from media.transports.transport import Address, Path, Transport, Way

SILENT_S = 4.0
"""With the tick and signaling it is shown within 5 s; checks come every 2.5 s at the slowest."""
GONE_S = 30.0
_ERRORS_A_SECOND = 5
_MAX_ERROR_SOURCES = 1024


class Owner(Protocol):
    """Who has the tracks and subscriptions of transports."""

    def connected(self, transport: Transport) -> None:
        """It has its keys."""
        ...

    def rerouted(self, transport: Transport) -> None:
        """Its client has found another way (PLANE-6)."""
        ...

    def ending(self, transport: Transport) -> None:
        """Let go of what it publishes and gets (PLANE-3)."""
        ...


class Associations:
    """Every transport of a plane."""

    def __init__(
        self,
        clock: Callable[[], float],
        forwarder: Forwarder,
        owner: Owner,
    ) -> None:
        """`owner` hears what happens to transports."""
        self.certificate = Certificate()
        self.transports: dict[str, Transport] = {}
        self.by_fragment: dict[str, Transport] = {}
        self.shaking: set[Transport] = set()
        """Those whose handshake may need another flight."""
        self._clock = clock
        self._forwarder = forwarder
        self._cell = forwarder.cell
        self._owner = owner
        self._errors: dict[str, int] = {}

    def open(self, transport: Transport) -> None:
        """Expect its client."""
        spec = transport.spec
        assert spec.key not in self.transports, "a key names one transport"
        assert spec.local.ufrag not in self.by_fragment, "a fragment names one transport"
        self.transports[spec.key] = transport
        self.by_fragment[spec.local.ufrag] = transport

    def restart_ice(self, transport: Transport, local: IceCredentials) -> None:
        """New credentials on the same DTLS association."""
        retired = transport.ice.restart(local)
        if retired is not None:
            self.by_fragment.pop(retired, None)
        self.by_fragment[local.ufrag] = transport

    def end(self, transport: Transport) -> None:
        """PLANE-3. The transport's name, fragments and addresses are free at once."""
        self._owner.ending(transport)
        if transport.dtls is not None and transport.dtls.state != "refused":
            transport.dtls.close()
            farewell = transport.path or transport.dtls_path
            assert farewell is not None
            for datagram in transport.dtls.drain():
                self._forwarder.outlet.raw(farewell, datagram)
        for fragment in transport.ice.fragments:
            self.by_fragment.pop(fragment, None)
        for path in transport.ice.paths:
            self._forget_path(path)
        self.shaking.discard(transport)
        self._forwarder.asking.unsaid.discard(transport)
        self._forwarder.outlet.waiting.discard(transport)
        transport.inbound = transport.outbound = transport.path = None
        del self.transports[transport.spec.key]

    def on_lost(self, path: Path) -> None:
        """A path that can carry nothing any more: a connection that was closed."""
        transport = path.transport
        transport.ice.lose(path)
        if transport.path is path and transport.ice.selected is not None:
            transport.path = transport.ice.selected

    def on_stun(self, door: Way, source: Address, size: int) -> None:
        """A datagram that looks like STUN: an authentic check of a fragment of ours validates its address (PLANE-1)."""
        datagram = bytes(self._cell.view[:size])
        try:
            message = stun.parse(datagram)
        except stun.StunError:
            self._forwarder.drops["stun_malformed"] += 1
            return
        if message.kind != stun.BINDING_REQUEST or message.username is None or not message.has_fingerprint:
            self._forwarder.drops["stun_not_a_check"] += 1
            return
        transport = self.by_fragment.get(message.username.partition(":")[0])
        if transport is None:
            self._forwarder.drops["stun_unknown_ufrag"] += 1
            return
        path = door.paths.get(source)
        if path is None or path.transport is not transport:
            path = Path(transport, door, source)
        answer = transport.ice.check(datagram, message, path, (packed(source[0]), source[1]))
        if not answer.accepted:
            self._forwarder.drops["stun_unauthentic"] += 1
            if self._may_complain(source[0]):
                self._forwarder.outlet.raw(path, answer.reply)
            return
        door.paths[source] = path
        transport.heard = self._clock()
        if answer.moved:
            transport.path = path
        if answer.forgotten is not None:
            self._forget_path(answer.forgotten)
        if answer.retired is not None:
            self.by_fragment.pop(answer.retired, None)
            self._owner.rerouted(transport)
        self._forwarder.outlet.raw(path, answer.reply)

    def on_dtls(self, path: Path, size: int) -> None:
        """A DTLS record from a validated address."""
        transport = path.transport
        if transport.dtls is None:
            transport.dtls = DtlsEndpoint(self.certificate, transport.spec.fingerprints)
            self.shaking.add(transport)
        transport.dtls.receive(bytes(self._cell.view[:size]))
        transport.dtls_path = path
        self._advance(transport, transport.dtls, path)

    def _advance(self, transport: Transport, dtls: DtlsEndpoint, path: Path) -> None:
        for datagram in dtls.drain():
            self._forwarder.outlet.raw(path, datagram)
        if dtls.state == "connected":
            if transport.outbound is None:
                self._connected(transport, dtls)
        elif dtls.state == "refused":
            self._forwarder.drops["dtls_refused"] += 1
            self._gone(transport)
        elif dtls.state == "closed":
            self._gone(transport)

    def _connected(self, transport: Transport, dtls: DtlsEndpoint) -> None:
        keys = dtls.keys
        assert keys is not None
        transport.inbound = SrtpSession(keys.profile, keys.inbound, inbound=True)
        transport.outbound = SrtpSession(keys.profile, keys.outbound, inbound=False)
        transport.heard = self._clock()
        self._owner.connected(transport)
        self._move(transport, "connected")

    def sweep(self, now: float) -> None:
        """Every 200 ms: repeat lost flights, notice who is silent and who is gone."""
        for transport in list(self.shaking):
            dtls = transport.dtls
            wait = dtls.timeout() if dtls is not None else None
            if dtls is not None and wait is not None and wait <= 0 and transport.dtls_path is not None:
                dtls.handle_timeout()
                self._advance(transport, dtls, transport.dtls_path)
            elif transport.outbound is not None and wait is None:
                self.shaking.discard(transport)
        for transport in list(self.transports.values()):
            silence = now - transport.heard
            late = transport.state == "connecting" and now - transport.opened >= GONE_S
            if silence >= GONE_S or late:  # checks alone do not keep a half-open association
                self._gone(transport)
            elif silence >= SILENT_S:
                if transport.state == "connected":
                    self._move(transport, "silent")
            elif transport.state == "silent":
                self._move(transport, "connected")

    def calm(self) -> None:
        """Every second: sources that were refused may be answered again."""
        self._errors.clear()

    def _gone(self, transport: Transport) -> None:
        self.end(transport)
        self._move(transport, "gone")

    def _forget_path(self, path: Path) -> None:
        if path.door.paths.get(path.address) is path:
            del path.door.paths[path.address]

    def _move(self, transport: Transport, state: TransportState) -> None:
        transport.state = state
        self._forwarder.listener(TransportMoved(transport.spec.key, state))

    def _may_complain(self, ip: str) -> bool:
        """STUN errors are rate-limited per source, and so is the table that counts them."""
        said = self._errors.get(ip, 0)
        if said >= _ERRORS_A_SECOND or (said == 0 and len(self._errors) >= _MAX_ERROR_SOURCES):
            return False
        self._errors[ip] = said + 1
        return True
