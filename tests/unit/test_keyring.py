"""The keyring: durable, mergeable, and gone when it is shredded."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.sealing.data_key import HeldKey, Wrap, commitment, is_of
from recorder.sealing.keyring import Keyring, KeyringDamaged

LOCAL, KMS = Wrap("local", "l1", b"local"), Wrap("kms", "k1", b"kms")
ONE = HeldKey("1" * 64, "aes256gcm", (LOCAL,), "patient")
TWO = HeldKey("2" * 64, "sm4gcm", (LOCAL, KMS), "doctor")


def test_keys_are_kept_and_found_again_by_another_process(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    ring.add("v1", [ONE])
    ring.add("v1", [ONE, TWO])
    assert Keyring(tmp_path).keys("v1") == [ONE, TWO]
    assert ring.keys("v2") == ring.keys("../v1") == []
    assert (tmp_path / "live" / "v1.json").stat().st_mode & 0o777 == 0o600


def test_a_visit_is_live_while_this_machine_keeps_a_key_of_it(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    ring.add("v1", [ONE, TWO])
    assert ring.live() == ["v1"]
    ring.change("v1", lambda held: held.with_wrap(KMS).without("local"))
    assert ring.live() == []
    assert [held.wraps for held in ring.keys("v1")] == [(KMS,), (KMS,)]
    assert ring.visits() == ["v1"]


def test_shredding_leaves_nothing_and_may_be_repeated(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    ring.add("v1", [TWO])
    ring.add("v2", [TWO])
    for _ in range(2):
        ring.shred("v1")
    assert ring.keys("v1") == []
    assert ring.visits() == ["v2"]
    ring.change("v1", lambda held: held)
    assert ring.visits() == ["v2"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    (tmp_path / "kept" / "v1.json").write_bytes(b"[{]")
    with pytest.raises(KeyringDamaged, match=r"v1\.json"):
        ring.keys("v1")


def test_the_name_of_a_key_is_its_commitment() -> None:
    secret = bytes(range(32))
    assert len(bytes.fromhex(commitment(secret))) == 32
    assert is_of(commitment(secret), secret)
    assert not is_of(commitment(secret), secret[::-1])
    assert not is_of(commitment(secret), secret[:31])
