"""Sealed chunks: they open as they were sealed, under one key and one name, and show every change."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from recorder.sealing.seal import CHUNK, HEAD, TAG, SealBroken, Sealer, Suite
from tests.stranger import sealed_size

KEY = bytes(range(32))
SALT = bytes(range(100, 116))
CONTEXT = b"Vb3k/patient/streams/patient/part-001/seg-000001.webm"
SUITES: list[Suite] = ["aes256gcm", "sm4gcm"]
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]


def content_of(size: int) -> bytes:
    return bytes(n * 7 % 251 for n in range(size))


def opened(suite: Suite, sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    return b"".join(Sealer.of(suite, key, context, sealed).open(sealed))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_and_is_as_long_as_said(suite: Suite, size: int) -> None:
    sealed = Sealer(suite, KEY, CONTEXT, SALT).seal(content_of(size))
    assert opened(suite, sealed) == content_of(size)
    assert len(sealed) == sealed_size(size)


@pytest.mark.parametrize("suite", SUITES)
def test_a_chunk_in_the_middle_opens_alone(suite: Suite) -> None:
    content = content_of(3 * CHUNK + 7)
    sealed = Sealer(suite, KEY, CONTEXT, SALT).seal(content)
    start = HEAD + 2 * (CHUNK + TAG)
    chunk = sealed[start : start + CHUNK + TAG]
    assert (
        Sealer.of(suite, KEY, CONTEXT, sealed[:HEAD]).open_chunk(chunk, 2, last=False) == content[2 * CHUNK :][:CHUNK]
    )


VECTORS = {
    "aes256gcm": "d930202781b24c8e0fe20c17100d5e9038f8418a32d90ef1e0869f78ab0cc15b",
    "sm4gcm": "7bbb62d4706ffa34df31e852e225c61e9fa7604e570dc527ce625fa504230821",
}


@pytest.mark.parametrize("suite", SUITES)
def test_the_bytes_are_those_the_construction_gives(suite: Suite) -> None:
    """The key schedule by hand (RFC 5869), the ciphers directly."""
    size = {"aes256gcm": 32, "sm4gcm": 16}[suite]
    info = b"teleconsult-seal-v1 " + suite.encode() + b"\0" + CONTEXT
    secret, block, derived = hmac.digest(SALT, KEY, "sha256"), b"", b""
    for n in (1, 2, 3):
        block = hmac.digest(secret, block + info + bytes([n]), "sha256")
        derived += block
    key, prefix, commitment = derived[:size], derived[size : size + 7], derived[size + 7 : size + 39]
    content = content_of(CHUNK + 5)
    want = SALT + commitment
    for number, piece in enumerate((content[:CHUNK], content[CHUNK:])):
        nonce = prefix + number.to_bytes(4, "big") + bytes([number])
        if suite == "aes256gcm":
            want += AESGCM(key).encrypt(nonce, piece, CONTEXT)
        else:
            cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
            cipher.authenticate_additional_data(CONTEXT)
            want += cipher.update(piece) + cipher.finalize() + cipher.tag
    sealed = Sealer(suite, KEY, CONTEXT, SALT).seal(content)
    assert sealed == want
    assert hashlib.sha256(sealed).hexdigest() == VECTORS[suite]


def test_sm4_in_gcm_is_that_of_rfc_8998() -> None:
    """RFC 8998 appendix A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    more = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    text = bytes.fromhex(
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
    )
    cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(more)
    assert (cipher.update(text) + cipher.finalize()).hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    )
    assert cipher.tag.hex() == "83de3541e4c2b58177e065a9bf7b62ec"


@pytest.mark.parametrize("suite", SUITES)
@given(at=st.integers(0), bit=st.integers(0, 7), size=st.sampled_from([0, 5, CHUNK, CHUNK + 3]))
def test_no_bit_may_change(suite: Suite, at: int, bit: int, size: int) -> None:
    sealed = bytearray(Sealer(suite, KEY, CONTEXT, SALT).seal(content_of(size)))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        opened(suite, bytes(sealed))


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_may_be_cut_added_moved_or_joined(suite: Suite) -> None:
    sealed = Sealer(suite, KEY, CONTEXT, SALT).seal(content_of(3 * CHUNK))
    head, step = sealed[:HEAD], CHUNK + TAG
    a, b, c = (sealed[HEAD + n * step : HEAD + (n + 1) * step] for n in range(3))
    for changed in (
        head + a + b,
        head + a,
        head,
        head + a + c,
        head + b + a + c,
        head + a + a + b + c,
        head + a + b + c + c,
        sealed[:-1],
        sealed + b"\0",
        sealed[:20],
        b"",
    ):
        with pytest.raises(SealBroken):
            opened(suite, changed)


@pytest.mark.parametrize("suite", SUITES)
def test_it_opens_under_no_other_key_name_or_suite(suite: Suite) -> None:
    sealed = Sealer(suite, KEY, CONTEXT, SALT).seal(b"what was said")
    other: Suite = "sm4gcm" if suite == "aes256gcm" else "aes256gcm"
    for given_suite, key, context in (
        (suite, bytes(32), CONTEXT),
        (suite, KEY, CONTEXT + b"2"),
        (other, KEY, CONTEXT),
    ):
        with pytest.raises(SealBroken):
            opened(given_suite, sealed, key, context)


def test_sealing_the_same_again_shares_nothing() -> None:
    first = Sealer("aes256gcm", KEY, CONTEXT, SALT).seal(bytes(100))
    second = Sealer("aes256gcm", KEY, CONTEXT, bytes(16)).seal(bytes(100))
    assert first[HEAD:] != second[HEAD:]


def test_a_key_of_another_length_is_no_data_key() -> None:
    with pytest.raises(ValueError, match="32"):
        Sealer("aes256gcm", bytes(16), CONTEXT, SALT)
