"""Any compound is read or refused with `RtcpError`; what we write we read."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from media.rtp import rtcp

WORD = st.integers(0, 2**32 - 1)


@given(st.binary(max_size=200))
def test_any_compound_is_read_or_refused(compound: bytes) -> None:
    with contextlib.suppress(rtcp.RtcpError):
        list(rtcp.parse(compound, len(compound)))


@given(st.integers(0, 31), st.integers(192, 223), st.binary(max_size=120))
def test_any_body_behind_a_right_header_is_read_or_refused(count: int, kind: int, body: bytes) -> None:
    body = body[: len(body) & ~3]
    compound = bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body
    with contextlib.suppress(rtcp.RtcpError):
        list(rtcp.parse(compound, len(compound)))


@given(WORD, WORD, st.lists(st.integers(0, 65535), min_size=1, max_size=100, unique=True))
def test_a_nack_names_what_it_was_given(ssrc: int, media: int, lost: list[int]) -> None:
    (heard,) = rtcp.parse(written := rtcp.nack(ssrc, media, lost), len(written))
    assert isinstance(heard, rtcp.Nack)
    assert heard.media_ssrc == media
    assert set(heard.lost) == set(lost)


@given(WORD, st.integers(1000, 2**40), st.lists(WORD, max_size=5))
def test_a_remb_keeps_eighteen_bits_of_its_bitrate(ssrc: int, bitrate: int, ssrcs: list[int]) -> None:
    (heard,) = rtcp.parse(written := rtcp.remb(ssrc, bitrate, ssrcs), len(written))
    assert isinstance(heard, rtcp.Remb)
    assert heard.ssrcs == tuple(ssrcs)
    assert 0 <= bitrate - heard.bitrate_bps <= bitrate / 2**17


@given(st.lists(st.builds(rtcp.ReportBlock, WORD, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), *[WORD] * 4)))
def test_reports_come_back_as_written(blocks: list[rtcp.ReportBlock]) -> None:
    compound = (
        rtcp.receiver_report(1, blocks) + rtcp.sender_report(2, 3 << 60, 4, 5, 6) + rtcp.sdes([(2, "名"), (3, "abc")])
    )
    heard, sender = rtcp.parse(compound, len(compound))
    assert heard == rtcp.ReceiverReport(1, tuple(blocks[:31]))
    assert isinstance(sender, rtcp.SenderReport)
    assert (sender.ssrc, sender.ntp, sender.rtp_time, sender.packets, sender.octets) == (2, 3 << 60, 4, 5, 6)
    assert sender.end - sender.at == 28
