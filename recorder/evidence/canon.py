"""Canonical JSON (RFC 8785), as far as records and heads use it: no fractions, ASCII member names.

FORM-1  A line is the canonical form of one object, so parsing it and writing it again gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
import rfc8785

from recorder.evidence.errors import NotCanonical

_ENCODER = msgspec.json.Encoder(order="sorted")
_SAFE = (1 << 53) - 1
MAX_LINE = 65_536
"""Bytes of a record or a head, without its newline."""


def canonical(value: Mapping[str, object]) -> bytes:
    """The canonical bytes of an object. Raises `NotCanonical` for what JSON or version 1 cannot say."""
    try:
        if _is_plain(value):
            line = _ENCODER.encode(value)
        else:
            line = rfc8785.dumps(cast("dict[str, rfc8785._impl._Value]", dict(value)))
    except (rfc8785.CanonicalizationError, RecursionError, TypeError, UnicodeEncodeError) as error:
        raise NotCanonical(str(error)) from None
    if len(line) > MAX_LINE:
        raise NotCanonical(f"{len(line)} bytes in one line")
    return line


def parse(line: bytes) -> dict[str, object]:
    """The object a canonical line stands for. Raises `NotCanonical`, and nothing else, for any other bytes."""
    if len(line) > MAX_LINE:
        raise NotCanonical(f"{len(line)} bytes in one line")
    try:
        value: object = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotCanonical(str(error)) from None
    if not isinstance(value, dict):
        raise NotCanonical("not an object")
    # FORM-1: a repeated member, white space or another spelling does not survive this.
    if canonical(value) != line:
        raise NotCanonical("not in canonical form")
    return value


def _is_plain(value: object) -> bool:
    """Whether msgspec writes it as RFC 8785 does: the same bytes in a tenth of the time, for all that records say.

    Raises `NotCanonical` for a fraction: JCS writes 2.0 as 2, so it would not always be read as it was written.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -_SAFE <= cast("int", value) <= _SAFE
    if kind is dict:
        members = cast("dict[object, object]", value)
        plain = True
        for name, member in members.items():
            plain &= _is_plain(member) and type(name) is str and name.isascii()
        return plain
    if kind is list or kind is tuple:
        plain = True
        for item in cast("list[object]", value):
            plain &= _is_plain(item)
        return plain
    if isinstance(value, float):
        raise NotCanonical("a fraction")
    if isinstance(value, Mapping):
        for member in value.values():
            _is_plain(member)
    return False
