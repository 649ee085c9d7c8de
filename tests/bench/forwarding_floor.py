"""The worker with nothing on a packet's way but what no forwarder in Python can leave out: its floor.

A packet is received, opened, given another head, sealed and sent, a frame in one call as ever; nothing is kept for repairs,
counted, estimated, recorded or asked for. `python -m tests.bench forwarding --floor` starts it in place of the worker.
"""

from __future__ import annotations

import media.python_plane.plane
import teleconsult
from media.python_plane.forwarder import Forwarder
from media.rtp import header
from media.transports.transport import Path, Route


class Bare(Forwarder):
    """Forwards by the book until a stream flows, and then by the shortest way."""

    _ways: dict[tuple[Path, int], Route]

    def on_rtp(self, path: Path, size: int) -> None:
        """One packet."""
        _, second, seq, timestamp, ssrc = header.FIXED.unpack_from(self.cell.data)
        route = self._ways.get((path, ssrc))
        if route is None:
            super().on_rtp(path, size)
            self._learn(path, ssrc)
            return
        cell, inbound, outbound, to = (
            self.cell,
            path.transport.inbound,
            route.subscriber.outbound,
            route.subscriber.path,
        )
        assert inbound is not None
        assert outbound is not None
        assert to is not None
        size = inbound.unprotect(cell, size)
        if size < 0:
            return
        path.transport.heard = self.now
        outlet, consumer = self.outlet, route.consumer
        out = outlet.out
        out.view[header.SIZE : size] = cell.view[header.SIZE : size]
        second = second & 0x80 | consumer.payload_types[second & 0x7F]
        seq, timestamp = seq + consumer.seq_shift & 0xFFFF, timestamp + consumer.time_shift & 0xFFFFFFFF
        header.FIXED.pack_into(out.data, 0, 0x80, second, seq, timestamp, consumer.spec.ssrc)
        size = outbound.protect(out, size)
        if route.track.producer.is_video:
            outlet.departures.add(to, size, second >= 0x80)
            outlet.out = outlet.departures.cell
        else:
            to.sendto(out.view[:size], to.address)

    def _learn(self, path: Path, ssrc: int) -> None:
        stream = path.transport.streams.get(ssrc)
        if stream is not None:
            for route in stream[0].track.routes:
                if route.layer is not None and route.consumer.flowing:
                    self._ways[path, ssrc] = route


def main() -> None:
    """`teleconsult`, with a bare forwarder."""
    Bare._ways = {}
    media.python_plane.plane.Forwarder = Bare  # type: ignore[misc]
    teleconsult.main()


if __name__ == "__main__":
    main()
