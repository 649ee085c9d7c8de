"""DER (X.690) as far as time-stamp authorities need it: one-byte tags, definite lengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

INTEGER, OCTETS, OID, TIME, SEQUENCE, SET, EXPLICIT_0 = 0x02, 0x04, 0x06, 0x18, 0x30, 0x31, 0xA0


class Element(NamedTuple):
    """One element: its tag, what it holds, and all of it as it stood."""

    tag: int
    content: bytes
    raw: bytes


def children(content: bytes) -> Iterator[Element]:
    """The elements that follow each other. Raises `ValueError` or `IndexError` for what is no DER."""
    at = 0
    while at < len(content):
        element = _take(content, at)
        yield element
        at += len(element.raw)


def only(content: bytes, wanted: int) -> bytes:
    """What the one element of this tag holds. Raises `ValueError` or `IndexError`."""
    element = _take(content, 0)
    if element.tag != wanted or len(element.raw) != len(content):
        raise ValueError("something else")
    return element.content


def element(tag: int, content: bytes) -> bytes:
    """An element's bytes."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def number(value: int) -> bytes:
    """An INTEGER that is not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _take(content: bytes, at: int) -> Element:
    tag, length, start = content[at], content[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("indefinite or huge")
        length, start = int.from_bytes(content[start : start + octets], "big"), start + octets
        if length < 0x80 or length < 1 << 8 * (octets - 1):
            raise ValueError("a length longer than it needs to be")
    if start + length > len(content):
        raise ValueError("cut short")
    return Element(tag, content[start : start + length], content[at : start + length])
