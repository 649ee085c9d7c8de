"""Checkpoints, notes and cosignatures: the C2SP forms, and what must not pass for one."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recorder.evidence.checkpoint import (
    Checkpoint,
    Note,
    NoteInvalid,
    NoteKey,
    cosign,
    cosigned_at,
    parse_checkpoint,
    parse_note,
    sign,
    signed_by,
)
from recorder.evidence.sign import PublicKey


def key(seed: int, name: str, kind: str = "ed25519") -> tuple[Ed25519PrivateKey, NoteKey]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return private, NoteKey(name, PublicKey("ed25519", raw), "cosignature" if kind == "cosignature" else "ed25519")


LOG, LOG_KEY = key(1, "hospital.example/log")
WITNESS, WITNESS_KEY = key(2, "witness.example/w1", "cosignature")
CHECKPOINT = Checkpoint("hospital.example/log", 42, bytes(range(32)))


def note() -> Note:
    signed = Note(CHECKPOINT.text, (sign(CHECKPOINT.text, LOG_KEY, LOG.sign),))
    return signed.with_signature(cosign(CHECKPOINT.text, WITNESS_KEY, 1_800_000_000, WITNESS.sign))


def test_what_is_written_is_read() -> None:
    read = parse_note(note().encoded)
    assert read == note()
    assert parse_checkpoint(read.text) == CHECKPOINT
    assert signed_by(read, LOG_KEY)
    assert cosigned_at(read, WITNESS_KEY) == 1_800_000_000


def test_the_text_is_three_lines_and_signature_lines_begin_with_a_dash() -> None:
    text, _, tail = note().encoded.decode().partition("\n\n")
    assert text.split("\n") == ["hospital.example/log", "42", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
    assert all(line.startswith("\u2014 ") for line in tail.splitlines())


def test_a_log_is_not_its_witness_and_a_name_alone_is_nobody() -> None:
    other, other_key = key(3, LOG_KEY.name)
    forged = Note(CHECKPOINT.text, (sign(CHECKPOINT.text, LOG_KEY, other.sign),))
    assert not signed_by(forged, LOG_KEY)
    assert not signed_by(note(), other_key)
    assert cosigned_at(note(), NoteKey(WITNESS_KEY.name, LOG_KEY.key, "cosignature")) is None


def test_a_witnesses_time_is_one_that_c2sp_allows() -> None:
    for time, so in ((0, True), (2**63 - 1, True), (2**63, False), (2**64 - 1, False)):
        signed = Note(CHECKPOINT.text, (cosign(CHECKPOINT.text, WITNESS_KEY, time, WITNESS.sign),))
        assert (cosigned_at(signed, WITNESS_KEY) == time) is so


def test_a_changed_size_or_time_is_not_what_was_signed() -> None:
    larger = Note(note().text.replace("42", "43"), note().signatures)
    assert not signed_by(larger, LOG_KEY)
    assert cosigned_at(larger, WITNESS_KEY) is None
    raw = bytearray(note().signatures[1].signature)
    raw[7] ^= 1
    moved = Note(note().text, (type(note().signatures[1])(WITNESS_KEY.name, WITNESS_KEY.hint, bytes(raw)),))
    assert cosigned_at(moved, WITNESS_KEY) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n1\n",
        "a\n01\nAAAA\n",
        "a\n-1\n" + "A" * 43 + "=\n",
        "\n1\n" + "A" * 43 + "=\n",
        "a\n1\nAAAA\n",
        "a\n１\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_checkpoint(text)


def test_nothing_that_is_sent_breaks_the_reader_or_passes_for_signed() -> None:
    dice = random.Random(9)
    good = note().encoded
    for _ in range(5000):
        bad = bytearray(good)
        place = dice.randrange(len(bad))
        bad[place] ^= 1 << dice.randrange(8)
        try:
            read = parse_note(bytes(bad))
        except NoteInvalid:
            continue
        assert not (signed_by(read, LOG_KEY) and cosigned_at(read, WITNESS_KEY) is not None)
