"""Signed links: one role, one visit, for a while.

A token is a JWT (RFC 7519) under HMAC-SHA-256 and says who may sit where: `role`, `visit` (absent for an auditor who
may see every visit), `sub`, and the links epoch it was issued under. It names no person.

TOK-1  The algorithm is ours to choose, never the token's: HS256 and nothing else (RFC 8725 §3.1).
TOK-2  A key is named by `kid`, the start of its own SHA-256. The first key of the ring signs; the others only verify,
       so a key is rotated by putting a new line above the old one and dropping the old one a link's lifetime later.
TOK-3  `iss`, `aud`, `exp`, `nbf` must be there and must hold, by the clock that was handed in; 5 s of skew are forgiven.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
import msgspec

from config.secrets import SecretError, secret_file
from signaling.law.facts import Role
from signaling.ports import Claims, Clock

ALGORITHM = "HS256"
ISSUER = "teleconsult"
AUDIENCE = "teleconsult/visit"
LEEWAY_S = 5
MAX_TOKEN = 2048
MIN_KEY_BYTES = 32


class TokenError(Exception):
    """A token that is not accepted: `TokenInvalid`, `TokenExpired`, `TokenRevoked`."""

    code = "token_invalid"


class TokenInvalid(TokenError):
    """Not ours, not for us, not yet valid, or tampered with. It does not say which: that would help nobody honest."""


class TokenExpired(TokenError):
    """Once good, now past its time."""

    code = "token_expired"


class TokenRevoked(TokenError):
    """Issued before the visit's links were revoked."""

    code = "token_revoked"


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    iss: str
    aud: str
    sub: str
    role: Role
    iat: int
    nbf: int
    exp: int
    epoch: int = 0
    visit: str | None = None
    seat: str | None = None


class SignedTokens:
    """Issues and verifies tokens under a ring of keys; implements `ports.Tokens`."""

    def __init__(self, keys: Sequence[bytes], clock: Clock) -> None:
        """`keys`: newest first, at least one, each of 32 bytes or more."""
        if not keys or any(len(key) < MIN_KEY_BYTES for key in keys):
            raise SecretError("the token key ring needs keys of at least 32 bytes")
        self._keys = {_kid(key): key for key in keys}
        self._signing = _kid(keys[0])
        self._clock = clock

    def issue(
        self,
        role: Role,
        visit: str | None,
        subject: str,
        lifetime_s: int,
        links_epoch: int = 0,
        seat: str | None = None,
    ) -> str:
        """A token that is good from now on for `lifetime_s` seconds."""
        now = int(self._clock())
        payload: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "role": role,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime_s,
        }
        if visit is not None:
            payload["visit"] = visit
        if links_epoch:
            payload["epoch"] = links_epoch
        if seat is not None:
            payload["seat"] = seat
        return jwt.encode(payload, self._keys[self._signing], algorithm=ALGORITHM, headers={"kid": self._signing})

    def verify(self, token: str) -> Claims:
        """What a token says. Raises `TokenInvalid`, `TokenExpired`."""
        payload = self._authentic(token)
        now = int(self._clock())
        if (payload.role == "guest") != (payload.seat is not None):
            raise TokenInvalid("for no seat")
        if payload.nbf > now + LEEWAY_S or (payload.visit is None and payload.role not in ("auditor", "coordinator")):
            raise TokenInvalid("not valid yet, or for no visit")
        if payload.exp <= now - LEEWAY_S:
            raise TokenExpired("the link's time is over")
        return Claims(
            role=payload.role,
            visit=payload.visit,
            subject=payload.sub,
            expires=payload.exp,
            links_epoch=payload.epoch,
            seat=payload.seat,
        )

    def _authentic(self, token: str) -> _Payload:
        if len(token) > MAX_TOKEN:
            raise TokenInvalid("too long")
        if not all(map(_canonical, token.split("."))):
            raise TokenInvalid("not written as we write it")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                raise TokenInvalid("no such key")
            said = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],  # TOK-1
                audience=AUDIENCE,
                issuer=ISSUER,
                # TOK-3: the times are checked against our own clock by the caller.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            return msgspec.convert(said, _Payload)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as error:
            raise TokenInvalid("not a token of ours") from error


def _canonical(part: str) -> bool:
    """Whether this is base64url as RFC 7515 §2 has it: no padding, no spare bits set, so that a token is one text."""
    try:
        read = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return False
    return base64.urlsafe_b64encode(read).rstrip(b"=").decode() == part


def check_epoch(claims: Claims, links_epoch: int) -> None:
    """Refuse a token older than the visit's links. Raises `TokenRevoked`."""
    if claims.visit is not None and claims.links_epoch < links_epoch:
        raise TokenRevoked("this link was withdrawn")


def token_keys(path: Path) -> list[bytes]:
    """The ring in a 0600 file of one hex key a line, newest first; made with one key on first use. Raises `SecretError`."""
    text = secret_file(path, lambda: f"{secrets.token_hex(32)}\n".encode())
    try:
        return [bytes.fromhex(line) for line in text.decode("ascii").split()]
    except ValueError:
        raise SecretError(f"{path} does not hold keys in hex, one a line") from None


def _kid(key: bytes) -> str:
    return hashlib.sha256(b"kid:" + key).hexdigest()[:12]
