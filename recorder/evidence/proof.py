"""A proof that a log has a line: C2SP tlog-proof, one text that needs nothing beside it but the keys one trusts.

The first line says what it is, `index N` where the line stands in the log, then come the steps of the audit path in base64,
an empty line, and the checkpoint with its signatures. A line `extra` after the first may carry bytes; nothing in the proof
vouches for them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recorder.evidence.checkpoint import (
    Checkpoint,
    Note,
    NoteInvalid,
    NoteKey,
    parse_checkpoint,
    parse_note,
    signed_by,
    unbase64,
)
from recorder.evidence.tree import check_inclusion, leaf_hash

MAGIC = "c2sp.org/tlog-proof@v1"
MAX_STEPS = 63

_CHECKPOINT = re.compile(r"[!-~]+\n[0-9]{1,15}\n[A-Za-z0-9+/=]+\n")


@dataclass(frozen=True, slots=True)
class LogProof:
    """The line at `index` (from 0) is in the log that the note's checkpoint speaks of. Not yet checked."""

    index: int
    path: tuple[bytes, ...]
    note: Note
    extra: bytes = b""

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says. Raises `NoteInvalid`."""
        return parse_checkpoint(self.note.text)

    @property
    def encoded(self) -> bytes:
        """The whole text."""
        extra = f"extra {base64.b64encode(self.extra).decode()}\n" if self.extra else ""
        return f"{MAGIC}\n{extra}index {self.index}\n{write_steps(self.path)}\n".encode() + self.note.encoded


def parse_proof(data: bytes) -> LogProof:
    """Read a proof, whose checkpoint is three lines of printable ASCII and no more (LOG-1). Raises `NoteInvalid`."""
    head, gap, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteInvalid("not ASCII") from None
    if not gap or lines[0] != MAGIC:
        raise NoteInvalid("not a proof")
    has_extra = len(lines) > 1 and lines[1].startswith("extra ")
    extra = unbase64(lines[1].removeprefix("extra ")) if has_extra else b""
    rest = lines[2:] if has_extra else lines[1:]
    if not rest or not rest[0].startswith("index "):
        raise NoteInvalid("not a proof")
    read = parse_note(note)
    if _CHECKPOINT.fullmatch(read.text) is None:
        raise NoteInvalid("more, or other, than a checkpoint")
    return LogProof(decimal(rest[0].removeprefix("index ")), read_steps(rest[1:]), read, extra)


def of_one_tree(one: LogProof, other: LogProof) -> bool:
    """Whether two checked proofs of the same line can be of one log that only grew: same name and place, and every whole
    subtree that both name is the same in both. All that was in the log before the line is in such subtrees.

    Raises `NoteInvalid`.
    """
    if (one.checkpoint.origin, one.index) != (other.checkpoint.origin, other.index):
        return False
    ours, theirs = _subtrees(one), _subtrees(other)
    if one.checkpoint.size == other.checkpoint.size and one.checkpoint.root != other.checkpoint.root:
        return False
    return all(ours[place] == theirs[place] for place in ours.keys() & theirs.keys())


def _subtrees(proof: LogProof) -> dict[tuple[int, int], bytes]:
    """(level, number) → hash of each subtree of the path that will never change (RFC 9162 §2.1.3.1)."""
    size, found = proof.checkpoint.size, {}
    node, last, level, steps = proof.index, proof.checkpoint.size - 1, 0, iter(proof.path)
    while last > 0:
        beside = node ^ 1
        if beside <= last:
            step = next(steps)
            if (beside + 1) << level <= size:
                found[level, beside] = step
        node, last, level = node >> 1, last >> 1, level + 1
    return found


def write_steps(steps: Iterable[bytes]) -> str:
    """A path's hashes as C2SP writes them: base64, a line each."""
    return "".join(f"{base64.b64encode(step).decode()}\n" for step in steps)


def read_steps(lines: Sequence[str]) -> tuple[bytes, ...]:
    """The hashes of a path. Raises `NoteInvalid`."""
    steps = tuple(unbase64(line) for line in lines)
    if len(steps) > MAX_STEPS or any(len(step) != 32 for step in steps):
        raise NoteInvalid("too many steps, or one that is not 32 bytes")
    return steps


def check_proof(proof: LogProof, line: bytes, log: NoteKey) -> Checkpoint:
    """That this log signed the checkpoint, and the line is in it. Raises `NoteInvalid` or `ProofInvalid`."""
    checkpoint = proof.checkpoint
    if checkpoint.origin != log.name or not signed_by(proof.note, log):
        raise NoteInvalid("not signed by this log")
    check_inclusion(leaf_hash(line), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint


def decimal(text: str) -> int:
    """A number as C2SP writes it: ASCII digits, no leading zeros. Raises `NoteInvalid`."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (text != "0" and text.startswith("0")):
        raise NoteInvalid("not a decimal number")
    return int(text)
