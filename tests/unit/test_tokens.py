"""Links: what is accepted, and everything that is not."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.secrets import SecretError
from signaling.ports import Claims
from signaling.tokens import (
    AUDIENCE,
    ISSUER,
    SignedTokens,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    check_epoch,
    token_keys,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
NOW = 1_790_000_000


def tokens(*keys: bytes, now: float = NOW) -> SignedTokens:
    return SignedTokens(keys or (KEY,), lambda: now)


def forged(
    key: bytes | None = KEY, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    """A token as ours but for what is said."""
    honest = tokens().issue("patient", "v1", "patient", 600)
    payload = jwt.decode(honest, options={"verify_signature": False})
    payload = {name: value for name, value in (payload | changes).items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers or jwt.get_unverified_header(honest))


def test_a_token_says_who_may_sit_where_until_when() -> None:
    token = tokens().issue("doctor", "v1", "doctor", 600, links_epoch=3)
    assert tokens().verify(token) == Claims("doctor", "v1", "doctor", NOW + 600, 3)


def test_an_auditor_may_be_for_no_visit_in_particular_but_nobody_else() -> None:
    assert tokens().verify(tokens().issue("auditor", None, "auditor-x", 60)).visit is None
    with pytest.raises(TokenInvalid):
        tokens().verify(tokens().issue("patient", None, "patient", 60))


def test_a_token_ends_on_time_with_five_seconds_of_skew() -> None:
    token = tokens().issue("patient", "v1", "patient", 60)
    assert tokens(now=NOW + 64).verify(token)
    with pytest.raises(TokenExpired) as caught:
        tokens(now=NOW + 65).verify(token)
    assert caught.value.code == "token_expired"


def test_a_token_from_the_future_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        tokens(now=NOW - 60).verify(tokens().issue("patient", "v1", "patient", 600))


def test_algorithm_none_is_refused() -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    payload = tokens().issue("patient", "v1", "patient", 600).split(".")[1]
    kid = jwt.get_unverified_header(forged())["kid"]
    for token in (f"{header}.{payload}.", forged(key=None, algorithm="none", headers={"kid": kid})):
        with pytest.raises(TokenInvalid):
            tokens().verify(token)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_key(algorithm: str) -> None:
    kid = jwt.get_unverified_header(forged())["kid"]
    with pytest.raises(TokenInvalid):
        tokens().verify(forged(key=KEY * 2, algorithm=algorithm, headers={"kid": kid}))


def test_another_key_is_refused_whatever_kid_it_claims() -> None:
    with pytest.raises(TokenInvalid):
        tokens().verify(forged(key=OTHER_KEY))
    with pytest.raises(TokenInvalid):
        tokens().verify(tokens(OTHER_KEY).issue("patient", "v1", "patient", 600))


@pytest.mark.parametrize("kid", [None, "", "nobody", "../../etc/passwd"])
def test_a_kid_that_names_no_key_of_ours_is_refused(kid: str | None) -> None:
    with pytest.raises(TokenInvalid):
        tokens().verify(forged(headers={"alg": "HS256"} if kid is None else {"kid": kid}))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "someone/else"},
        {"iss": "someone"},
        {"aud": None},
        {"iss": None},
        {"exp": None},
        {"nbf": None},
        {"sub": None},
        {"role": None},
        {"role": "administrator"},
        {"exp": "tomorrow"},
        {"visit": 7},
        {"extra": 1},
    ],
)
def test_a_signed_token_with_wrong_claims_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        tokens().verify(forged(**changes))


def test_a_token_whose_payload_was_edited_is_refused() -> None:
    header, _, signature = tokens().issue("patient", "v1", "patient", 600).split(".")
    payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "doctor", "role": "doctor", "visit": "v1"}
    edited = payload | {"iat": NOW, "nbf": NOW, "exp": NOW + 600}
    middle = base64.urlsafe_b64encode(json.dumps(edited).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenInvalid):
        tokens().verify(f"{header}.{middle}.{signature}")


@given(st.text(max_size=300))
def test_anything_at_all_is_refused_with_the_documented_error(text: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens().verify(text)


def test_a_token_is_one_text() -> None:
    token = tokens().issue("patient", "v1", "p", 60)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = token[:-1] + last[last.index(token[-1]) + 1]  # two bits of the last character say nothing
    for other in (token + "=", token + "==", f"{token}\n", f" {token}", spare, token.replace(".", "=.", 1)):
        with pytest.raises(TokenInvalid):
            tokens().verify(other)
    assert tokens().verify(token).visit == "v1"


def test_a_very_long_token_is_refused_unread() -> None:
    with pytest.raises(TokenInvalid):
        tokens().verify("a" * 100_000)


def test_a_rotated_key_still_verifies_and_the_new_one_signs() -> None:
    before = tokens(KEY).issue("patient", "v1", "patient", 600)
    rotated = tokens(OTHER_KEY, KEY)
    assert rotated.verify(before)
    assert tokens(OTHER_KEY).verify(rotated.issue("patient", "v1", "patient", 600))
    with pytest.raises(TokenInvalid):
        tokens(OTHER_KEY).verify(before)


def test_links_of_an_older_epoch_are_revoked() -> None:
    claims = Claims("patient", "v1", "patient", NOW, links_epoch=1)
    check_epoch(claims, 1)
    with pytest.raises(TokenRevoked) as caught:
        check_epoch(claims, 2)
    assert caught.value.code == "token_revoked"


def test_the_key_ring_is_a_private_file_of_hex_lines(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "token.key"
    (made,) = token_keys(path)
    assert len(made) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text(f"{OTHER_KEY.hex()}\n{made.hex()}\n")
    assert token_keys(path) == [OTHER_KEY, made]


@pytest.mark.parametrize("keys", [[], [b"short"]])
def test_a_ring_without_a_strong_key_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(SecretError):
        SignedTokens(keys, lambda: NOW)
