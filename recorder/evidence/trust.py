"""A trust list: which key each origin signs with, in the manner of ssh's known hosts (KEY-2).

One `origin fingerprint` a line, `#` begins a comment. The list is the reader's own; it never comes from a bundle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from recorder.evidence.errors import EvidenceError
from recorder.evidence.layout import HEX

_LINE = re.compile(rf"([!-~]{{1,128}})[ \t]+({HEX})")


class TrustListInvalid(EvidenceError):
    """A line of a trust list cannot be read. Guessing here would be trusting."""

    code = "trust_list_invalid"


@dataclass(frozen=True, slots=True)
class Trust:
    """Origin → the Ed25519 fingerprints it may sign with."""

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def allows(self, origin: str, fingerprint: str) -> bool | None:
        """Whether the list has this key for the origin; None if it does not know the origin."""
        known = self.keys.get(origin)
        return None if known is None else fingerprint in known


def parse_trust(text: str) -> Trust:
    """The list in a file's text. Raises `TrustListInvalid`, naming the line."""
    keys: dict[str, set[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip() if not line.lstrip().startswith("#") else ""
        if not entry:
            continue
        found = _LINE.fullmatch(entry)
        if found is None:
            raise TrustListInvalid(f"line {number} is not `origin fingerprint`")
        keys.setdefault(found[1], set()).add(found[2])
    return Trust({origin: frozenset(known) for origin, known in keys.items()})


def trust_line(origin: str, fingerprint: str) -> str:
    """One line of a list."""
    return f"{origin} {fingerprint}\n"
