"""Which layer each subscriber gets, how often its audio is repeated, and what the recorder follows.

Called a few times a second for each transport.

STEER-1  Audio is paid for first and never managed away; it is repeated as its path's losses ask (RED, depth 0–2).
STEER-2  Without an estimate (no transport feedback, no REMB) a subscriber gets the best there is and is never paused.
STEER-3  A picture is paused only when not even its smallest layer has fitted for `PATIENCE_S`; the listener hears of it,
         and of every change of layer.
STEER-4  The recorder gets the best layer that arrives, whatever the viewers can take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from media.congestion.allocation import Layer as Offered
from media.congestion.allocation import Want
from media.congestion.downlink import OVERHEAD
from media.plane import LayerChanged, PlaneEvent
from media.transport import ALIVE_S, Layer, Route, Track, Transport

PATIENCE_S = 1.5
REMB_FRESH_S = 5.0
SMALLEST = 0.75
"""A smallest layer that fits by three quarters is shown: its encoder follows its own path, and frames may be late."""
AHEAD = 1.2
_DEPTHS = ((0.06, 2), (0.01, 1))
"""Loss from which audio is repeated, and how often: one repeat leaves p², two leave p³."""
_POOR_BPS = 90_000
REPEAT_HOLD_S = 8.0
_TAPE_UP_S = 1.0


class Steering:
    """See the module's rules."""

    def __init__(self, want_keyframe: Callable[[Layer], None], tell: Callable[[PlaneEvent], None]) -> None:
        self._want_keyframe = want_keyframe
        self._tell = tell

    def steer(self, transport: Transport, now: float) -> None:
        """One transport: what it receives, and what is recorded of what it sends."""
        for track in transport.tracks.values():
            for layer in track.layers:
                layer.producer.measure(now)
            if track.tape is not None:
                self._follow(track.tape, now)
        if transport.consumers:
            audio_bps = self._repeat(transport, now)
            self._share(transport, audio_bps, now)

    def choose(self, route: Route, layer: Layer | None) -> None:
        """Go over to a layer at its next keyframe, or pause."""
        if route.wanted is not layer:
            route.wanted = layer
            if layer is None:
                route.consumer.stop()
                route.layer = None
            elif route.layer is not layer:
                self._want_keyframe(layer)

    # ---- audio

    def _repeat(self, transport: Transport, now: float) -> float:
        """STEER-1; returns what audio costs (bit/s)."""
        cost, downlink = 0.0, transport.downlink
        for route in transport.consumers.values():
            consumer, producer = route.consumer, route.track.producer
            if producer.is_video:
                continue
            if consumer.spec.red is not None:
                loss = max(
                    consumer.loss if now - consumer.loss_at < REMB_FRESH_S else 0.0, downlink.loss if downlink else 0
                )
                depth = next((depth for least, depth in _DEPTHS if loss >= least), 0)
                if downlink is not None and downlink.settled and downlink.estimate_bps < _POOR_BPS:
                    depth = min(depth, 1)
                if depth >= consumer.depth:
                    consumer.depth, consumer.depth_at = depth, now
                elif now - consumer.depth_at > REPEAT_HOLD_S:
                    consumer.depth, consumer.depth_at = consumer.depth - 1, now
            cost += producer.bps * (1 + consumer.depth) + 50 * OVERHEAD * 8
        return cost

    # ---- video

    def _share(self, transport: Transport, audio_bps: float, now: float) -> None:
        routes = {r.consumer.spec.id: r for r in transport.consumers.values() if r.track.producer.is_video}
        wants = [want for name, route in routes.items() if (want := _want(name, route, now)) is not None]
        if not wants:
            return
        estimate = self._estimate(transport, now)
        downlink = transport.downlink
        if downlink is not None:
            downlink.want(audio_bps + AHEAD * sum(want.usable[-1].bps for want in wants))
            if downlink.settled:
                estimate = (estimate or 0.0) * (1 - min(downlink.loss, 0.3))  # repairs are paid from the same purse
        budget = float("inf") if estimate is None else max(0.0, estimate - audio_bps)
        given = transport.allocator.allocate(budget, wants, now)
        may_pause = downlink is not None and downlink.settled
        for want in wants:
            route, offered = routes[want.track], given[want.track]
            self._settle(route, None if offered is None else offered.spatial, want, may_pause, now)

    def _settle(self, route: Route, rank: int | None, want: Want, may_pause: bool, now: float) -> None:
        if rank is None and may_pause:
            route.unfit_since = route.unfit_since if route.unfit_since is not None else now
            if route.wanted is None or now - route.unfit_since >= PATIENCE_S:  # STEER-3
                self.choose(route, None)
                self._say(route, -1, "bandwidth")
                return
        elif rank is not None:
            route.unfit_since = None
        layers = route.track.layers
        self.choose(route, layers[rank if rank is not None else want.usable[0].spatial])
        if route.layer is not None:
            best = len(layers) - 1
            limited = want.usable[-1].spatial > route.layer.rank
            self._say(
                route, route.layer.rank, "" if route.layer.rank == best else "bandwidth" if limited else "publisher"
            )

    def _say(self, route: Route, rank: int, reason: Literal["", "bandwidth", "publisher"]) -> None:
        if route.told == rank or (route.told is None and rank == len(route.track.layers) - 1):
            return
        route.told = rank
        key, layers = route.subscriber.spec.key, len(route.track.layers)
        self._tell(LayerChanged(key, route.track.spec.track, rank if rank >= 0 else None, layers, reason))

    def _estimate(self, transport: Transport, now: float) -> float | None:
        if transport.downlink is not None:
            return transport.downlink.estimate_bps
        if transport.remb_bps is not None and now - transport.remb_at < REMB_FRESH_S:
            return float(transport.remb_bps)
        return None  # STEER-2

    # ---- the recorder

    def _follow(self, tape: Route, now: float) -> None:
        """STEER-4."""
        best = tape.track.best(now)
        current = tape.layer
        if current is not None and now - current.producer.heard < ALIVE_S and best.rank > current.rank:
            if tape.unfit_since is None or tape.wanted is not best:
                tape.unfit_since = now
            if now - tape.unfit_since < _TAPE_UP_S and tape.wanted is not best:
                return
        self.choose(tape, best)


def _want(name: str, route: Route, now: float) -> Want | None:
    """What there is of a track: a layer costs at least what the one below costs; one that does not arrive is no choice."""
    alive = [layer for layer in route.track.layers if now - layer.producer.heard < ALIVE_S and layer.producer.bps > 0]
    if not alive:
        return None
    offered, cost = [], 0.0
    for n, layer in enumerate(alive):
        cost = max(layer.producer.bps * 1.05, cost + 1.0)
        offered.append(Offered(layer.rank, 0, cost * SMALLEST if n == 0 else cost))
    return Want(name, 1 if route.track.spec.track.endswith(".screen") else 0, tuple(offered))


def first_layer(track: Track, transport: Transport, now: float) -> Layer:
    """What a new subscription begins with: the smallest where there is an estimate to be had, else the best."""
    return track.layers[0] if transport.downlink is not None else track.best(now)
