"""Whether the proof in a recording shows its closing record in a log, and who cosigned that log (FORMAT.md §8, LOG)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from recorder.evidence.checkpoint import Note, NoteInvalid, NoteKey, cosigned_at, parse_vkey, signed_by
from recorder.evidence.errors import EvidenceError
from recorder.evidence.layout import PROOF
from recorder.evidence.proof import LogProof, parse_proof
from recorder.evidence.sign import PublicKey
from recorder.evidence.tree import ProofInvalid, check_inclusion, leaf_hash
from recorder.evidence.trust import Trust

Witnessed = Literal["none", "local", "declared", "trusted"]
"""By nobody; by the recorder's own witness; by others the recording names; by one of the reader's list."""


class LogBroken(EvidenceError):
    """The proof breaks `rule`."""

    code = "log_broken"

    def __init__(self, rule: str) -> None:
        super().__init__(f"{rule} at {PROOF}")
        self.rule = rule


class Logged(NamedTuple):
    """The log that has the recording, its size then, and the witnesses that cosigned."""

    log: str
    size: int
    witnesses: tuple[NoteKey, ...]

    def by(self, trust: Trust | None) -> Witnessed:
        """The best that can be said of the witnesses."""
        if not self.witnesses:
            return "none"
        if trust is not None and trust.witnesses & set(self.witnesses):
            return "trusted"
        return "local" if all(is_local(key.name, self.log) for key in self.witnesses) else "declared"


def is_local(witness: str, log: str) -> bool:
    """Whether this witness is run by the recorder itself: it carries the log's own name."""
    return witness.startswith(f"{log}/")


def judge_proof(data: bytes, close: bytes, key: PublicKey, declared: Iterable[str]) -> Logged:
    """Check the proof's bytes. `close`: the line of the closing record; `key`: the recording's Ed25519 key;

    `declared`: the verifier keys `open` names. Raises `LogBroken`: LOG-1 to LOG-4.
    """
    try:
        proof = parse_proof(data)
        checkpoint = proof.checkpoint
    except NoteInvalid:
        raise LogBroken("LOG-1") from None
    if proof.extra or proof.encoded != data:  # `extra`, which nothing vouches for here
        raise LogBroken("LOG-1")
    log = NoteKey(checkpoint.origin, key)
    if not signed_by(Note(proof.note.text, proof.note.signatures[:1]), log):
        raise LogBroken("LOG-2")
    try:
        check_inclusion(leaf_hash(close), proof.index, checkpoint.size, proof.path, checkpoint.root)
    except ProofInvalid:
        raise LogBroken("LOG-3") from None
    return Logged(checkpoint.origin, checkpoint.size, _cosigners(proof, declared))


def cosigned_only_by(data: bytes, declared: Iterable[str]) -> bytes:
    """A proof without the cosignatures of witnesses that this recording does not name, as LOG-4 asks.

    Of a day's one manifest the proof has all of that day's witnesses, and a visit may have begun before one of them was
    asked. What is no proof is given back as it is: the verifier says so.
    """
    try:
        proof = parse_proof(data)
    except NoteInvalid:
        return data
    known = {(key.name, key.hint) for key in map(_witness, declared) if key is not None}
    first, *others = proof.note.signatures
    kept = (one for one in others if (one.name, one.hint) in known)
    return LogProof(proof.index, proof.path, Note(proof.note.text, (first, *kept)), proof.extra).encoded


def _cosigners(proof: LogProof, declared: Iterable[str]) -> tuple[NoteKey, ...]:
    # LOG-4: nothing else may stand under the checkpoint, or it could be changed unseen.
    witnesses = {(key.name, key.hint): key for key in map(_witness, declared) if key is not None}
    found: list[NoteKey] = []
    for signature in proof.note.signatures[1:]:
        key = witnesses.pop((signature.name, signature.hint), None)
        if key is None or cosigned_at(Note(proof.note.text, (signature,)), key) is None:
            raise LogBroken("LOG-4")
        found.append(key)
    return tuple(found)


def _witness(word: str) -> NoteKey | None:
    try:
        key = parse_vkey(word)
    except NoteInvalid:
        return None
    return key if key.kind == "cosignature" else None
