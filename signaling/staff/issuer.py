"""A small OpenID provider of our own: accounts in a file, one client, codes that are good once (OpenID Connect Core 1.0).

ISSUER-1  PKCE (S256), `nonce` and the exact `redirect_uri` are asked of every request; the only client is this system.
ISSUER-2  A code is good once, for a minute. A code that comes twice, or with another verifier, gets no token.
ISSUER-3  ID tokens are signed with ES256 by the first key of the file and say which (`kid`); all keys of the file are
          published, so that one is rotated by writing a new one above the old.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from config.clock import random_name
from config.secrets import SecretError, secret_file
from signaling.ports import Clock
from signaling.staff.staff_accounts import Account

CODE_S = 60
TOKEN_S = 300
MOST_CODES = 1000
_END = b"-----END PRIVATE KEY-----"


class IssuerRefused(Exception):
    """A request that gets no code or token. `code` is OAuth's (RFC 6749 §4.1.2.1, §5.2)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wanted:
    """An authorization request that is in order."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class _Code:
    account: Account
    wanted: Wanted
    until: float


class BuiltInIssuer:
    """See the module."""

    def __init__(
        self, issuer: str, client_id: str, redirect_uri: str, keys: list[ec.EllipticCurvePrivateKey], clock: Clock
    ) -> None:
        """`keys`: newest first, at least one."""
        self.issuer = issuer
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._keys = {_kid(key): key for key in keys}
        self._signing = _kid(keys[0])
        self._clock = clock
        self._codes: OrderedDict[str, _Code] = OrderedDict()

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid"],
        }

    def keys(self) -> dict[str, Any]:
        """The key set."""
        return {"keys": [_public(kid, key) for kid, key in self._keys.items()]}

    def wanted(self, said: dict[str, str]) -> Wanted:
        """An authorization request. Raises `IssuerRefused`; then nobody is redirected anywhere."""
        if said.get("client_id") != self._client_id or said.get("redirect_uri") != self._redirect_uri:
            raise IssuerRefused("unauthorized_client")
        scopes = said.get("scope", "").split()
        if said.get("response_type") != "code" or "openid" not in scopes:
            raise IssuerRefused("unsupported_response_type")
        if said.get("code_challenge_method") != "S256" or not said.get("code_challenge") or not said.get("nonce"):
            raise IssuerRefused("invalid_request")  # ISSUER-1
        return Wanted(self._redirect_uri, said.get("state", ""), said["nonce"], said["code_challenge"])

    def redirect(self, account: Account, wanted: Wanted) -> str:
        """Where the browser goes with its code."""
        code = random_name(32)
        self._codes[code] = _Code(account, wanted, self._clock() + CODE_S)
        while len(self._codes) > MOST_CODES:
            self._codes.popitem(last=False)
        return f"{wanted.redirect_uri}?{urlencode({'code': code, 'state': wanted.state, 'iss': self.issuer})}"

    def token(self, form: dict[str, str]) -> str:
        """The ID token for a code. Raises `IssuerRefused`."""
        if form.get("grant_type") != "authorization_code" or form.get("client_id") != self._client_id:
            raise IssuerRefused("invalid_request")
        held = self._codes.pop(form.get("code", ""), None)  # ISSUER-2
        if held is None or held.until < self._clock() or form.get("redirect_uri") != held.wanted.redirect_uri:
            raise IssuerRefused("invalid_grant")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not hmac.compare_digest(challenge, held.wanted.challenge):
            raise IssuerRefused("invalid_grant")
        now = int(self._clock())
        said = {
            "iss": self.issuer,
            "sub": held.account.subject,
            "aud": self._client_id,
            "iat": now,
            "exp": now + TOKEN_S,
            "nonce": held.wanted.nonce,
            "roles": [held.account.role],
        }
        if held.account.doctor is not None:
            said["doctor_id"] = held.account.doctor
        return jwt.encode(said, self._keys[self._signing], algorithm="ES256", headers={"kid": self._signing})


def issuer_keys(path: Path) -> list[ec.EllipticCurvePrivateKey]:
    """The P-256 keys in a 0600 PEM file, newest first; made with one on first use. Raises `SecretError`."""
    text = secret_file(path, _made)
    blocks = [block.strip() + b"\n" + _END + b"\n" for block in text.split(_END) if block.strip()]
    try:
        keys = [load_pem_private_key(block, None) for block in blocks]
    except ValueError:
        raise SecretError(f"{path} does not hold keys in PEM") from None
    found = [key for key in keys if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"]
    if not found or len(found) != len(keys):
        raise SecretError(f"{path} needs keys of P-256, and no others")
    return found


def _made() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _kid(key: ec.EllipticCurvePrivateKey) -> str:
    return hashlib.sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[
        :16
    ]


def _public(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    return said | {"kid": kid, "use": "sig", "alg": "ES256"}
