"""Signing in staff by OpenID Connect: authorization code with PKCE, against any issuer that publishes itself.

After OpenID Connect Core and Discovery 1.0.

OIDC-1  The issuer's document is believed only if it names the issuer it was asked of (Discovery §4.3).
OIDC-2  An ID token is accepted with a signature of one of `ALGORITHMS`, by a key of the issuer's set; what the token's own
        header says of algorithms or keys decides nothing (RFC 8725 §3.1). HMAC and `none` are in no list.
OIDC-3  A key that is not in the set we hold makes us read the set again, at most once in `REREAD_S`: rotation works, and a
        flood of made-up names does not reach the issuer.
OIDC-4  `iss`, `aud` (and `azp`, where there are several), `exp`, `iat` and `nonce` must be there and hold (Core §3.1.3.7).
OIDC-5  Each attempt has its own state, nonce and verifier, and is good once, for ten minutes. The browser carries it
        (`signaling.staff.attempts`); the last `MOST_USED` that came back are known, and beyond them the issuer's code is good
        once.
OIDC-6  An answer that names its issuer (RFC 9207) names ours. RSA keys have 2048 bits or more (RFC 7518 §3.3).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from config.clock import random_name
from signaling.ports import Clock, Pseudonyms
from signaling.staff.access import StaffRole
from signaling.staff.attempts import Attempt, opened, sealed

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
LEEWAY_S = 30
ATTEMPT_S = 600
MOST_USED = 10_000
LEAST_RSA_BITS = 2048
REREAD_S = 10.0
FRESH_S = 3600.0
MAX_TOKEN = 16 * 1024

BUILT_IN = "built-in"
"""What stands for our own issuer in the names of people: its address may change."""

Get = Callable[[str], Awaitable[bytes]]
"""An address of the issuer's → its body. Raises `IssuerAway`."""
Post = Callable[[str, Mapping[str, str]], Awaitable[bytes]]
"""A form, posted to the issuer. Raises `IssuerAway`, `SignInRefused`."""


def staff_name(role: StaffRole, pseudonyms: Pseudonyms, issuer: str, subject: str) -> str:
    """What every log calls somebody: after the role, the same as long as issuer and subject are (ACCESS-6)."""
    return f"{role}-{pseudonyms('auditor', f'{issuer} {subject}')}"


class OidcError(Exception):
    """Nobody is signed in: `IssuerAway`, `SignInRefused`."""

    code = "sign_in_refused"


class IssuerAway(OidcError):
    """The issuer does not answer, or not as one does."""

    code = "issuer_unavailable"


class SignInRefused(OidcError):
    """An answer or a token that is not accepted. `code` says which rule: `state_unknown`, `issuer_wrong`, `token_invalid`,
    `token_expired`, `nonce_wrong`, `role_missing`, `doctor_missing`."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


class Issuer(msgspec.Struct, frozen=True):
    """What of the discovery document is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Staff(msgspec.Struct, frozen=True):
    """Who signed in: the issuer's name for them, their role, and the hospital's id of a doctor."""

    subject: str
    role: StaffRole
    doctor: str | None


@dataclass(frozen=True, slots=True)
class Client:
    """What the issuer knows us by, and where it says what somebody is."""

    issuer: str
    client_id: str
    redirect_uri: str
    secret: str | None = None
    roles_claim: str = "roles"
    doctor_claim: str = "doctor_id"


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class SignIn:
    """One issuer's relying party."""

    def __init__(self, client: Client, get: Get, post: Post, clock: Clock) -> None:
        self._client = client
        self._get = get
        self._post = post
        self._clock = clock
        self._secret = random_name(32).encode()
        self._used: OrderedDict[str, None] = OrderedDict()
        self._issuer: Issuer | None = None
        self._keys: dict[str, _Key] = {}
        self._read_at = float("-inf")

    async def begin(self) -> tuple[str, str]:
        """Where to send the browser, and the attempt that it must bring back. Raises `IssuerAway`."""
        issuer = await self._discovered()
        attempt = Attempt(random_name(24), random_name(24), random_name(48), self._clock() + ATTEMPT_S)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        said = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in issuer.authorization_endpoint else "?"
        return f"{issuer.authorization_endpoint}{joint}{urlencode(said)}", sealed(attempt, self._secret)

    async def complete(self, brought: str, state: str, code: str, issuer_said: str | None = None) -> Staff:
        """Who came back. `brought`: what `begin` gave the browser; `issuer_said`: the answer's `iss`, if it has one.

        Raises `SignInRefused`, `IssuerAway`."""
        attempt = self._taken(brought, state)
        issuer = await self._discovered()
        if issuer_said is not None and issuer_said != issuer.issuer:  # OIDC-6
            raise SignInRefused("issuer_wrong", "another issuer answered")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "client_id": self._client.client_id,
            "code_verifier": attempt.verifier,
        }
        if self._client.secret is not None:
            form["client_secret"] = self._client.secret
        try:
            token = msgspec.json.decode(await self._post(issuer.token_endpoint, form), type=_Tokens).id_token
        except msgspec.MsgspecError as error:
            raise IssuerAway("the issuer's answer has no ID token") from error
        return await self.accept(token, attempt.nonce)

    def _taken(self, brought: str, state: str) -> Attempt:
        attempt = opened(brought, self._secret)
        known = attempt is not None and hmac.compare_digest(attempt.state.encode(), state.encode())
        if attempt is None or not known or attempt.until < self._clock() or attempt.state in self._used:
            raise SignInRefused("state_unknown", "this attempt to sign in is not known, or took too long")
        self._used[attempt.state] = None  # once, whatever follows (OIDC-5)
        while len(self._used) > MOST_USED:
            self._used.popitem(last=False)
        return attempt

    async def accept(self, token: str, nonce: str) -> Staff:
        """Whom an ID token names. Raises `SignInRefused`, `IssuerAway`."""
        claims = await self._verified(token)
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):  # OIDC-4
            raise SignInRefused("nonce_wrong", "this token was made for another attempt")
        role = _role(_at(claims, self._client.roles_claim))
        if role is None:
            raise SignInRefused("role_missing", "the issuer gives this person no role here")
        doctor = _at(claims, self._client.doctor_claim)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
            raise SignInRefused("token_invalid", "the token names nobody")
        if role != "doctor":
            return Staff(subject, role, None)
        if not isinstance(doctor, str) or not doctor:
            raise SignInRefused("doctor_missing", "the issuer does not say which doctor this is")
        return Staff(subject, role, doctor)

    async def _verified(self, token: str) -> dict[str, Any]:
        key, algorithm = await self._key_of(token)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],  # OIDC-2: one of the key's own, which are ours
                audience=self._client.client_id,
                issuer=self._client.issuer,
                options={
                    "require": ["iss", "aud", "exp", "iat", "sub", "nonce"],
                    # By the clock that was handed in.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise SignInRefused("token_invalid", "this is no token of the issuer's for us") from error
        self._check_times(claims)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._client.client_id:
            raise SignInRefused("token_invalid", "this token was made for another client")
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = [claims["exp"], claims["iat"], claims.get("nbf", claims["iat"])]
        if not all(isinstance(one, int | float) and not isinstance(one, bool) and isfinite(one) for one in times):
            raise SignInRefused("token_invalid", "a time in this token is no time")
        if claims["exp"] <= now - LEEWAY_S:
            raise SignInRefused("token_expired", "this token is over")
        if max(times[1:]) > now + LEEWAY_S:
            raise SignInRefused("token_invalid", "this token is from the future")

    async def _key_of(self, token: str) -> tuple[_Key, str]:
        if len(token) > MAX_TOKEN:
            raise SignInRefused("token_invalid", "too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError) as error:
            raise SignInRefused("token_invalid", "this is no token") from error
        kid = header.get("kid")
        if not isinstance(kid, str) or header.get("alg") not in ALGORITHMS:
            raise SignInRefused("token_invalid", "signed in a way, or by a key without a name, that is not accepted")
        if kid not in self._keys or self._clock() - self._read_at > FRESH_S:
            await self._read_keys()
        key = self._keys.get(kid)
        if key is None or header["alg"] not in key.algorithms:
            raise SignInRefused("token_invalid", "no such key")
        return key, header["alg"]

    async def _read_keys(self) -> None:
        if self._clock() - self._read_at < REREAD_S:  # OIDC-3
            return
        body = await self._get((await self._discovered()).jwks_uri)
        self._read_at = self._clock()
        try:
            listed = msgspec.json.decode(body, type=dict[str, Any])["keys"]
            keys = [_key(one) for one in listed]
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise IssuerAway("the issuer's keys cannot be read") from error
        self._keys = {key.id: key for key in keys if key is not None}

    async def _discovered(self) -> Issuer:
        if self._issuer is None:
            body = await self._get(f"{self._client.issuer}/.well-known/openid-configuration")
            try:
                said = msgspec.json.decode(body, type=Issuer)
            except msgspec.MsgspecError as error:
                raise IssuerAway("the issuer's document cannot be read") from error
            if said.issuer != self._client.issuer:  # OIDC-1
                raise IssuerAway("the issuer's document names another issuer")
            self._issuer = said
        return self._issuer


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of the issuer's set, and what it may be used for."""

    id: str
    public: Any
    algorithms: tuple[str, ...]


def _key(said: Any) -> _Key | None:
    """A signing key of the set; None for any other, one without a name or of an algorithm that is not ours, and a short one
    (OIDC-6)."""
    if not isinstance(said, dict) or said.get("use", "sig") != "sig" or said.get("kty") == "oct":
        return None
    try:
        key = jwt.PyJWK.from_dict(said)
    except jwt.PyJWTError:
        return None
    rsa = isinstance(key.key, RSAPublicKey)
    if key.key_id is None or (rsa and key.key.key_size < LEAST_RSA_BITS) or key.algorithm_name not in ALGORITHMS:
        return None
    # An RSA key that names nothing may sign either way (RFC 7517 §4.4).
    either = rsa and said.get("alg") is None
    return _Key(key.key_id, key.key, ("RS256", "PS256") if either else (key.algorithm_name,))


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its path: `roles`, `realm_access.roles`."""
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


_ROLES: tuple[StaffRole, ...] = ("administrator", "auditor", "quality", "doctor")


def _role(said: Any) -> StaffRole | None:
    """The one role in this claim. Somebody with several gets none: what an administrator may not see, an auditor might."""
    named = said if isinstance(said, list) else [said]
    ours = [role for role in _ROLES if role in named]
    return ours[0] if len(ours) == 1 else None
