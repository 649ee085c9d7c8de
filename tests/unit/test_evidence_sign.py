"""Signatures: ours verify in openssl, and nothing but the key's own verifies here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from recorder.evidence.digest import Digest, sm3
from recorder.evidence.errors import KeyInvalid
from recorder.evidence.sign import PublicKey, public_key
from tests.bundles import RECORDER, THIEF

MESSAGE = b"teleconsult-head-v1\n{}"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("n", [0, 1])
def test_openssl_verifies_what_we_sign(tmp_path: Path, n: int) -> None:
    key, signature = RECORDER.public_keys[n], RECORDER.sign(MESSAGE)[n]
    (tmp_path / "key").write_bytes(key.pem)
    (tmp_path / "sig").write_bytes(signature.sig)
    (tmp_path / "message").write_bytes(MESSAGE)
    sm2 = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"] if key.alg == "sm2" else []
    files = ["-inkey", str(tmp_path / "key"), "-sigfile", str(tmp_path / "sig"), "-in", str(tmp_path / "message")]
    command: list[str] = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", *files, *sm2]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (tmp_path / "message").write_bytes(MESSAGE + b" ")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("n", [0, 1])
def test_only_the_key_itself_and_the_very_message_verify(n: int) -> None:
    key, signature = RECORDER.public_keys[n], RECORDER.sign(MESSAGE)[n].sig
    assert key.verifies(signature, MESSAGE)
    assert not key.verifies(signature, MESSAGE + b"x")
    assert not THIEF.public_keys[n].verifies(signature, MESSAGE)
    for at in range(len(signature)):
        spoiled = bytearray(signature)
        spoiled[at] ^= 1
        assert not key.verifies(bytes(spoiled), MESSAGE)
    for hostile in (b"", b"\0" * 64, b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x30\x80", b"\xff" * 200):
        assert not key.verifies(hostile, MESSAGE)


def test_a_key_that_is_no_point_verifies_nothing() -> None:
    assert not PublicKey("sm2", b"\x04" + b"\1" * 64).verifies(RECORDER.sign(MESSAGE)[1].sig, MESSAGE)
    assert not PublicKey("ed25519", b"\xff" * 32).verifies(RECORDER.sign(MESSAGE)[0].sig, MESSAGE)


def test_a_point_has_one_spelling() -> None:
    sm2 = RECORDER.public_keys[1]
    for first in range(256):  # 6 and 7: the hybrid form, which openssl reads and writes as it is
        spelled = PublicKey("sm2", bytes([first]) + sm2.raw[1:])
        if first != 4:
            with pytest.raises(KeyInvalid):
                public_key(spelled.pem)


def test_a_key_survives_its_pem() -> None:
    for key in RECORDER.public_keys:
        assert public_key(key.pem) == key
        assert public_key(key.pem.replace(b"\n", b"\r\n")) == key


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        b"-----BEGIN PUBLIC KEY-----\n\xff\n-----END PUBLIC KEY-----",
        RECORDER.public_keys[0].pem * 2,
        b"x" * 5000,
    ],
)
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyInvalid):
        public_key(pem)


def test_a_digest_is_both_hashes_of_all_pieces() -> None:
    digest = Digest(b"ab")
    digest.update(memoryview(b"c"))
    assert digest.sha256 == hashlib.sha256(b"abc").hexdigest()
    # GB/T 32905-2016, annex A.1
    assert digest.sm3 == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" == sm3(b"abc").hex()
    assert digest.size == 3
