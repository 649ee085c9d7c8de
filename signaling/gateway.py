"""Socket.IO on aiohttp. (Skeleton.)"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from signaling.ports import Clock, IceServers, Tokens
from signaling.registry import VisitRegistry


class Gateway:
    """`signaling/PROTOCOL.md` over python-socketio. `origins` are allowed beside the server's own (`https://host[:port]`)."""

    def __init__(
        self, registry: VisitRegistry, tokens: Tokens, ice_servers: IceServers, origins: Sequence[str], clock: Clock
    ) -> None:
        self._registry = registry

    def attach(self, app: web.Application) -> None:
        """Serve `/socket.io/` on this application; sockets are told `server_stopping` when it shuts down."""
