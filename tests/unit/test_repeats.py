"""How often sound is repeated for whom."""

from __future__ import annotations

import pytest

from media.congestion.downlink import OVERHEAD, Downlink
from media.forwarding.consumer import Consumer, Outgoing
from media.plane import ConsumerSpec, IceCredentials, ProducerSpec, TransportSpec
from media.python_plane.repeats import ALONE_FROM, HOLD_S, REPORT_FRESH_S, SHARE, cost_bps, repeat
from media.transports.transport import Route, Track, Transport

CODECS = {111: "opus"}
BPS = 32_000.0


def listener(red: int | None = 63) -> tuple[Transport, Consumer]:
    """A transport that hears one voice."""
    known = IceCredentials("u" * 4, "p" * 22)
    transport = Transport(TransportSpec("d", known, known, ()), 1, 0.0, 0)
    track = Track(ProducerSpec("patient.microphone", "audio", "0", CODECS, 48000), transport)
    track.producer.bps = BPS
    consumer = Consumer(ConsumerSpec("a", track.spec.track, 7, {"opus": 109}, red=red), Outgoing(1, 1, 1), CODECS)
    transport.consumers["a"] = Route(track, consumer, transport, track.layers[0])
    return transport, consumer


@pytest.mark.parametrize(("loss", "depth"), [(0.0, 0), (0.05, 1), (0.15, 2), (0.25, 3), (0.5, 4)])
def test_what_is_lost_says_how_often(loss: float, depth: int) -> None:
    transport, consumer = listener()
    consumer.loss, consumer.loss_at = loss, 1.0
    assert repeat(transport, 1.0) == cost_bps(BPS, depth) == BPS * (1 + depth) + 400 * OVERHEAD
    assert consumer.depth == depth


def test_who_takes_no_redundancy_gets_none() -> None:
    transport, consumer = listener(red=None)
    consumer.loss, consumer.loss_at = 0.5, 1.0
    assert repeat(transport, 1.0) == cost_bps(BPS, 0)
    assert consumer.depth == 0


def test_it_is_given_up_in_steps_and_not_at_once() -> None:
    transport, consumer = listener()
    consumer.loss, consumer.loss_at = 0.15, 0.0
    repeat(transport, 0.0)
    quiet = REPORT_FRESH_S + 1
    depths = []
    for now in (quiet, HOLD_S + 0.1, HOLD_S + 0.2, 2 * HOLD_S + 0.3):
        repeat(transport, now)
        depths.append(consumer.depth)
    assert depths == [2, 1, 1, 0]


def test_it_keeps_to_its_share_of_a_narrow_path_until_it_is_alone_on_it() -> None:
    transport, consumer = listener()
    downlink = transport.downlink = Downlink(0.0)
    room = downlink.controller.capacity_bps
    transport.consumers["a"].track.producer.bps = room * SHARE / 2 - 400 * OVERHEAD / 2
    downlink.loss = 0.2
    repeat(transport, 0.0)
    assert consumer.depth == 1, "two would be more than its share"
    downlink.loss = ALONE_FROM
    repeat(transport, 0.1)
    assert consumer.depth == 4
