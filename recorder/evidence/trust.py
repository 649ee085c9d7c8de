"""A trust list: which key each origin signs with, in the manner of ssh's known hosts (KEY-2).

One `origin fingerprint` a line, `#` begins a comment. `witness KEY` names a witness by its verifier key (C2SP signed-note),
`quorum N` how many of those must have cosigned (LOG-5). The list is the reader's own; it never comes from a bundle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.x509 import Certificate

from recorder.evidence.checkpoint import NoteInvalid, NoteKey, parse_vkey
from recorder.evidence.errors import EvidenceError
from recorder.evidence.layout import HEX

_LINE = re.compile(rf"([!-~]{{1,128}})[ \t]+({HEX})")
_WITNESS = re.compile(r"witness[ \t]+(\S+)")
_QUORUM = re.compile(r"quorum[ \t]+([0-9]{1,2})")


class TrustListInvalid(EvidenceError):
    """A line of a trust list cannot be read. Guessing here would be trusting."""

    code = "trust_list_invalid"


@dataclass(frozen=True, slots=True)
class Trust:
    """Origin → the Ed25519 fingerprints it may sign with."""

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    witnesses: frozenset[NoteKey] = frozenset()
    quorum: int = 0
    roots: tuple[Certificate, ...] = ()
    """Of time-stamp authorities; not in the list's text."""
    timestamps_required: bool = False

    def allows(self, origin: str, fingerprint: str) -> bool | None:
        """Whether the list has this key for the origin; None if it does not know the origin."""
        known = self.keys.get(origin)
        return None if known is None else fingerprint in known


def parse_trust(text: str) -> Trust:
    """The list in a file's text. Raises `TrustListInvalid`, naming the line."""
    keys: dict[str, set[str]] = {}
    witnesses: set[NoteKey] = set()
    quorum = 0
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip() if not line.lstrip().startswith("#") else ""
        if not entry:
            continue
        if (found := _LINE.fullmatch(entry)) is not None:
            keys.setdefault(found[1], set()).add(found[2])
        elif (found := _WITNESS.fullmatch(entry)) is not None:
            witnesses.add(_witness(found[1], number))
        elif (found := _QUORUM.fullmatch(entry)) is not None:
            quorum = int(found[1])
        else:
            raise TrustListInvalid(f"line {number} is not `origin fingerprint`")
    return Trust({origin: frozenset(known) for origin, known in keys.items()}, frozenset(witnesses), quorum)


def _witness(word: str, number: int) -> NoteKey:
    try:
        key = parse_vkey(word)
    except NoteInvalid:
        raise TrustListInvalid(f"line {number} has no verifier key of a witness") from None
    if key.kind != "cosignature":
        raise TrustListInvalid(f"line {number} has a log's key, not a witness's")
    return key


def trust_line(origin: str, fingerprint: str) -> str:
    """One line of a list."""
    return f"{origin} {fingerprint}\n"
