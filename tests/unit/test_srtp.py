"""SRTP in place, and a canary for the private names it stands on."""

from __future__ import annotations

import os

import pytest
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from media.rtp import rtcp
from media.transports.srtp import TRAILER, Cell, SrtpSession
from tests.contract.plane_peers import rtp

PROFILES = [(b"SRTP_AEAD_AES_128_GCM", 28), (b"SRTP_AES128_CM_SHA1_80", 30)]


def test_pylibsrtp_still_has_the_private_names_we_use() -> None:
    assert Session()._srtp[0] != ffi.NULL
    shape = "srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)"
    for name in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
        assert ffi.typeof(getattr(lib, name)).cname == shape


@pytest.mark.parametrize(("profile", "size"), PROFILES)
def test_what_one_side_protects_the_other_reads_once(profile: bytes, size: int) -> None:
    key = os.urandom(size)
    ours, theirs = SrtpSession(profile, key, inbound=False), SrtpSession(profile, key, inbound=True)
    cell, packet = Cell(), rtp(7, b"payload", pt=96, ssrc=5)
    cell.view[: len(packet)] = packet
    length = ours.protect(cell, len(packet))
    sealed = bytes(cell.view[:length])
    assert len(packet) < length <= len(packet) + TRAILER
    assert theirs.unprotect(cell, length) == len(packet)
    assert cell.view[: len(packet)] == packet
    cell.view[:length] = sealed
    assert theirs.unprotect(cell, length) == -1, "a replay"


@pytest.mark.parametrize(("profile", "size"), PROFILES)
def test_the_same_packet_is_protected_to_the_same_bytes(profile: bytes, size: int) -> None:
    ours, cell, sealed = SrtpSession(profile, os.urandom(size), inbound=False), Cell(), []
    for seq in (7, 8, 9, 7):
        packet = rtp(seq, b"payload", pt=96, ssrc=5)
        cell.view[: len(packet)] = packet
        sealed.append(bytes(cell.view[: ours.protect(cell, len(packet))]))
    assert sealed[0] == sealed[3]


def test_rtcp_goes_both_ways_and_altered_bytes_are_refused() -> None:
    key = os.urandom(28)
    ours, theirs = (SrtpSession(b"SRTP_AEAD_AES_128_GCM", key, inbound) for inbound in (False, True))
    cell, report = Cell(), rtcp.receiver_report(1, [])
    cell.view[: len(report)] = report
    length = ours.protect_rtcp(cell, len(report))
    cell.data[length - 5] ^= 1
    assert theirs.unprotect_rtcp(cell, length) == -1
    cell.data[length - 5] ^= 1
    assert theirs.unprotect_rtcp(cell, length) == len(report)
