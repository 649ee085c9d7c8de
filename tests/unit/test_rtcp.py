"""RTCP: what aiortc writes we read, and what we write aiortc reads."""

from __future__ import annotations

import pytest
from aiortc import rtp as theirs

from media.rtp import rtcp


def test_aiortc_reads_our_compound() -> None:
    block = rtcp.ReportBlock(7, 51, -3, 65540, 12, 13, 14)
    compound = (
        rtcp.receiver_report(1, [block])
        + rtcp.sender_report(2, 3 << 40, 4, 5, 6)
        + rtcp.sdes([(2, "teleconsult")])
        + rtcp.nack(1, 7, [65534, 65535, 0, 40])
        + rtcp.pli(1, 7)
        + rtcp.remb(1, 3_000_000, [7])
    )
    rr, sr, sdes, nack, pli, remb = theirs.RtcpPacket.parse(compound)
    assert (rr.reports[0].packets_lost, rr.reports[0].fraction_lost, rr.reports[0].highest_sequence) == (-3, 51, 65540)
    assert (sr.ssrc, sr.sender_info.ntp_timestamp, sr.sender_info.packet_count) == (2, 3 << 40, 5)
    assert [(chunk.ssrc, chunk.items) for chunk in sdes.chunks] == [(2, [(1, b"teleconsult")])]
    # aiortc 1.16 counts on past the wrap: 65536.
    assert (nack.fmt, nack.media_ssrc, [n & 0xFFFF for n in nack.lost]) == (1, 7, [65534, 65535, 0, 40])
    assert (pli.fmt, pli.ssrc, pli.media_ssrc) == (1, 1, 7)
    bitrate, ssrcs = theirs.unpack_remb_fci(remb.fci)
    assert ssrcs == [7]
    assert bitrate == pytest.approx(3_000_000, rel=1e-4)


def test_fir_and_bye_are_understood_and_strangers_stepped_over() -> None:
    fir = bytes((0x84, 206, 0, 4)) + bytes(8) + (99).to_bytes(4, "big") + bytes(4)
    extended = bytes((0x80, 207, 0, 1)) + bytes(4)
    bye = bytes((0x82, 203, 0, 2)) + (5).to_bytes(4, "big") + (6).to_bytes(4, "big")
    compound = fir + extended + bye
    assert list(rtcp.parse(compound, len(compound))) == [rtcp.KeyframeRequest(99), rtcp.Bye((5, 6))]


@pytest.mark.parametrize(
    "spoiled", [b"\x80", b"\x80\xc9\x00\x00", b"\x80\xc9\x00\x09\x00\x00\x00\x00", b"\x40\xc9\x00\x01abcd"]
)
def test_what_does_not_fit_is_refused(spoiled: bytes) -> None:
    with pytest.raises(rtcp.RtcpError):
        list(rtcp.parse(spoiled, len(spoiled)))
