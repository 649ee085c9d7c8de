"""Short-lived TURN credentials by shared secret (draft-uberti-behave-turn-rest-00, as coturn's `use-auth-secret`).

TURN-1  A credential lives at most 300 s; clients of long visits ask again (PROTOCOL.md §5, `ice`).
TURN-2  The username is `expiry:pseudonym`, the pseudonym random each time: relays and their logs learn no one's name,
        and two credentials cannot be told to be the same person's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from config.addresses import announced_addresses
from config.clock import random_name, unix_s
from config.secrets import secret_text
from config.settings import Settings

LIFETIME_S = 300


@dataclass(frozen=True, slots=True)
class NoRelay:
    """No TURN server is configured: clients reach the media server themselves, or not at all."""

    def issue(self, visit: str, seat: str) -> tuple[list[dict[str, Any]], int]:
        """An empty list, good for `LIFETIME_S` seconds."""
        del visit, seat
        return [], LIFETIME_S


@dataclass(frozen=True, slots=True)
class SharedSecretRelay:
    """Fresh credentials for one TURN server under one or more URLs."""

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    lifetime_s: int = LIFETIME_S
    now: Callable[[], int] = unix_s
    pseudonym: Callable[[], str] = random_name

    def issue(self, visit: str, seat: str) -> tuple[list[dict[str, Any]], int]:
        """One RTCIceServer dictionary and its lifetime in seconds. Neither visit nor seat goes into it (TURN-2)."""
        del visit, seat
        username = f"{self.now() + self.lifetime_s}:{self.pseudonym()}"
        server = {"urls": list(self.urls), "username": username, "credential": password(self.secret, username)}
        return [server], self.lifetime_s


def password(secret: str, username: str) -> str:
    """base64(HMAC-SHA1(secret, username)): what coturn computes too. SHA-1 is its choice, and sound within HMAC."""
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), hashlib.sha1)).decode("ascii")


def shared_secret(settings: Settings) -> str:
    """The secret between us and the TURN server, made on first use or read. Raises `SecretError`, `OSError`."""
    if settings.turn_secret_file is not None:
        return settings.turn_secret_file.read_text(encoding="utf-8").strip()
    return secret_text(settings.keys / "turn.key")


def ice_servers(settings: Settings) -> SharedSecretRelay | NoRelay:
    """What the settings say: our own turnserver, one run elsewhere, or none."""
    if settings.turn_url:
        return SharedSecretRelay(tuple(url.strip() for url in settings.turn_url.split(",")), shared_secret(settings))
    if settings.turn:
        return SharedSecretRelay(own_urls(settings), shared_secret(settings))
    return NoRelay()


def own_urls(settings: Settings) -> tuple[str, ...]:
    """Our own turnserver over UDP and TCP at the first address that is announced, and over TLS under our public name.

    A browser takes TLS only under a name that the certificate has.
    """
    host = announced_addresses(settings.media_addresses)[0]
    urls = [f"turn:{_literal(host)}:{settings.turn_port}?transport={way}" for way in ("udp", "tcp")]
    if settings.turn_tls_port:
        named = settings.turn_tls_name or urlsplit(settings.public_url or "").hostname or host
        urls.append(f"turns:{_literal(named)}:{settings.turn_tls_port}?transport=tcp")
    return tuple(urls)


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
