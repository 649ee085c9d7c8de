"""Transport-wide feedback: what is written is read, aiortc reads its envelope, and nothing a peer sends breaks the reader."""

from __future__ import annotations

import random

import pytest
from aiortc.rtp import RtcpPacket, RtcpRtpfbPacket
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.twcc import TICK_S, Arrivals, TwccError, parse, write


def feedback_of(came: dict[int, float]) -> bytes:
    arrivals = Arrivals()
    for number, at in came.items():
        arrivals.hear(number, at)
    written = arrivals.write(1, 2)
    assert written is not None
    return written


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 0.2)), min_size=1, max_size=300).filter(
        lambda gaps: gaps[0] is not None
    ),
    st.integers(0, 65535),
    st.floats(0, 100_000),
)
def test_what_is_written_is_read_to_a_quarter_millisecond(gaps: list[float | None], first: int, began: float) -> None:
    at, arrivals = began, []
    for gap in gaps:
        at += gap or 0.0
        arrivals.append(None if gap is None else at)
    read = parse(write(1, 2, 7, first, arrivals))
    assert (read.media_ssrc, read.count, read.first, len(read.arrivals)) == (2, 7, first, len(arrivals))
    for wrote, got in zip(arrivals, read.arrivals, strict=True):
        assert (wrote is None) == (got is None)
        if wrote is not None and got is not None:
            assert got == pytest.approx(wrote, abs=TICK_S)


def test_its_envelope_is_rtcp_as_others_read_it() -> None:
    (packet,) = RtcpPacket.parse(feedback_of({10: 1.0, 12: 1.01, 11: 1.02, 400: 1.5}))
    assert isinstance(packet, RtcpRtpfbPacket)
    assert (packet.fmt, packet.ssrc, packet.media_ssrc) == (15, 1, 2)


def test_numbers_wrap_and_each_is_reported_once() -> None:
    arrivals = Arrivals()
    for number in (65534, 65535, 0, 1):
        arrivals.hear(number, 1.0)
    written = arrivals.write(1, 2)
    assert written is not None
    assert parse(written).first == 65534
    assert len(parse(written).arrivals) == 4
    arrivals.hear(65535, 1.1)
    assert arrivals.write(1, 2) is None
    arrivals.hear(3, 1.2)
    written = arrivals.write(1, 2)
    assert written is not None
    assert (parse(written).first, parse(written).arrivals[0]) == (2, None)


def test_a_long_gap_does_not_make_a_long_packet() -> None:
    assert len(parse(feedback_of({0: 1.0, 30_000: 2.0})).arrivals) == 400


def test_nothing_a_peer_sends_breaks_the_reader() -> None:
    dice = random.Random(5)
    good = feedback_of({number: 1 + number / 100 for number in range(0, 90, 2)})
    for _ in range(5000):
        bad = bytearray(good)
        for _ in range(dice.randrange(1, 5)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        try:
            parse(bytes(bad[: dice.randrange(len(bad) + 1)]))
        except TwccError:
            continue
