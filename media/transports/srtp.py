"""SRTP in place: one session each way over a caller's own buffer, through pylibsrtp's cffi library.

pylibsrtp's `protect` copies in, copies out and allocates: 2.0 µs a packet of 1 200 bytes; the same call on a buffer that
stays where it is costs 1.25 (`python -m tests.bench.plane_micro`). The private names this needs are `_binding.ffi`,
`_binding.lib` and `Session._srtp`; `tests/unit/test_srtp.py` notices if a release moves them.

SRTP-1  Under AES-GCM the same SSRC and index must never protect different bytes: repeating is allowed here only so that
        a lost packet can be sent again bit for bit; keeping the bytes the same is the caller's promise.
SRTP-2  A packet whose SSRC is new costs libsrtp a stream for life: the caller bounds how many it lets in.
"""

from __future__ import annotations

from typing import Any

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

TRAILER = 148
"""Bytes a buffer needs beyond the plain packet (SRTCP: index, tag and room for an MKI)."""

# Looked up once: 0.1 µs a call.
_protect, _unprotect = lib.srtp_protect, lib.srtp_unprotect
_WINDOW = 1024
_PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    b"SRTP_AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}


class Cell:
    """A buffer that stays put: `data` to read and write by offset, `view` to slice, `pointer` for libsrtp."""

    __slots__ = ("data", "pointer", "view")

    def __init__(self, size: int = 2048) -> None:
        """`size` bytes, never to be resized."""
        self.data = bytearray(size)
        self.view = memoryview(self.data)
        self.pointer: Any = ffi.from_buffer("char[]", self.data)


class SrtpSession:
    """The streams of one direction of one transport. Calls return the new length, or -1 when libsrtp refuses."""

    __slots__ = ("_handle", "_length", "_session")

    def __init__(self, profile: bytes, key: bytes, inbound: bool) -> None:
        """`profile` as OpenSSL names it; `key` is master key and salt in one."""
        policy = Policy(
            key=key,
            ssrc_type=Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=_PROFILES[profile],
        )
        policy.allow_repeat_tx = True  # SRTP-1
        policy.window_size = _WINDOW
        self._session = Session(policy)
        self._handle: Any = self._session._srtp[0]
        self._length: Any = ffi.new("int *")

    def protect(self, cell: Cell, size: int) -> int:
        """Encrypt the RTP packet in the first `size` bytes of the cell."""
        length = self._length
        length[0] = size
        return length[0] if _protect(self._handle, cell.pointer, length) == 0 else -1

    def unprotect(self, cell: Cell, size: int) -> int:
        """Verify and decrypt the RTP packet in the first `size` bytes; replays are refused."""
        length = self._length
        length[0] = size
        return length[0] if _unprotect(self._handle, cell.pointer, length) == 0 else -1

    def protect_rtcp(self, cell: Cell, size: int) -> int:
        """Encrypt the RTCP compound in the first `size` bytes."""
        length = self._length
        length[0] = size
        return length[0] if lib.srtp_protect_rtcp(self._handle, cell.pointer, length) == 0 else -1

    def unprotect_rtcp(self, cell: Cell, size: int) -> int:
        """Verify and decrypt the RTCP compound in the first `size` bytes."""
        length = self._length
        length[0] = size
        return length[0] if lib.srtp_unprotect_rtcp(self._handle, cell.pointer, length) == 0 else -1
