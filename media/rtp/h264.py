"""The picture size in an H264 sequence parameter set (ITU-T H.264 §7.3.2.1.1)."""

from __future__ import annotations

_WITH_CHROMA = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))


class _Bits:
    """Reads bits and Exp-Golomb codes from a NAL unit's payload. Raises `IndexError` at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\0\0\3", b"\0\0")  # §7.3.1: emulation prevention
        self._at = 0

    def u(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise IndexError("not an Exp-Golomb code")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def picture_size(sps: bytes) -> tuple[int, int]:
    """(width, height) in pixels, cropped. Raises `IndexError` for a parameter set that is cut short."""
    bits = _Bits(sps[4:])
    profile = sps[1]
    bits.ue()  # seq_parameter_set_id
    chroma = 1
    if profile in _WITH_CHROMA:
        chroma = _skip_chroma(bits)
    bits.ue()  # log2_max_frame_num
    _skip_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)
    width = (bits.ue() + 1) * 16
    map_units = bits.ue() + 1
    frame_only = bits.u(1)
    if not frame_only:
        bits.u(1)
    height = (2 - frame_only) * map_units * 16
    bits.u(1)
    if not bits.u(1):
        return width, height
    left, right, top, bottom = (bits.ue() for _ in range(4))
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - frame_only)
    return width - (left + right) * unit_x, height - (top + bottom) * unit_y


def _skip_chroma(bits: _Bits) -> int:
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    bits.ue()
    bits.ue()
    bits.u(1)
    if bits.u(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    kind = bits.ue()  # pic_order_cnt_type
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()
