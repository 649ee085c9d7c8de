"""A proof that a log has a line, and every way in which it is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.evidence.checkpoint import Checkpoint, Note, NoteInvalid, NoteKey, sign
from recorder.evidence.proof import LogProof, check_proof, parse_proof
from recorder.evidence.tree import ProofInvalid, Tree, leaf_hash
from tests.bundles import RECORDER, THIEF

LOG = NoteKey("log.example/one", RECORDER.public_keys[0])


def line(n: int) -> bytes:
    return f"record {n}".encode()


def proof_of(index: int, size: int) -> LogProof:
    tree = Tree()
    for n in range(size):
        tree.append(leaf_hash(line(n)))
    text = Checkpoint(LOG.name, size, tree.root()).text
    note = Note(text, (sign(text, LOG, lambda message: RECORDER.sign(message)[0].sig),))
    return LogProof(index, tuple(tree.inclusion(index)), note)


def test_every_line_of_small_logs_is_proven() -> None:
    for size in range(1, 20):
        for index in range(size):
            proof = parse_proof(proof_of(index, size).encoded)
            assert check_proof(proof, line(index), LOG).size == size


def test_another_line_place_or_log_is_not() -> None:
    proof = proof_of(3, 9)
    with pytest.raises(ProofInvalid):
        check_proof(proof, line(4), LOG)
    with pytest.raises(ProofInvalid):
        check_proof(LogProof(4, proof.path, proof.note), line(3), LOG)
    for key in (NoteKey("log.example/two", LOG.key), NoteKey(LOG.name, THIEF.public_keys[0])):
        with pytest.raises(NoteInvalid):
            check_proof(proof, line(3), key)


def test_extra_data_rides_along() -> None:
    text = proof_of(3, 9).encoded.replace(b"\nindex", b"\nextra AAAA\nindex", 1)
    assert parse_proof(text) == replace(proof_of(3, 9), extra=bytes(3))
    assert parse_proof(text).encoded == text


@given(st.binary(max_size=200), st.integers(0, 800), st.integers(0, 7))
def test_other_bytes_are_refused_or_prove_nothing_else(junk: bytes, at: int, bit: int) -> None:
    text = bytearray(proof_of(3, 9).encoded)
    text[at % len(text)] ^= 1 << bit
    for data in (junk, bytes(text), bytes(text[: at % len(text)])):
        try:
            check_proof(parse_proof(data), line(3), LOG)
        except (NoteInvalid, ProofInvalid):
            continue
        raise AssertionError(data)
