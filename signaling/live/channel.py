"""What an actor and a desk know of a socket: it can be told things, and it can be sent away."""

from __future__ import annotations

from typing import Any, Protocol


class Channel(Protocol):
    """One connected client. Neither call blocks or raises; a client that does not read is hung up on."""

    @property
    def links_epoch(self) -> int:
        """The epoch of the token it came with."""
        ...

    def send(self, event: str, payload: dict[str, Any]) -> None:
        """Send an event."""
        ...

    def bye(self, code: str) -> None:
        """Send `bye` and close; what the client sends after this is not heard."""
        ...
