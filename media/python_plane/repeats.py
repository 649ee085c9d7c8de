"""How often each listener's sound is repeated (RED, RFC 2198), and what sound costs its path.

STEER-1  Audio is paid for first and never managed away; it is repeated as its path's losses ask (RED, depth 0–4).
"""

from __future__ import annotations

from media.congestion.downlink import OVERHEAD, Downlink
from media.forwarding.consumer import Consumer
from media.transports.transport import Transport

_DEPTHS = ((0.35, 4), (0.20, 3), (0.10, 2), (0.03, 1))
"""Loss from which audio is repeated, and how often: n repeats leave pⁿ⁺¹, if each was lost by itself. More than two are for
radios that lose a fifth and more: of 30 % lost 3.4 % concealed with two and 0.0 with three (`media/decisions/0010`)."""
SHARE = 0.35
"""Of what the path carries, as much as audio may take by repeating itself."""
ALONE_FROM = 0.42
"""Loss from which no picture is sent, and sound may take all there is."""
HOLD_S = 8.0
"""How long a depth is kept once less is lost."""
REPORT_FRESH_S = 5.0
"""A subscriber's report that is older says nothing."""
_PACKETS_PER_S = 50


def repeat(transport: Transport, now: float) -> float:
    """Set the depth of each sound that this transport receives; returns what sound costs it (bit/s)."""
    cost = 0.0
    for route in transport.consumers.values():
        producer = route.track.producer
        if not producer.is_video:
            if route.consumer.spec.red is not None:
                _deepen(route.consumer, producer.bps, transport.downlink, now)
            cost += cost_bps(producer.bps, route.consumer.depth)
    return cost


def cost_bps(bps: float, depth: int) -> float:
    """What 50 packets a second cost the path with so many repeats in each."""
    return bps * (1 + depth) + _PACKETS_PER_S * OVERHEAD * 8


def _deepen(consumer: Consumer, bps: float, downlink: Downlink | None, now: float) -> None:
    reported = consumer.loss if now - consumer.loss_at < REPORT_FRESH_S else 0.0
    loss = max(reported, downlink.loss if downlink else 0)
    depth = next((depth for least, depth in _DEPTHS if loss >= least), 0)
    if downlink is not None:
        if downlink.queueing:
            depth = min(depth, consumer.depth)
        share = SHARE if loss < ALONE_FROM else 1.0
        while depth and cost_bps(bps, depth) > share * downlink.controller.capacity_bps:
            depth -= 1
            consumer.depth = min(consumer.depth, depth)
    if depth >= consumer.depth:
        consumer.depth, consumer.depth_at = depth, now
    elif now - consumer.depth_at > HOLD_S:
        consumer.depth, consumer.depth_at = consumer.depth - 1, now
