"""What a track has to offer one viewer, and at what cost: its sizes, from cheapest to best. Pure reading of its state."""

from __future__ import annotations

from dataclasses import dataclass

from media.congestion.allocation import Layer as Offered
from media.congestion.allocation import Want
from media.forwarding.layered import LayeredConsumer
from media.forwarding.layering import Point
from media.transports.transport import Layer, Route, Track

KEPT_AT = 0.85
"""A layer that is shown is kept while so much of it fits: encoders swing, and every change is a keyframe."""
FEW_KEPT_AT, FEW_FROM = 0.8, 0.9
"""The same for the number of pictures: what an encoder makes in a second is rarely more than it is asked for."""
ALONE_BPS = 1_600_000.0
"""What a whole picture costs alone, before it was seen."""
HEEDED_S, OVERSHOOT = 1.2, 1.3
"""How long a publisher has to follow a wish, and by how much its encoder may miss it before what it sends counts instead."""
PARTED_S = 3.0
"""A best size that begins anew beside a small one costs little for so long, and is no bargain: viewers went over to it on
paths that carried half of it, and were barred from it after (ALLOC-3)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there is of a track: what its smallest layer costs, what each costs more than that, and its best in all."""

    smallest_bps: float
    more: Want
    best_bps: float
    points: list[Point]
    """Of a stream in layers."""


def wanted(name: str, route: Route, now: float) -> Wanted | None:
    """A layer costs at least what the one below costs; one that does not arrive is no choice."""
    alive = alive_layers(route.track, now)
    if not alive:
        return None
    layering = alive[-1].producer.layering
    if layering is not None and isinstance(route.consumer, LayeredConsumer):
        return _want_layers(name, route, route.consumer, layering.points(now))
    smallest = _cost(alive, 0, now)
    offered, cost = [Offered(alive[0].rank, 0, 0.0)], 0.0
    for place, layer in enumerate(alive[1:], 1):
        ease = KEPT_AT if layer is route.layer else 1.05
        cost = max(_cost(alive, place, now) * ease - smallest, cost + 1.0)
        offered.append(Offered(layer.rank, 0, cost))
    priority = 1 if route.track.spec.track.endswith(".screen") else 0
    most = 0 if route.most == "small" else None
    best = offered[0 if route.most == "small" else -1].bps + 2 * smallest if route.most != "none" else 0.0
    return Wanted(smallest, Want(name, priority, tuple(offered), most), best, [])


def _want_layers(name: str, route: Route, consumer: LayeredConsumer, points: list[Point]) -> Wanted:
    """STEER-11: sizes are allocated; of the smallest one, `fewer` says how many pictures."""
    smallest, cost, offered = points[0].bps, 0.0, [Offered(0, 0, 0.0)]
    for point in points:
        if point.spatial:
            cost = max(point.bps * (KEPT_AT if point.spatial == consumer.spatial else 1.05) - smallest, cost + 1.0)
            offered.append(Offered(point.spatial, 0, cost))
    most = 0 if route.most == "small" else None
    best = offered[0 if route.most == "small" else -1].bps + 2 * smallest if route.most != "none" else 0.0
    priority = 1 if route.track.spec.track.endswith(".screen") else 0
    return Wanted(smallest, Want(name, priority, tuple(offered), most), best, points)


def fewer(points: list[Point], room_bps: float, temporal: int) -> Point:
    """Of the smallest layer, as many pictures as there is room for. `temporal`: up to which it is shown.

    Another number of pictures costs no keyframe, so it may change as the room does.
    """
    for point in reversed([point for point in points if point.spatial == 0]):
        if point.bps * (FEW_KEPT_AT if point.temporal <= temporal else FEW_FROM) <= room_bps:
            return point
    return points[0]


def whole_bps(track: Track, top_bps: float) -> float:
    """What the best costs a viewer of a stream in layers: alone, which is what it would be without smaller ones (WISH-2), it
    takes more than as one of several: who has room for that one only would be without it a moment later."""
    return top_bps if track.wish.bps == 0 else max(top_bps, track.wish.whole_bps or ALONE_BPS)


def alive_layers(track: Track, now: float) -> list[Layer]:
    """Those that arrive, smallest first."""
    return [layer for layer in track.layers if track.lives(layer, now) and layer.producer.bps > 0]


def _cost(alive: list[Layer], place: int, now: float) -> float:
    """Bit/s: as measured, but the encoding that follows a wish is given time to do so, and room to overshoot."""
    layer, wish = alive[place], alive[place].track.wish
    if place and place == len(alive) - 1 and now - wish.parted_at < PARTED_S:
        return max(layer.producer.bps, wish.whole_bps)
    if place != max(0, len(alive) - 2) or not wish.bps:
        return layer.producer.bps
    if now - wish.asked_at < HEEDED_S:
        return min(layer.producer.bps, wish.bps)
    return wish.bps if wish.bps < layer.producer.bps < OVERSHOOT * wish.bps else layer.producer.bps
