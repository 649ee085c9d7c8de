"""What a transport is told once a second."""

from __future__ import annotations

from media.forwarding.consumer import Consumer, Outgoing
from media.plane import IceCredentials, TransportSpec
from media.python_plane.feedback import REMB_BPS, compound_reports, loss_down, loss_up
from media.rtp import rtcp
from media.transports.transport import Route, Track, Transport
from tests.contract.plane_peers import video, viewing


def transport() -> Transport:
    ours, theirs = IceCredentials("ours", "p" * 22), IceCredentials("them", "q" * 22)
    return Transport(TransportSpec("t", ours, theirs, ()), 99, 0.0, 0)


def heard(of: Transport, now: float = 1.0) -> list[rtcp.Packet]:
    return [packet for compound in compound_reports(of, now) for packet in rtcp.parse(compound, len(compound))]


def publishing(name: str = "a", ssrc: int = 1111, *, lost: int = 0) -> tuple[Transport, Track]:
    of = transport()
    track = of.tracks[name] = Track(video(name, ssrcs=(ssrc,), remb=True), of)
    track.producer.use(ssrc, 0.0)
    for seq in range(10):
        if seq == 0 or seq > lost:
            track.producer.reception.accept(seq, 0, 0.0, recovered=False)
    return of, track


def test_nothing_is_said_where_nothing_flows() -> None:
    assert heard(transport()) == []


def test_a_publisher_hears_of_its_losses_and_how_much_it_may_send() -> None:
    of, _ = publishing(lost=5)
    report, remb = heard(of)
    assert isinstance(report, rtcp.ReceiverReport)
    assert [(block.ssrc, block.fraction) for block in report.blocks] == [(1111, 128)]
    assert isinstance(remb, rtcp.Remb)
    assert remb.ssrcs == (1111,)
    assert 0 <= REMB_BPS - remb.bitrate_bps < 100
    assert loss_up(of) == 0.5


def test_many_sources_are_told_in_several_compounds_that_fit_a_datagram() -> None:
    of = transport()
    _, track = publishing()
    track.producer.reported(rtcp.SenderReport(1111, 1 << 40, 0, 0, 0, ()), 0.0)
    for n in range(30):
        consumer = Consumer(viewing(ssrc=n + 1, rtx=False, name=f"c{n}"), Outgoing(1, 1, 1), {96: "VP8"})
        consumer.begin(5, 0, 0.0, 90000)
        of.consumers[f"c{n}"] = Route(track, consumer, of, None)
    compounds = list(compound_reports(of, 1.0))
    assert len(compounds) == 3
    assert all(len(compound) < 1200 for compound in compounds)
    told = [packet.ssrc for packet in heard(of) if isinstance(packet, rtcp.SenderReport)]
    assert told == list(range(1, 31))


def test_the_worst_fresh_report_is_the_loss_downstream() -> None:
    of = transport()
    _, track = publishing()
    for n, fraction in enumerate((64, 128)):
        consumer = Consumer(viewing(ssrc=n + 1, rtx=False), Outgoing(1, 1, 1), {96: "VP8"})
        consumer.heard(rtcp.ReportBlock(n + 1, fraction, 0, 0, 0, 0, 0), 1.0)
        of.consumers[f"c{n}"] = Route(track, consumer, of, None)
    assert loss_down(of, 2.0) == 0.5
    assert loss_down(of, 60.0) == 0.0
