"""The names of a recording's objects (FORMAT.md §2), relative to its root.

LAYOUT-4  Only names made of these patterns are ever opened.
"""

from __future__ import annotations

import re

PREFIX = "recordings/"
"""Where visits stand in an object store."""

VISIT = r"[A-Za-z0-9_-]{1,64}"
SEAT = r"[a-z][a-z0-9-]{0,31}"
STREAM = SEAT + r"(\.screen)?"
HEX = r"[0-9a-f]{64}"

PROOF = "log/close.tlog-proof"
"""The proof that the log has the record `close`."""

CLOSE_STAMP = "stamps/close.tlog-proof"
"""The timestamp of the record `close`."""

MANIFEST, MANIFEST_PROOF = "log/manifest.jsonl", "log/manifest.tlog-proof"
"""The manifest of the visit's day, and the proof that the log has it."""

_OBJECT = re.compile(
    rf"log/(close\.tlog-proof|manifest\.(jsonl|tlog-proof))|stamps/([0-9]{{6}}|close)\.tlog-proof|(records|heads)/[0-9]{{6}}\.jsonl|keys/{HEX}\.pem|streams/{STREAM}/part-[0-9]{{3}}/(init|seg-[0-9]{{6}})\.(webm|mkv)"
)
_EXTRA = re.compile(r"README\.(zh|en)\.md|bundle\.json|verify\.sh|verify/[a-z]{1,32}\.(sh|awk)")
_FOLDER = re.compile(rf"records|heads|keys|log|stamps|verify|streams(/{STREAM}(/part-(?!000)[0-9]{{3}})?)?")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_BATCH = re.compile(r"(records|heads)/([0-9]{6})\.jsonl")
_UNSAFE = re.compile(r"\\|[\x00-\x1f\x7f]|^/|//|/$|^$")


def prefix(visit: str) -> str:
    """Where a visit's objects stand in a store, ending in `/`. Raises `ValueError` for what is no visit's id."""
    if not is_visit(visit):
        raise ValueError("not a visit's id")
    return f"{PREFIX}{visit}/"


def is_visit(text: str) -> bool:
    """Whether this can be a visit's id."""
    return re.fullmatch(VISIT, text) is not None


def is_stream(text: str) -> bool:
    """Whether this can be a stream's name."""
    return re.fullmatch(STREAM, text) is not None


def seat_of(stream: str) -> str:
    """The seat whose stream it is."""
    return stream.partition(".")[0]


def extension(container: str) -> str:
    """`webm`, or `mkv` for Matroska."""
    return "webm" if container == "webm" else "mkv"


def records_name(number: int) -> str:
    """A batch of records; numbered from 1."""
    return f"records/{number:06d}.jsonl"


def heads_name(number: int) -> str:
    """A batch of heads; numbered from 1."""
    return f"heads/{number:06d}.jsonl"


def key_name(fingerprint: str) -> str:
    """A public key."""
    return f"keys/{fingerprint}.pem"


def init_name(stream: str, part: int, container: str) -> str:
    """The start of a part's file."""
    return f"streams/{stream}/part-{part:03d}/init.{extension(container)}"


def segment_name(stream: str, part: int, n: int, container: str) -> str:
    """A segment of a part; `n` from 1."""
    return f"streams/{stream}/part-{part:03d}/seg-{n:06d}.{extension(container)}"


def stamp_name(n: int) -> str:
    """A timestamp of a checkpoint, with the proof that the checkpoint covers records of the visit; numbered from 1."""
    return f"stamps/{n:06d}.tlog-proof"


def batch_of(name: str) -> tuple[str, int] | None:
    """(`records` or `heads`, number) of a batch's name."""
    found = _BATCH.fullmatch(name)
    return (found[1], int(found[2])) if found else None


def is_object(name: str) -> bool:
    """Whether the name is one of a recording's objects (not of a bundle's extras)."""
    return _OBJECT.fullmatch(name) is not None


def is_extra(name: str) -> bool:
    """Whether a bundle may add a file of this name. None of them is evidence."""
    return _EXTRA.fullmatch(name) is not None


def is_folder(name: str) -> bool:
    """Whether a recording's objects may stand in a directory of this name (LAYOUT-1)."""
    return _FOLDER.fullmatch(name) is not None


def is_plain(name: str) -> bool:
    """Whether the name is safe and of the characters of §2 alone (LAYOUT-4)."""
    return _PLAIN.fullmatch(name) is not None and is_safe(name)


def is_safe(name: str) -> bool:
    """Whether the name stays below the root, on every system."""
    return _UNSAFE.search(name) is None and not any(part in {".", ".."} for part in name.split("/"))
