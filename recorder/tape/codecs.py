"""Which depacketizer a codec has."""

from __future__ import annotations

from collections.abc import Callable

from recorder.tape.depacketize import Depacketizer, H264Depacketizer, OpusDepacketizer, Vp8Depacketizer
from recorder.tape.vp9 import Vp9Depacketizer

_MAKERS: dict[str, Callable[[], Depacketizer]] = {
    "opus": OpusDepacketizer,
    "VP8": Vp8Depacketizer,
    "VP9": Vp9Depacketizer,
    "H264": H264Depacketizer,
}


def depacketizer(codec: str) -> Depacketizer:
    """The depacketizer of a codec as the tap names it. Raises `KeyError` for another."""
    return _MAKERS[codec]()
