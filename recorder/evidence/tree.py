"""An RFC 6962 tree: append-only, with proofs that a leaf is in it and that it only ever grew.

Hashing as RFC 9162 §2.1: a leaf is H(0x00 ‖ entry), a node H(0x01 ‖ left ‖ right), the empty tree H(""). Complete
subtrees are kept by level: level *l* holds the hash of every full run of 2^l leaves, as C2SP tlog-tiles publish them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol

from recorder.evidence.errors import EvidenceError


class ProofInvalid(EvidenceError):
    """A proof does not lead to the root it should."""

    code = "proof_invalid"


def sha256(data: bytes) -> bytes:
    """SHA-256 of a few bytes."""
    return hashlib.sha256(data).digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right)


class Row(Protocol):
    """The hashes of one level, in order. A list is one; one on a disk keeps a tree of any size out of memory."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> bytes: ...

    def append(self, value: bytes, /) -> None:
        """Add one at the end."""
        ...


class Tree:
    """Append leaf hashes; ask for roots and proofs of any size up to now. O(log n) each."""

    def __init__(self, row: Callable[[int], Row] = lambda _: []) -> None:
        """`row(level)` is asked once for each level; what it already holds is the tree so far, and is completed."""
        self._row = row
        self._levels: list[Row] = [row(0)]
        for level in count():
            if len(self._levels[level]) < 2:
                break
            self._complete(level)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash; returns its index."""
        index = self.size
        self._levels[0].append(leaf)
        level = 0
        while len(self._levels[level]) % 2 == 0:
            self._complete(level)
            level += 1
        return index

    def row(self, level: int, first: int, number: int) -> list[bytes]:
        """`number` hashes of a level, from `first`: what a tile holds. Raises `IndexError` if they are not complete yet."""
        if level >= len(self._levels) or first + number > len(self._levels[level]):
            raise IndexError("not complete yet")
        return [self._levels[level][at] for at in range(first, first + number)]

    def root(self, size: int | None = None) -> bytes:
        """The root at a size (now, if None)."""
        return self._range(0, self._checked(size))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of a leaf (RFC 9162 §2.1.3.1). Raises `IndexError`."""
        whole = self._checked(size)
        if not 0 <= index < whole:
            raise IndexError("no such leaf")
        return self._path(index, 0, whole)

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """The proof that the tree of `old` leaves is a prefix of that of `size` (RFC 9162 §2.1.4.1). Raises `IndexError`."""
        whole = self._checked(size)
        if not 0 <= old <= whole:
            raise IndexError("no such size")
        if old in (0, whole):
            return []
        return self._subproof(old, 0, whole, True)

    def _complete(self, level: int) -> None:
        """Give the next level what this one has pairs for."""
        if level + 1 == len(self._levels):
            self._levels.append(self._row(level + 1))
        below, above = self._levels[level], self._levels[level + 1]
        for at in range(2 * len(above), len(below) - 1, 2):
            above.append(node_hash(below[at], below[at + 1]))

    def _checked(self, size: int | None) -> int:
        whole = self.size if size is None else size
        if not 0 <= whole <= self.size:
            raise IndexError("no such size")
        return whole

    def _range(self, first: int, end: int) -> bytes:
        """The hash over leaves first … end−1; `first` is a multiple of the largest power of two below the length."""
        length = end - first
        if length == 0:
            return sha256(b"")
        level = length.bit_length() - 1
        if length == 1 << level:
            return self._levels[level][first >> level]
        split = _split(length)
        return node_hash(self._range(first, first + split), self._range(first + split, end))

    def _path(self, index: int, first: int, end: int) -> list[bytes]:
        if end - first == 1:
            return []
        middle = first + _split(end - first)
        if index < middle:
            return [*self._path(index, first, middle), self._range(middle, end)]
        return [*self._path(index, middle, end), self._range(first, middle)]

    def _subproof(self, old: int, first: int, end: int, known: bool) -> list[bytes]:
        length = end - first
        if old == length:
            return [] if known else [self._range(first, end)]
        split = _split(length)
        if old <= split:
            return [*self._subproof(old, first, first + split, known), self._range(first + split, end)]
        return [*self._subproof(old - split, first + split, end, False), self._range(first, first + split)]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2. Raises `ProofInvalid`."""
    if not 0 <= index < size:
        raise ProofInvalid("the leaf is outside the tree")
    place, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if place & 1 or place == last:
            value = node_hash(step, value)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            value = node_hash(value, step)
        place, last = place >> 1, last >> 1
    if last or value != root:
        raise ProofInvalid("the leaf is not in the tree")


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2. Raises `ProofInvalid`."""
    if not 0 <= old <= size:
        raise ProofInvalid("the tree shrank")
    if old in (0, size):
        if proof or (old == size and old_root != root):
            raise ProofInvalid("the trees differ")
        return
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise ProofInvalid("the proof is empty")
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if place & 1 or place == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, step)
        place, last = place >> 1, last >> 1
    if last or was != old_root or now != root:
        raise ProofInvalid("the old tree is not a prefix of the new one")


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
