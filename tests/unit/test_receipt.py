"""A receipt held against the reader's list of keys, and against a bundle."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from recorder.bundle.directory import verify_directory
from recorder.bundle.held_against import with_receipt
from recorder.evidence.canon import canonical, parse
from recorder.evidence.checkpoint import Checkpoint, Note, NoteKey, sign
from recorder.evidence.layout import PROOF
from recorder.evidence.proof import LogProof, parse_proof
from recorder.evidence.receipt import Receipt, ReceiptInvalid, make_receipt, parse_receipt
from recorder.evidence.tree import Tree, leaf_hash
from recorder.evidence.trust import Trust
from recorder.log.keys import Keys
from tests.bundles import ORIGIN, honest_visit, keys_of, write_bundle
from tests.estate import ALONE, lines_of

KEY = keys_of("the recorder", sm2=False).public_keys[0]
DIGITS = KEY.fingerprint[:16]
OTHER = "0" * 64


@pytest.mark.parametrize(
    ("listed", "trusted"),
    [
        ({}, None),
        ({"clinic.example/teleconsult": {KEY.fingerprint}}, True),
        ({f"clinic.example/teleconsult/{DIGITS}": {KEY.fingerprint}}, True),  # an origin without a public name
        ({"clinic.example/teleconsult": {OTHER}}, False),
        ({f"clinic.example/teleconsult/{DIGITS}": {OTHER}}, False),
        ({"clinic.example/teleconsult": {KEY.fingerprint}, f"clinic.example/teleconsult/{DIGITS}": {OTHER}}, False),
        ({"elsewhere.example/teleconsult": {KEY.fingerprint}}, None),
    ],
)
def test_the_key_is_looked_for_under_both_names_of_its_origin(
    listed: dict[str, set[str]], trusted: bool | None
) -> None:
    receipt = Receipt("v1", 7, "ab", origin="clinic.example/teleconsult", key=KEY)
    assert receipt.trusted_by(Trust({origin: frozenset(keys) for origin, keys in listed.items()})) is trusted


def test_the_short_form_has_no_key_to_trust() -> None:
    assert Receipt("v1", 7, "ab").trusted_by(Trust({})) is None


VISIT = honest_visit(Random(3), keys=ALONE)
CLOSE = lines_of(VISIT)[-1]
THIEF = keys_of("a thief", sm2=False)


def proof(before: list[bytes], after: list[bytes], keys: Keys = ALONE, name: str = "") -> bytes:
    """The proof of the visit's end in a log with these leaves around it."""
    tree = Tree()
    for line in before:
        tree.append(leaf_hash(line))
    index = tree.append(leaf_hash(CLOSE))
    for line in after:
        tree.append(leaf_hash(line))
    key = NoteKey(name or f"{ORIGIN}/{keys.fingerprint[:16]}", keys.public_keys[0])
    text = Checkpoint(key.name, tree.size, tree.root(tree.size)).text
    note = Note(text, (sign(text, key, lambda message: keys.sign(message)[0].sig),))
    return LogProof(index, tuple(tree.inclusion(index, tree.size)), note).encoded


def held(own: bytes, receipt: bytes, folder: Path) -> list[str]:
    bundle = write_bundle({"bundle.json": b"{}", **VISIT, PROOF: own}, folder)
    return [one.rule for one in with_receipt(verify_directory(bundle), parse_receipt(receipt), bundle).broken]


def lines(count: int, what: str = "line") -> list[bytes]:
    return [f"{what} {n}".encode() for n in range(count)]


@pytest.mark.parametrize("before", [0, 1, 5, 8, 13])
@pytest.mark.parametrize(("then", "later"), [(0, 0), (0, 9), (3, 4), (7, 1)])
def test_a_receipt_of_the_same_log_at_any_size_holds(before: int, then: int, later: int, tmp_path: Path) -> None:
    own, other = (proof(lines(before), lines(size, "after")) for size in (then, later))
    assert held(own, make_receipt(other, CLOSE, KEY, []), tmp_path) == []


@pytest.mark.parametrize("before", [1, 5, 8, 13])
def test_a_receipt_of_a_forked_log_is_named(before: int, tmp_path: Path) -> None:
    own = proof(lines(before), lines(3, "after"))
    for number, fork in enumerate(
        (
            proof([b"another", *lines(before)[1:]], lines(3, "after")),
            proof([b"another", *lines(before)[1:]], lines(9, "after")),
            proof(lines(before + 1), lines(3, "after")),
            proof(lines(before), [*lines(2, "after"), b"another"]),
            proof(lines(before), lines(3, "after"), name=f"elsewhere.example/{DIGITS}"),
        )
    ):
        assert held(own, make_receipt(fork, CLOSE, KEY, []), tmp_path / str(number)) == ["RECEIPT-3"]


def test_a_receipt_that_somebody_else_signed_is_not_of_this_recording(tmp_path: Path) -> None:
    own = proof(lines(5), [])
    forged = make_receipt(proof(lines(5), [], THIEF), CLOSE, THIEF.public_keys[0], [])
    assert held(own, forged, tmp_path) == ["RECEIPT-2"]


def test_a_receipt_of_an_earlier_record_or_of_another_visit_is_none_of_this_one(tmp_path: Path) -> None:
    own = proof(lines(5), [])
    other = lines_of(honest_visit(Random(4), "another", ALONE))[-1]
    tree = Tree()
    tree.append(leaf_hash(other))
    key = NoteKey(f"{ORIGIN}/{DIGITS}", KEY)
    text = Checkpoint(key.name, 1, tree.root(1)).text
    note = Note(text, (sign(text, key, lambda message: ALONE.sign(message)[0].sig),))
    assert held(own, make_receipt(LogProof(0, (), note).encoded, other, KEY, []), tmp_path) == ["RECEIPT-2"]
    earlier = lines_of(VISIT)[-2]
    with pytest.raises(ReceiptInvalid, match="RECEIPT-1"):
        parse_receipt(make_receipt(LogProof(0, (), note).encoded, earlier, KEY, []))


def test_a_short_form_that_was_cut_or_spoiled_is_no_receipt(tmp_path: Path) -> None:
    own = proof(lines(5), [])
    short = parse_receipt(make_receipt(own, CLOSE, KEY, [])).short.encode()
    assert held(own, short, tmp_path) == []
    for cut in range(len(short)):
        with pytest.raises(ReceiptInvalid, match="RECEIPT-1"):
            parse_receipt(short[:cut])
    for spoiled in (
        short + b" ",
        short + b"\n\n",
        b" " + short,
        short.upper(),
        short.replace(b" ", b"\t"),
        base64.b64encode(short),
    ):
        with pytest.raises(ReceiptInvalid):
            parse_receipt(spoiled)
    digits = short.split(b" ")
    for number in (b"0", b"0" + digits[2], b"+" + digits[2], digits[2] + b".0", b"9" * 10):
        with pytest.raises(ReceiptInvalid, match="RECEIPT-1"):
            parse_receipt(b" ".join([digits[0], digits[1], number, digits[3]]))
    for changed in (digits[2] + b"0", b"1"):
        other = b" ".join([digits[0], digits[1], changed, digits[3]])
        assert held(own, other, tmp_path / changed.decode()) == ["RECEIPT-2"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda extra: {**extra, "key": extra["key"].replace("\n", "\r\n")},
        lambda extra: {**extra, "key": extra["key"].strip()},
        lambda extra: {**extra, "key": "\n" + extra["key"]},
        lambda extra: {**extra, "record": extra["record"] + "\n"},
        lambda extra: {**extra, "record": "[" * 30_000},
        lambda extra: {**extra, "witnesses": None},
        lambda extra: {**extra, "more": 1},
    ],
)
def test_a_receipt_has_one_spelling(spoil: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    whole = parse_proof(make_receipt(proof(lines(5), []), CLOSE, KEY, []))
    said = canonical(spoil(parse(whole.extra)))
    with pytest.raises(ReceiptInvalid, match="RECEIPT-1"):
        parse_receipt(LogProof(whole.index, whole.path, whole.note, said).encoded)
