"""What a transport is told once a second, and what can be said about its losses. Pure reading of its state."""

from __future__ import annotations

from collections.abc import Iterator

from media.rtp import rtcp
from media.transports.transport import Transport

REMB_BPS = 3_000_000
"""What a publisher that takes no transport feedback may send as far as we are concerned: generous."""
_SOURCES_A_COMPOUND = 12
_FRESH_S = 4.0


def compound_reports(transport: Transport, now: float) -> Iterator[bytes]:
    """Receiver report on its tracks (with REMB), sender report and CNAME for each source; nothing if nothing flows."""
    tracks = list(transport.tracks.values())
    producers = [layer.producer for track in tracks for layer in track.layers]
    blocks = [block for producer in producers if (block := producer.block(now)) is not None]
    remb = [producer.ssrc for producer in producers if producer.spec.remb and producer.ssrc is not None]
    reports: list[tuple[bytes, int, str]] = []
    for route in transport.consumers.values():
        consumer, producer = route.consumer, (route.layer or route.track.layers[0]).producer
        report = consumer.report(producer.report, producer.report_at, now, producer.spec.clock_rate)
        if report is not None:
            reports.append((report, consumer.spec.ssrc, consumer.spec.cname))
    if not blocks and not reports:
        return
    tail = rtcp.remb(transport.ssrc, REMB_BPS, remb) if remb else b""
    for start in range(0, max(1, len(reports)), _SOURCES_A_COMPOUND):
        part = reports[start : start + _SOURCES_A_COMPOUND]
        names = [(ssrc, cname) for _, ssrc, cname in part] or [(transport.ssrc, "teleconsult")]
        yield rtcp.receiver_report(transport.ssrc, blocks) + b"".join(r for r, _, _ in part) + rtcp.sdes(names) + tail
        blocks, tail = [], b""


def loss_up(transport: Transport) -> float:
    """Fraction 0–1 of what the peer sent in the last two seconds that did not arrive by itself."""
    layers = [layer for track in transport.tracks.values() for layer in track.layers]
    counts = [layer.producer.reception.recent() for layer in layers]
    expected = sum(expected for expected, _ in counts)
    return sum(lost for _, lost in counts) / expected if expected > 0 else 0.0


def loss_down(transport: Transport, now: float) -> float:
    """Fraction 0–1 the peer says it misses of what we send, the worst of its streams in its newest reports."""
    consumers = [route.consumer for route in transport.consumers.values()]
    fresh = [consumer.loss for consumer in consumers if now - consumer.loss_at < _FRESH_S]
    return max(fresh, default=0.0)
