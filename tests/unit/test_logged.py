"""The proof in a recording: what it shows, and every harm to it, by the rule's name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from recorder.evidence.checkpoint import Checkpoint, Note, NoteInvalid, NoteKey, NoteSignature, cosign, sign
from recorder.evidence.layout import PROOF
from recorder.evidence.proof import LogProof, parse_proof
from recorder.evidence.tree import Tree, leaf_hash
from recorder.evidence.trust import Trust, parse_trust
from recorder.evidence.verify import Verdict, verify
from tests.bundles import ORIGIN, RECORDER, THIEF, MemoryReader, Scribe, keys_of

Objects = dict[str, bytes]

ALONE = keys_of("the recorder", sm2=False)
NAME = f"{ORIGIN}/{ALONE.fingerprint[:16]}"
LOG = NoteKey(NAME, ALONE.public_keys[0])
WITNESSES = {name: keys_of(name, sm2=False) for name in (f"{NAME}/witness", "outside.example")}
LOCAL, OUTSIDE = (NoteKey(name, keys.public_keys[0], "cosignature") for name, keys in WITNESSES.items())


def cosignature(key: NoteKey, text: str) -> NoteSignature:
    return cosign(text, key, 1_780_000_000, lambda message: keys_of(key.name, sm2=False).sign(message)[0].sig)


def logged_visit(*cosigners: NoteKey, closed: bool = True) -> Objects:
    """A short visit whose last record is the 40th of 90 leaves of a log."""
    scribe = Scribe(Random(1), keys=ALONE)
    scribe.note(
        "open",
        {
            "seats": {"doctor": "d", "patient": "p"},
            "recorder": "recorder-1",
            "epoch": "r-1",
            "witnesses": [key.vkey for key in dict.fromkeys((LOCAL, OUTSIDE, *cosigners))],
        },
    )
    for seat in ("doctor", "patient"):
        scribe.consent(seat)
    scribe.start("doctor", "patient")
    for seat in ("doctor", "patient"):
        scribe.part(seat, 0)
        scribe.until(2000)
        scribe.segment(seat, 0, 2000)
    if closed:
        scribe.close(2000)
    scribe.flush()
    line = scribe.objects[max(name for name in scribe.objects if name.startswith("records/"))].splitlines()[-1]
    return {**scribe.objects, PROOF: proof_of(line, *cosigners).encoded}


def proof_of(line: bytes, *cosigners: NoteKey) -> LogProof:
    tree = Tree()
    for n in range(90):
        tree.append(leaf_hash(line if n == 40 else b"%d" % n))
    text = Checkpoint(NAME, 90, tree.root()).text
    note = Note(text, (sign(text, LOG, lambda message: ALONE.sign(message)[0].sig),))
    for key in cosigners:
        note = note.with_signature(cosignature(key, text))
    return LogProof(40, tuple(tree.inclusion(40)), note)


def judge(objects: Objects, trust: Trust | None = None) -> Verdict:
    return verify(MemoryReader(objects), trust=trust)


def changed(change: Callable[[LogProof], LogProof]) -> Objects:
    objects = logged_visit(LOCAL, OUTSIDE)
    objects[PROOF] = change(parse_proof(objects[PROOF])).encoded
    return objects


def test_a_recording_without_a_proof_is_witnessed_by_nobody() -> None:
    objects = logged_visit()
    del objects[PROOF]
    assert (judge(objects).complete, judge(objects).witnessed) == (True, "none")


@pytest.mark.parametrize(
    ("cosigners", "witnessed"),
    [((), "none"), ((LOCAL,), "local"), ((LOCAL, OUTSIDE), "declared"), ((OUTSIDE,), "declared")],
)
def test_the_verdict_says_whose_word_it_is(cosigners: tuple[NoteKey, ...], witnessed: str) -> None:
    verdict = judge(logged_visit(*cosigners))
    assert (verdict.broken, verdict.witnessed, verdict.log) == ([], witnessed, NAME)
    assert verdict.witnesses == [key.name for key in cosigners]


def test_a_quorum_of_the_readers_own_list_is_asked_for() -> None:
    trust = parse_trust(f"witness {OUTSIDE.vkey}\nquorum 1\n")
    assert judge(logged_visit(LOCAL, OUTSIDE), trust).witnessed == "trusted"
    without = logged_visit(LOCAL)
    assert judge(without, trust).broken == [("LOG-5", PROOF)]
    del without[PROOF]
    assert judge(without, trust).broken == [("LOG-5", PROOF)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda p: LogProof(41, p.path, p.note), "LOG-3"),
        (lambda p: LogProof(40, p.path[1:], p.note), "LOG-3"),
        (lambda p: LogProof(40, (bytes(32), *p.path[1:]), p.note), "LOG-3"),
        (
            lambda p: LogProof(p.index, p.path, Note(p.note.text.replace("\n90\n", "\n91\n"), p.note.signatures)),
            "LOG-2",
        ),
        (lambda p: LogProof(p.index, p.path, Note(p.note.text, p.note.signatures[1:])), "LOG-2"),
        (lambda p: LogProof(p.index, p.path, Note(p.note.text, p.note.signatures[::-1])), "LOG-2"),
        (lambda p: LogProof(p.index, p.path, Note(p.note.text, (*p.note.signatures, p.note.signatures[1]))), "LOG-4"),
        (lambda p: LogProof(p.index, p.path, Note(p.note.text, (*p.note.signatures, p.note.signatures[0]))), "LOG-4"),
    ],
)
def test_a_changed_proof_is_caught(change: Callable[[LogProof], LogProof], rule: str) -> None:
    verdict = judge(changed(change))
    assert verdict.broken == [(rule, PROOF)]
    assert not verdict.intact


@pytest.mark.parametrize("name", ['a"b', "a\\b", "hôpital.example", "w" * 256])
def test_a_witness_whose_name_json_and_a_note_write_differently_is_nobody(name: str) -> None:
    odd = NoteKey(name, keys_of(name, sm2=False).public_keys[0], "cosignature")
    assert judge(logged_visit(LOCAL)).intact
    assert judge(logged_visit(LOCAL, odd)).broken == [("LOG-4", PROOF)]


@pytest.mark.parametrize(
    "change", [lambda t: f"{t}more\n", lambda t: f"é{t}", lambda t: t.replace("\n90\n", f"\n{10**15}\n")]
)
def test_a_checkpoint_of_more_than_three_plain_lines_is_no_proof(change: Callable[[str], str]) -> None:
    text = change(Checkpoint(NAME, 90, bytes(32)).text)
    with pytest.raises(NoteInvalid):
        parse_proof(
            LogProof(40, (), Note(text, (sign(text, LOG, lambda message: ALONE.sign(message)[0].sig),))).encoded
        )


def test_a_log_signed_by_another_is_caught() -> None:
    def stolen(proof: LogProof) -> LogProof:
        key = NoteKey(NAME, THIEF.public_keys[0])
        text = proof.note.text
        return LogProof(proof.index, proof.path, Note(text, (sign(text, key, lambda m: THIEF.sign(m)[0].sig),)))

    assert judge(changed(stolen)).broken == [("LOG-2", PROOF)]


def test_another_visits_proof_or_one_of_an_open_visit_is_caught() -> None:
    objects = logged_visit(LOCAL)
    objects[PROOF] = proof_of(b"another visit's close", LOCAL).encoded
    assert judge(objects).broken == [("LOG-3", PROOF)]
    assert judge(logged_visit(LOCAL, closed=False)).broken[0] == ("LOG-1", PROOF)


def test_no_bit_of_a_proof_can_be_changed() -> None:
    objects = logged_visit(LOCAL, OUTSIDE)
    proof = objects[PROOF]
    for at in range(len(proof)):
        spoiled = bytearray(proof)
        spoiled[at] ^= 1 << at % 8
        assert not judge({**objects, PROOF: bytes(spoiled)}).intact, at
    for data in (b"", proof[:-1], proof + b"\n", proof.replace(b"\nindex", b"\nextra AAAA\nindex")):
        assert judge({**objects, PROOF: data}).broken == [("LOG-1", PROOF)]


def test_recorder_with_sm2_signs_the_log_with_ed25519() -> None:
    assert RECORDER.public_keys[0].alg == "ed25519"
