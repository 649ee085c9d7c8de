"""Who is let in by an issuer's token: an honest one, and every dishonest one we know of."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from signaling.staff.oidc import REREAD_S, Client, IssuerAway, SignIn, SignInRefused, Staff

ISSUER = "https://id.example"
T0 = 1_777_000_000.0
CLIENT = Client(ISSUER, "teleconsult", "https://visit.example/auth/callback")


class Elsewhere:
    """An issuer somewhere: its documents, its keys, and what was asked of it."""

    def __init__(self) -> None:
        self.now = T0
        self.names = ISSUER
        self.keys = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.extra: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.form: dict[str, str] = {}
        self.answer = b"{}"
        self.sign_in = SignIn(CLIENT, self.get, self.post, lambda: self.now)

    async def get(self, url: str) -> bytes:
        self.asked.append(url)
        if url.endswith("/jwks"):
            listed = [json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": kid} for kid, key in self.keys.items()]
            return json.dumps({"keys": [*listed, *self.extra]}).encode()
        at = {
            "authorization_endpoint": f"{ISSUER}/go",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
        }
        return json.dumps({"issuer": self.names, **at, "more": 1}).encode()

    async def post(self, url: str, form: Any) -> bytes:
        self.form = dict(form)
        return self.answer

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(self.now)
        said = {"iss": ISSUER, "aud": "teleconsult", "sub": "u-1", "iat": now, "exp": now + 300, "nonce": "n-1"}
        return {name: value for name, value in ({**said, "roles": ["auditor"]} | more).items() if value is not None}

    def token(self, kid: str = "k1", **more: Any) -> str:
        return jwt.encode(self.claims(**more), self.keys[kid], algorithm="ES256", headers={"kid": kid})


@pytest.fixture
def issuer() -> Elsewhere:
    return Elsewhere()


async def refused(issuer: Elsewhere, token: str) -> str:
    with pytest.raises(SignInRefused) as caught:
        await issuer.sign_in.accept(token, "n-1")
    return caught.value.code


async def test_an_honest_token_names_a_person_and_their_one_role(issuer: Elsewhere) -> None:
    assert await issuer.sign_in.accept(issuer.token(), "n-1") == Staff("u-1", "auditor", None)
    doctor = issuer.token(roles="doctor", doctor_id="d-1")
    assert await issuer.sign_in.accept(doctor, "n-1") == Staff("u-1", "doctor", "d-1")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"iss": "https://evil.example"}, "token_invalid"),
        ({"aud": "another"}, "token_invalid"),
        ({"aud": ["teleconsult", "another"]}, "token_invalid"),
        ({"azp": "another"}, "token_invalid"),
        ({"exp": int(T0) - 31}, "token_expired"),
        ({"exp": True}, "token_invalid"),
        ({"exp": float("nan")}, "token_invalid"),
        ({"exp": float("inf")}, "token_invalid"),
        ({"exp": None}, "token_invalid"),
        ({"iat": int(T0) + 31}, "token_invalid"),
        ({"nbf": int(T0) + 31}, "token_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"nonce": None}, "token_invalid"),
        ({"nonce": "n-0"}, "nonce_wrong"),
        ({"roles": None}, "role_missing"),
        ({"roles": ["nurse"]}, "role_missing"),
        ({"roles": ["administrator", "auditor"]}, "role_missing"),
        ({"roles": {"auditor": 1}}, "role_missing"),
        ({"roles": "doctor"}, "doctor_missing"),
        ({"roles": "doctor", "doctor_id": ["d-1"]}, "doctor_missing"),
    ],
)
async def test_what_a_token_must_say_it_must_say_rightly(issuer: Elsewhere, more: dict[str, Any], code: str) -> None:
    assert await refused(issuer, issuer.token(**more)) == code


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": "k1", "typ": "JWT"}, claims)
    text = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*text, ""])


async def test_no_trick_with_algorithms_or_keys_signs_anybody_in(issuer: Elsewhere) -> None:
    public = issuer.keys["k1"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    stranger = ec.generate_private_key(ec.SECP256R1())
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims, named = issuer.claims(), {"kid": "k1"}
    symmetric = base64.urlsafe_b64encode(public).decode()
    issuer.extra = [{"kty": "oct", "k": symmetric, "kid": "oct", "alg": "HS256"}, {"kty": "EC", "kid": "broken"}]
    good = issuer.token()
    head, body, signature = good.split(".")
    for token in (
        unsigned(claims),
        jwt.encode(claims, symmetric, algorithm="HS256", headers=named),
        jwt.encode(claims, symmetric, algorithm="HS256", headers={"kid": "oct"}),
        jwt.encode(claims, stranger, algorithm="ES256", headers=named),  # the key swapped under its name
        jwt.encode(claims, stranger, algorithm="ES256"),  # no name
        jwt.encode(
            claims, own, algorithm="RS256", headers=named | {"jwk": json.loads(RSAAlgorithm.to_jwk(own.public_key()))}
        ),
        jwt.encode(claims, stranger, algorithm="ES256", headers={"kid": "x", "jku": "https://evil.example/jwks"}),
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        good + "x" * 20_000,
        "not a token",
    ):
        assert await refused(issuer, token) == "token_invalid"
    assert not any("evil" in url for url in issuer.asked)


async def test_a_rotated_key_is_fetched_and_made_up_names_are_not_a_flood(issuer: Elsewhere) -> None:
    await issuer.sign_in.accept(issuer.token(), "n-1")
    issuer.keys = {"k2": ec.generate_private_key(ec.SECP256R1())}
    assert await refused(issuer, issuer.token("k2")) == "token_invalid"  # read just now
    issuer.now += REREAD_S
    assert (await issuer.sign_in.accept(issuer.token("k2"), "n-1")).subject == "u-1"
    before = len(issuer.asked)
    stranger = ec.generate_private_key(ec.SECP256R1())
    for number in range(50):
        await refused(issuer, jwt.encode(issuer.claims(), stranger, algorithm="ES256", headers={"kid": f"x{number}"}))
    assert len(issuer.asked) == before


async def test_an_attempt_is_good_once_and_for_ten_minutes(issuer: Elsewhere) -> None:
    where, brought = await issuer.sign_in.begin()
    said = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
    assert (said["code_challenge_method"], said["response_type"]) == ("S256", "code")
    issuer.answer = json.dumps({"id_token": issuer.token(nonce=said["nonce"])}).encode()
    with pytest.raises(SignInRefused):
        await issuer.sign_in.complete(brought, "another state", "c")
    assert (await issuer.sign_in.complete(brought, said["state"], "c", ISSUER)).role == "auditor"
    assert issuer.form["code"] == "c"
    assert len(issuer.form["code_verifier"]) >= 43
    for again in (brought, brought + "A", brought.replace(".", "A."), "made-up", "é.é", "." * 5000):
        with pytest.raises(SignInRefused) as caught:
            await issuer.sign_in.complete(again, said["state"], "c")
        assert caught.value.code == "state_unknown"
    where, late = await issuer.sign_in.begin()
    issuer.now += 601
    with pytest.raises(SignInRefused):
        await issuer.sign_in.complete(late, state_of(where), "c")


async def test_a_replayed_answer_of_another_attempt_is_refused(issuer: Elsewhere) -> None:
    first, _ = await issuer.sign_in.begin()
    nonce = parse_qs(urlsplit(first).query)["nonce"][0]
    where, second = await issuer.sign_in.begin()
    issuer.answer = json.dumps({"id_token": issuer.token(nonce=nonce)}).encode()
    with pytest.raises(SignInRefused) as caught:
        await issuer.sign_in.complete(second, state_of(where), "c")
    assert caught.value.code == "nonce_wrong"


def state_of(where: str) -> str:
    return parse_qs(urlsplit(where).query)["state"][0]


async def test_attempts_that_others_begin_push_nobodys_out(issuer: Elsewhere) -> None:
    where, oldest = await issuer.sign_in.begin()
    nonce = parse_qs(urlsplit(where).query)["nonce"][0]
    for _ in range(2000):
        await issuer.sign_in.begin()
    issuer.answer = json.dumps({"id_token": issuer.token(nonce=nonce)}).encode()
    assert (await issuer.sign_in.complete(oldest, state_of(where), "c")).subject == "u-1"


async def test_an_answer_of_another_issuer_is_refused(issuer: Elsewhere) -> None:
    where, brought = await issuer.sign_in.begin()
    with pytest.raises(SignInRefused) as caught:
        await issuer.sign_in.complete(brought, state_of(where), "c", "https://evil.example")
    assert caught.value.code == "issuer_wrong"


@pytest.mark.parametrize(
    ("bits", "algorithm", "named", "accepted"),
    [
        (2048, "RS256", None, True),
        (2048, "PS256", None, True),
        (2048, "PS256", "PS256", True),
        (2048, "PS256", "RS256", False),
        (1024, "RS256", None, False),
    ],
)
async def test_an_rsa_key_signs_as_its_issuer_says_and_is_long_enough(
    issuer: Elsewhere, bits: int, algorithm: str, named: str | None, accepted: bool
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    listed = json.loads(RSAAlgorithm.to_jwk(key.public_key())) | {"kid": "r", "alg": named}
    issuer.extra = [{name: value for name, value in listed.items() if value is not None}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says that 1024 bits are few
        token = jwt.encode(issuer.claims(), key, algorithm=algorithm, headers={"kid": "r"})
    if accepted:
        assert (await issuer.sign_in.accept(token, "n-1")).subject == "u-1"
    else:
        assert await refused(issuer, token) == "token_invalid"


async def test_an_issuer_that_names_another_is_not_believed(issuer: Elsewhere) -> None:
    issuer.names = "https://evil.example"
    with pytest.raises(IssuerAway):
        await issuer.sign_in.begin()
