"""Tiles of a log: runs of up to 256 hashes of a level, and their names (C2SP tlog-tiles, without entries)."""

from __future__ import annotations

from collections.abc import Iterator

HASH = 32
"""Bytes."""

TILE = 256
"""Hashes."""


def tiles(old: int, size: int) -> Iterator[tuple[int, int, int]]:
    """(level, number, width) of each tile that a log of `size` leaves has and one of `old` had not."""
    level = 0
    while size:
        for number in range(old // TILE, -(-size // TILE)):
            width = min(TILE, size - number * TILE)
            if number * TILE + width > old:
                yield level, number, width
        level, old, size = level + 1, old // TILE, size // TILE


def tile_name(number: int) -> str:
    """`1234067` → `x001/x234/067`."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))
