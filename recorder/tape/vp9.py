"""VP9 out of RTP (RFC 9628): of each picture the layer frames that show it at its biggest, byte for byte.

A sender may put several spatial layers under one timestamp. What is kept is the biggest and what it leans on; layers that are
there for smaller viewers alone are not. A picture of more than one layer frame ends with the index by which a decoder tells
them apart (VP9 bitstream specification, annex B).

NINE-1  A picture is whole if every layer frame that is kept of it is. What is missing of the others damages nothing.
NINE-2  The biggest layer is that of the key picture; later ones may add to it, each leaning on the one below alone. Of a
        picture that comes without it a smaller layer is kept if none of that layer's frames was left out since; else the
        picture is left out, and after `MOST_HIDDEN` of them there has to be a key picture.
NINE-3  Where packets are missing between two pictures, the ids of which follow each other, no picture is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from media.rtp.vp9 import Descriptor, descriptor
from recorder.tape.depacketize import MediaFrame, PayloadInvalid, Unfinished, VideoDepacketizer, plausible

MOST_HIDDEN = 15
_HOLE = b""
"""Among the payloads of a picture: here something is missing. No packet is empty."""


@dataclass(slots=True)
class _LayerFrame:
    """One layer's frame of a picture, from the descriptor of its first packet that came."""

    about: Descriptor
    pieces: list[bytes] = field(default_factory=list)
    whole: bool = False


class _NothingShown(Exception):
    """A picture without the layer that is kept, of which nothing is missing."""


class Vp9Depacketizer(VideoDepacketizer):
    """See the module's rules."""

    def __init__(self) -> None:
        super().__init__()
        self._top: int | None = None
        """The biggest layer; None where an earlier life of the recorder knew it."""
        self._left_out: set[int] = set()
        """Layers of which frames were left out since the key picture."""
        self._picture: int | None = None
        """Id of the newest picture, as far as it was read."""
        self._gap = False
        """Packets are missing between it and the next."""
        self._hidden = 0
        """Pictures left out in a row (NINE-2)."""

    def _after_gap(self) -> None:
        if self._open is not None:
            self._open.payloads.append(_HOLE)
        else:
            self._gap = True

    def _begins(self, payload: bytes, in_row: bool) -> bool:  # noqa: ARG002
        return True  # what is missing of it is seen once it is at its end

    def _drop(self, at_us: int) -> None:
        super()._drop(at_us)
        self._picture = None

    def _finish(self, done: Unfinished) -> MediaFrame | None:
        try:
            frame = super()._finish(done)
        except _NothingShown:
            self._hidden += 1
            if self._hidden >= MOST_HIDDEN:
                self._break(done.arrival_us)
            return None
        self._hidden = 0
        return frame

    def _frame(self, done: Unfinished) -> MediaFrame | None:
        layers = _layers(done.payloads)
        first = layers[0].about
        if self._missed_one(first.picture):  # NINE-3
            self._break(done.arrival_us)
        self._picture = first.picture
        if not first.leans and not any(layer.about.inter for layer in layers):
            self._left_out.clear()
            self._top = layers[-1].about.spatial
        kept = self._kept(layers)
        if not all(layer.whole for layer in kept) or not _stands(kept):
            return None
        for layer in layers:
            if layer not in kept:
                self._left_out.add(layer.about.spatial)
        frames = [b"".join(layer.pieces) for layer in kept]
        payload = frames[0] if len(frames) == 1 else b"".join((*frames, _index(frames)))
        keyframe = not any(layer.about.inter for layer in kept)
        width, height = _size(layers, kept, frames[-1]) if keyframe else (0, 0)
        if keyframe and not plausible(width, height):
            return None
        return MediaFrame(
            done.timestamp, keyframe, payload, done.arrival_us, done.tap_seq, done.first_seq, width, height
        )

    def _missed_one(self, picture: int) -> bool:
        gap, self._gap, before = self._gap, False, self._picture
        if not gap:
            return False
        if before is None or picture < 0 or before < 0:
            return True
        wide = max(before, picture) > 0x7F
        return picture != (before + 1 & (0x7FFF if wide else 0x7F))

    def _kept(self, layers: list[_LayerFrame]) -> list[_LayerFrame]:
        """NINE-2."""
        if self._top is None:
            self._top = layers[-1].about.spatial
        for layer in layers:
            about = layer.about
            if about.spatial == self._top + 1 and about.leans and not about.inter:
                self._top += 1
                self._left_out.discard(self._top)
        able = [layer for layer in layers if layer.about.spatial <= self._top]
        best = able[-1].about.spatial if able else -1
        if best < 0 or (best < self._top and best in self._left_out):
            raise _NothingShown
        kept = [able.pop()]
        while able and kept[0].about.leans:
            kept.insert(0, able.pop())
        return kept


def _layers(payloads: list[bytes]) -> list[_LayerFrame]:
    """The layer frames of a picture, as far as they came, the smallest first. Raises `PayloadInvalid`."""
    layers: list[_LayerFrame] = []
    following = False
    for payload in payloads:
        if payload is _HOLE:
            following = False
            continue
        about = descriptor(payload, 0, len(payload))
        if about is None:
            raise PayloadInvalid("a VP9 payload descriptor is cut short")
        if about.begins or not layers or layers[-1].about.spatial != about.spatial:
            layers.append(_LayerFrame(about))
            following = about.begins
        layers[-1].pieces.append(payload[about.at :])
        if about.ends:
            layers[-1].whole = following
            following = False
    if any(after.about.spatial <= before.about.spatial for before, after in pairwise(layers)):
        raise PayloadInvalid("the layers of a VP9 picture do not follow each other")
    return layers


def _stands(kept: list[_LayerFrame]) -> bool:
    """Whether the lowest leans on none below, and each other has the one it leans on."""
    below = [layer.about.spatial for layer in kept]
    return not kept[0].about.leans and below == list(range(below[0], below[0] + len(below)))


def _index(frames: list[bytes]) -> bytes:
    """The superframe index (annex B.2): sizes of the frames, between two equal marks."""
    width = (max(map(len, frames)).bit_length() + 7) // 8
    mark = bytes((0xC0 | width - 1 << 3 | len(frames) - 1,))
    return mark + b"".join(len(frame).to_bytes(width, "little") for frame in frames) + mark


def _size(layers: list[_LayerFrame], kept: list[_LayerFrame], biggest: bytes) -> tuple[int, int]:
    """Width and height of a key picture: as its first packet tells, else as its frame does, else (0, 0)."""
    sizes, top = layers[0].about.sizes, kept[-1].about.spatial
    if sizes is not None and top < len(sizes) and sizes[top][0]:
        return sizes[top]
    # VP9 bitstream specification §6.2: marker, profile 0, shown at once, a key frame; its sync code, colours and size
    if len(biggest) < 9 or biggest[0] & 0xFC != 0x80 or biggest[1:4] != b"\x49\x83\x42":
        return 0, 0
    width = (biggest[4] & 15) << 12 | biggest[5] << 4 | biggest[6] >> 4
    height = (biggest[6] & 15) << 12 | biggest[7] << 4 | biggest[8] >> 4
    return width + 1, height + 1
