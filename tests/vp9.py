"""VP9 payloads as a sender with layers makes them (RFC 9628 §4.2), for tests."""

from __future__ import annotations

from collections.abc import Sequence


def described(
    payload: bytes,
    *,
    picture: int | None = 1,
    spatial: int = 0,
    temporal: int = 0,
    inter: bool = False,
    begins: bool = True,
    ends: bool = True,
    climbs: bool = True,
    leans: bool = False,
    alone: bool = True,
    layered: bool = True,
    references: Sequence[int] = (1,),
    base: int | None = None,
    sizes: Sequence[tuple[int, int]] | None = None,
    pictures: Sequence[Sequence[int]] | None = None,
) -> bytes:
    """The payload behind a descriptor. `references`: how far back it leans (flexible mode); `base`: TL0PICIDX (the other)."""
    flexible = base is None
    bits = (picture is not None) << 7 | inter << 6 | layered << 5 | flexible << 4 | begins << 3 | ends << 2 | alone
    out = bytearray((bits | (sizes is not None) << 1,))
    if picture is not None:
        out += bytes((picture,)) if picture < 0x80 else (0x8000 | picture).to_bytes(2, "big")
    if layered:
        out.append(temporal << 5 | climbs << 4 | spatial << 1 | leans)
        if base is not None:
            out.append(base)
    if inter and flexible:
        out += bytes(back << 1 | (place < len(references)) for place, back in enumerate(references, 1))
    if sizes is not None:
        out.append(len(sizes) - 1 << 5 | 0x10 | (pictures is not None) << 3)
        for width, height in sizes:
            out += width.to_bytes(2, "big") + height.to_bytes(2, "big")
        if pictures is not None:
            out.append(len(pictures))
            for each in pictures:
                out += bytes((len(each) << 2, *each))
    return bytes(out) + payload
