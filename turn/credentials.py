"""Short-lived TURN credentials by shared secret (draft-uberti-behave-turn-rest-00, as coturn's `use-auth-secret`).

TURN-1  A credential lives at most 300 s; clients of long visits ask again (PROTOCOL.md §5, `ice`).
TURN-2  The username is `expiry:pseudonym`, the pseudonym random each time: relays and their logs learn no one's name,
        and two credentials cannot be told to be the same person's.
TURN-7  Who asks again within `REUSE_S` gets the same credential: relays count by credential, and one person who asks often
        would have them all. A rehearsal's, which is anybody's, lives no longer than the rehearsal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from config.addresses import Announced, announced_addresses
from config.clock import random_name, unix_s
from config.secrets import secret_text
from config.settings import Settings

LIFETIME_S = 300
REUSE_S = 60
MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class NoRelay:
    """No TURN server is configured: clients reach the media server themselves, or not at all."""

    def issue(self, visit: str, seat: str, lasts_s: int = LIFETIME_S) -> tuple[list[dict[str, Any]], int]:
        """An empty list, good for `lasts_s` seconds."""
        del visit, seat
        return [], lasts_s


@dataclass(frozen=True, slots=True)
class SharedSecretRelay:
    """Short-lived credentials for one TURN server under one or more URLs."""

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    lifetime_s: int = LIFETIME_S
    now: Callable[[], int] = unix_s
    pseudonym: Callable[[], str] = random_name
    _given: OrderedDict[tuple[str, str], tuple[int, str]] = field(default_factory=OrderedDict, repr=False)

    def issue(self, visit: str, seat: str, lasts_s: int | None = None) -> tuple[list[dict[str, Any]], int]:
        """One RTCIceServer dictionary, and the seconds left of it, of `lasts_s`. It tells neither visit nor seat (TURN-2)."""
        now, lasts_s = self.now(), self.lifetime_s if lasts_s is None else lasts_s
        until, name = self._given.pop((visit, seat), (0, ""))
        if until - now <= lasts_s - REUSE_S:  # TURN-7
            until, name = now + lasts_s, self.pseudonym()
        self._given[visit, seat] = until, name
        while len(self._given) > MOST_KEPT:
            self._given.popitem(last=False)
        username = f"{until}:{name}"
        server = {"urls": list(self.urls), "username": username, "credential": password(self.secret, username)}
        return [server], until - now


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
    host = Announced.parse(announced_addresses(settings.media_addresses)[0]).ip
    urls = [f"turn:{_literal(host)}:{settings.turn_port}?transport={way}" for way in ("udp", "tcp")]
    if settings.turn_tls_port:
        named = settings.turn_tls_name or urlsplit(settings.public_url or "").hostname or host
        urls.append(f"turns:{_literal(named)}:{settings.turn_tls_port}?transport=tcp")
    return tuple(urls)


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
