"""Signed statements of how large a log is: C2SP tlog-checkpoint in a C2SP signed note, and a witness's cosignature.

A checkpoint's text is three lines (origin, size, root in base64) and perhaps more; a note is the text, an empty line, and
signature lines `— name base64(hint ‖ signature)`. The hint is the first 4 bytes of SHA-256(name ‖ "\\n" ‖ type ‖ key). A
witness signs `cosignature/v1`, the time and the text (C2SP tlog-cosignature), so that its word is about a moment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Literal

from recorder.evidence.errors import EvidenceError
from recorder.evidence.sign import PublicKey

ED25519, COSIGNATURE = 0x01, 0x04
MAX_NOTE, MAX_SIGNATURES = 1 << 16, 32

_DASH = "\u2014 "
_NAME = re.compile(r"[!-~]{1,255}")
_UNLIKE = frozenset('"\\+')
_TIME = Struct("!Q")


class NoteInvalid(EvidenceError):
    """A note, or a checkpoint in it, is not in the form C2SP gives it, or nobody trusted signed it."""

    code = "note_invalid"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log named `origin` has `size` leaves and this root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A named Ed25519 key: of a log (`ed25519`), or of a witness (`cosignature`)."""

    name: str
    key: PublicKey
    kind: Literal["ed25519", "cosignature"] = "ed25519"

    @property
    def hint(self) -> bytes:
        """Tells keys apart in a note; four bytes, no proof of anything."""
        kind = ED25519 if self.kind == "ed25519" else COSIGNATURE
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([kind]) + self.key.raw).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key in one word, for lists: name, hint and key (C2SP signed-note)."""
        kind = ED25519 if self.kind == "ed25519" else COSIGNATURE
        return f"{self.name}+{self.hint.hex()}+{base64.b64encode(bytes([kind]) + self.key.raw).decode()}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line."""

    name: str
    hint: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """As it stands in a note, with its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.hint + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @property
    def encoded(self) -> bytes:
        """The whole note."""
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()

    def with_signature(self, signature: NoteSignature) -> Note:
        """The same text, signed once more."""
        return Note(self.text, (*self.signatures, signature))


def parse_vkey(text: str) -> NoteKey:
    """The key that a word of a list stands for. Raises `NoteInvalid`."""
    name, _, rest = text.partition("+")
    raw = unbase64(rest.partition("+")[2])
    # Fewer names than C2SP allows: in JSON and in a note these are written alike (LOG-4).
    if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE) or not _is_name(name):
        raise NoteInvalid("not a key's word")
    key = NoteKey(name, PublicKey("ed25519", raw[1:]), "ed25519" if raw[0] == ED25519 else "cosignature")
    if key.vkey != text:
        raise NoteInvalid("not a key's word")
    return key


def parse_note(data: bytes) -> Note:
    """Read a note. Raises `NoteInvalid`."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteInvalid("not UTF-8") from None
    text, gap, tail = whole.rpartition("\n\n")
    if len(data) > MAX_NOTE or not gap or not tail.endswith("\n"):
        raise NoteInvalid("no signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES or any(ord(sign) < 0x20 and sign != "\n" for sign in whole):
        raise NoteInvalid("not a note")
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text is; further lines are allowed and left alone. Raises `NoteInvalid`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0] or not lines[1].isascii() or not lines[1].isdigit():
        raise NoteInvalid("not a checkpoint")
    if len(lines[1]) > 19 or (lines[1] != "0" and lines[1].startswith("0")):
        raise NoteInvalid("the size is not a decimal number")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise NoteInvalid("the root is not 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def sign(text: str, key: NoteKey, with_key: Callable[[bytes], bytes]) -> NoteSignature:
    """A log's signature over a text."""
    return NoteSignature(key.name, key.hint, with_key(text.encode()))


def cosign(text: str, key: NoteKey, time: int, with_key: Callable[[bytes], bytes]) -> NoteSignature:
    """A witness's signature over a text at a time (Unix seconds)."""
    return NoteSignature(key.name, key.hint, _TIME.pack(time) + with_key(_cosigned(text, time)))


def signed_by(note: Note, key: NoteKey) -> bool:
    """Whether this key signed the note's text, validly."""
    return any(_valid(note.text, signature, key) for signature in note.signatures)


def cosigned_at(note: Note, key: NoteKey) -> int | None:
    """When this witness signed it (Unix seconds), None if it did not."""
    for signature in note.signatures:
        if _valid(note.text, signature, key):
            return int(_TIME.unpack_from(signature.signature)[0])
    return None


def _valid(text: str, signature: NoteSignature, key: NoteKey) -> bool:
    if (signature.name, signature.hint) != (key.name, key.hint):
        return False
    if key.kind == "ed25519":
        return key.key.verifies(signature.signature, text.encode())
    if len(signature.signature) != 72:
        return False
    time = int(_TIME.unpack_from(signature.signature)[0])
    return time < 1 << 63 and key.key.verifies(signature.signature[8:], _cosigned(text, time))


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _signature(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise NoteInvalid("not a signature line")
    name, _, encoded = line[len(_DASH) :].partition(" ")
    raw = unbase64(encoded)
    if not name or "+" in name or len(raw) < 5:
        raise NoteInvalid("not a signature line")
    return NoteSignature(name, raw[:4], raw[4:])


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not _UNLIKE & set(name)


def unbase64(text: str) -> bytes:
    """Exactly one text for the same bytes: spare bits of the last group are zero (RFC 4648 §3.5). Raises `NoteInvalid`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise NoteInvalid("not canonical base64")
    return raw
