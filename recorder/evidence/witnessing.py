"""The law of a witness (C2SP tlog-witness): which checkpoint of a log may follow the one it saw last.

WIT-1  A log whose key is not known, or whose checkpoint that key did not sign, is told nothing but that.
WIT-2  A checkpoint follows the one seen last: as large with the same root, or larger with a proof that it only grew.
WIT-3  What is cosigned next is remembered first: whoever keeps the state stores it durably before the cosignature leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recorder.evidence.checkpoint import (
    Checkpoint,
    Note,
    NoteInvalid,
    NoteKey,
    parse_checkpoint,
    parse_note,
    signed_by,
)
from recorder.evidence.errors import EvidenceError
from recorder.evidence.proof import decimal, read_steps, write_steps
from recorder.evidence.tree import ProofInvalid, check_consistency

MAX_REQUEST = 1 << 17


class WitnessRefused(EvidenceError):
    """The witness does not cosign; `status` is HTTP's, `seen` the size it knows where that is the answer.

    `forked`: the name of a log that signed two histories, which is what a witness is there to tell.
    """

    code = "witness_refused"

    def __init__(self, status: int, why: str, seen: int | None = None, forked: str | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.seen = seen
        self.forked = forked


@dataclass(frozen=True, slots=True)
class Submission:
    """`add-checkpoint`: a checkpoint, and the proof that it grew from the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says. Raises `NoteInvalid`."""
        return parse_checkpoint(self.note.text)

    @property
    def encoded(self) -> bytes:
        """The request's body."""
        return f"old {self.old}\n{write_steps(self.proof)}\n".encode() + self.note.encoded


def parse_submission(body: bytes) -> Submission:
    """Read a request's body. Raises `WitnessRefused` (400)."""
    head, gap, note = body.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        if not gap or len(body) > MAX_REQUEST or not lines[0].startswith("old "):
            raise NoteInvalid("not a submission")
        submission = Submission(decimal(lines[0].removeprefix("old ")), read_steps(lines[1:]), parse_note(note))
        if submission.old > submission.checkpoint.size:
            raise NoteInvalid("the tree shrank")
    except UnicodeDecodeError:
        raise WitnessRefused(400, "the proof is not ASCII") from None
    except NoteInvalid as error:
        raise WitnessRefused(400, str(error)) from None
    return submission


def judge(submission: Submission, known: Sequence[NoteKey], seen: Checkpoint | None) -> Checkpoint:
    """The checkpoint to remember and then to cosign. `known`: the log's keys; `seen`: the one before.

    Raises `WitnessRefused`: 404, 403, 409, 422 as C2SP has them.
    """
    new = submission.checkpoint
    keys = [key for key in known if key.name == new.origin]
    if not keys:  # WIT-1
        raise WitnessRefused(404, "no such log here")
    if not any(signed_by(submission.note, key) for key in keys):
        raise WitnessRefused(403, "not signed by the log's key")
    size = seen.size if seen is not None else 0
    if submission.old != size:
        raise WitnessRefused(409, "another size was seen last", size)
    if seen is not None and new.size == size and new.root != seen.root:  # WIT-2: a fork of equal size
        raise WitnessRefused(409, "another tree of this size was seen", size, new.origin)
    try:
        if seen is not None:
            check_consistency(size, seen.root, new.size, new.root, submission.proof)
        elif submission.proof:
            raise ProofInvalid("a proof from nothing")
    except ProofInvalid as error:  # WIT-2: it did not only grow
        raise WitnessRefused(422, str(error)) from None
    return new
