"""Which layer each subscriber gets, and what the recorder follows.

Called a few times a second for each transport.

STEER-1  See `media.python_plane.repeats`.
STEER-2  Without an estimate (no transport feedback, no REMB) a subscriber gets the best there is and is never paused.
STEER-3  A picture is paused only when not even its smallest layer has fitted for `PATIENCE_S`; the listener hears of it,
         of every change of layer, and of what each subscription begins with.
STEER-4  The recorder gets the best layer that arrives, whatever the viewers can take.
STEER-5  The encoding below the best is asked to follow what the weakest viewer can take (`congestion.wish`).
STEER-6  No viewer gets more than it wants to see (`Route.most`).
STEER-7  Where much is lost that no queue loses, and there is room, packets of a picture are sent again before anybody asks.
STEER-8  Whose layer has been left out by its publisher goes over to another at the keyframe with which that began.
STEER-9  Pictures whose publisher's own way is hopeless (TOLL-1) are shown to nobody: a still that jumps once a second is no
         picture, and nobody would be told.
STEER-10 Once a publisher was asked for the whole picture in its first encoding (WISH-2), whoever has a better one goes over
         at the first keyframe of that size, and not once the better one has been quiet for a while. Who missed it asks for
         another: nobody waits for a keyframe that has been.
STEER-11 The operating points of one stream in layers (LAYERING-1) are what the sizes of a simulcast are elsewhere. The
         recorder gets all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from media.congestion.downlink import Downlink
from media.forwarding.layered import LayeredConsumer
from media.forwarding.layering import EVERY, Layering, Point
from media.plane import LayerChanged, PlaneEvent, SizeWished
from media.python_plane.offering import alive_layers, fewer, wanted, whole_bps
from media.python_plane.repeats import ALONE_FROM, repeat
from media.transports.transport import LEFT_OUT_S, Layer, Route, Track, Transport

PATIENCE_S = 2.0
COMEBACK_S = 1.0
"""How long a paused picture must fit before it is shown again: it begins with a keyframe, which is dear."""
HOPELESS, HOPELESS_S, HELD_S = 0.4, 0.8, 0.2
"""What fits by less than this part does not wait so long; where the path has stopped telling (DOWN-3) still less: what was
kept for it would be a second of sound."""
STANDING_S = 0.15
"""A queue that stands longer makes audio late: until it is drained, the plan is what drains it."""
REMB_FRESH_S = 5.0
SMALLEST = 0.75
"""A smallest layer that fits by three quarters is shown: its encoder follows its own path, and frames may be late."""
COMES_BACK, COMES_BACK_BPS = 1.25, 80_000.0
"""One that was paused needs so many times what it costs, and so much at the least: on 100 kbit/s it came and went every
few seconds, and took the sound along."""
PAUSED_FILLS = 0.65
"""Part of its room that the smallest is asked to follow while it is paused: one that fills it would never come back."""
LOSSY_FILLS = 0.8
"""Part of its room that it is to follow where a radio loses: repairs and the estimate's swings want the rest."""
GIVEN_UP_S = 2.0
"""A publisher that sends no size of a picture for so long has left it out: its own network is too weak, or it is off."""
FULL_BPS = 2_000_000.0
"""What a camera may want to send: with less known of a path, the small picture would be asked for and given up in turns."""
_LOSSY = (float("inf"), 900_000.0, 400_000.0)
"""What pictures are to cost at the most where a radio loses (`congestion.radio`): a frame of many packets is seldom whole
(0.7⁵ is a sixth)."""
HOPELESS_LOSS, BEARABLE_LOSS, STEADY_LOSS, STEADILY = ALONE_FROM, 0.3, 0.36, 0.3
"""Loss from which no picture is sent, and below which it comes back, of the last second and of the last ten: where half
of the feedback is lost, too, half of fifty packets of sound looks like a third now and then. One burst loses half of fifty
packets as well: so much must be lost over the ten seconds, too (else 10 % in bursts is the smallest size now and then)."""
_COPIES, COPIES_SHARE = ((0.2, 2), (0.06, 1)), 0.6
"""Loss from which packets of a picture are sent again unasked, and how often; all within this part of the estimate."""
AHEAD = 1.2
SMALL_ROOM_BPS = 400_000.0
_TAPE_UP_S = 1.0


class Steering:
    """See the module's rules."""

    def __init__(
        self,
        want_keyframe: Callable[[Layer], None],
        catch_up: Callable[[Route, Layer, float], bool],
        tell: Callable[[PlaneEvent], None],
    ) -> None:
        """`catch_up` sends from a keyframe that came already, if there is one."""
        self._want_keyframe = want_keyframe
        self._catch_up = catch_up
        self._tell = tell

    def steer(self, transport: Transport, now: float) -> None:
        """One transport: what it receives, and what is recorded of what it sends."""
        receptions = [layer.producer.reception for track in transport.tracks.values() for layer in track.layers]
        transport.toll.count(sum(r.expected for r in receptions), sum(r.received for r in receptions), now)
        for track in transport.tracks.values():
            for layer in track.layers:
                layer.producer.measure(now)
            if track.tape is not None:
                self._follow(track.tape, now)
            if len(track.layers) > 1 or track.producer.layering is not None:
                self._wish(track, now)
        for route in transport.consumers.values():
            route.consumer.hold(route.track.hold.settle(now))
        if transport.consumers:
            audio_bps = repeat(transport, now)
            self._share(transport, audio_bps, now)

    def choose(self, route: Route, layer: Layer | None) -> None:
        """Go over to a layer at its next keyframe, or pause."""
        if route.wanted is not layer:
            route.wanted = layer
            if layer is None:
                route.consumer.stop()
                route.layer = None
            elif route.layer is not layer:
                downlink = route.subscriber.downlink
                smaller = route.layer is not None and layer.rank < route.layer.rank
                if smaller and downlink is not None and downlink.queueing:
                    # What does not fit would keep the smaller layer's keyframe waiting behind it.
                    route.consumer.stop()
                    route.layer = None
                self._want_keyframe(layer)

    def choked(self, route: Route, now: float) -> None:
        """There is no room for a picture as big as this: nothing of it until a keyframe, of a smaller one if there is one."""
        route.consumer.stop()
        route.layer = None
        downlink = route.subscriber.downlink
        assert downlink is not None
        downlink.pacer.clear()
        alive = alive_layers(route.track, now)
        if isinstance(route.consumer, LayeredConsumer):
            route.consumer.aim(0, EVERY)
        if alive and route.wanted is not None:
            route.wanted = alive[0]
            self._want_keyframe(alive[0])

    # ---- video

    def _share(self, transport: Transport, audio_bps: float, now: float) -> None:
        routes = {r.consumer.spec.id: r for r in transport.consumers.values() if r.track.producer.is_video}
        for route in routes.values():
            if route.track.transport.toll.hopeless and route.most != "none":
                self.choose(route, None)
                self._say(route, None, "publisher")
            elif _given_up(route, now):
                self._say(route, None, "publisher")
        there = {name: r for name, r in routes.items() if not r.track.transport.toll.hopeless or r.most == "none"}
        wants = [want for name, route in there.items() if (want := wanted(name, route, now)) is not None]
        downlink = transport.downlink
        if downlink is not None:
            best = sum(want.best_bps for want in wants)
            downlink.want(
                audio_bps + AHEAD * max(best, FULL_BPS if any(r.most == "best" for r in routes.values()) else 0.0)
            )
        budget = self._budget(transport, now) - audio_bps
        if downlink is not None:
            budget = min(budget, _LOSSY[downlink.radio.step])
            shown_now = any(r.wanted for r in routes.values())
            hopeless = downlink.loss > (HOPELESS_LOSS if shown_now else BEARABLE_LOSS)
            steadily = downlink.steady_loss > STEADILY or downlink.queueing
            if (hopeless and steadily) or (not shown_now and downlink.steady_loss > STEADY_LOSS):
                budget = 0.0  # frames that are never whole: sound has it all
        left = budget
        shown = []
        for want in sorted(wants, key=lambda want: -want.more.priority):
            route, cost = routes[want.more.track], want.smallest_bps * SMALLEST
            least = cost if route.wanted is not None else max(want.smallest_bps * COMES_BACK, COMES_BACK_BPS)
            if self._fits(route, left, least, downlink, now):
                left -= cost
                shown.append(want)
        given = transport.allocator.allocate(max(0.0, left), [want.more for want in shown], now)
        taken = 0.0
        for want in sorted(wants, key=lambda want: -want.more.priority):
            route, name = routes[want.more.track], want.more.track
            others = sum(o.smallest_bps * SMALLEST for o in shown if o.more.priority < want.more.priority)
            route.room_bps = (budget - taken - others) * (1.0 if route.wanted is not None else PAUSED_FILLS)
            if downlink is not None:
                route.room_bps *= LOSSY_FILLS if downlink.radio.step else 1.0
                route.copies = _copies(downlink, route)
            if want not in shown:
                continue
            offered = given[name]
            rank = want.more.layers[0].spatial if offered is None else offered.spatial
            taken += want.smallest_bps + (offered.bps if offered is not None else 0.0)
            if isinstance(route.consumer, LayeredConsumer):
                self._aim(route, route.consumer, want.points, rank)
                continue
            layer, last = route.track.layers[rank], route.layer
            if rank and route.track.becomes_whole(now):  # STEER-10
                route.wanted = route.track.layers[0]
                continue
            lost = last is not None and last is not layer and route.track.leaves_out(last, now)
            if not lost or not self._catch_up(route, layer, now):
                self.choose(route, layer)
                if lost:
                    self._want_keyframe(layer)
            self._tell_layer(route, want.more.layers[-1].spatial)

    def _aim(self, route: Route, consumer: LayeredConsumer, points: list[Point], spatial: int) -> None:
        """STEER-11."""
        layer, best = route.track.layers[0], points[-1]
        whole = next((point for point in points if point.spatial == spatial > 0), None)
        point = whole or fewer(points, route.room_bps, consumer.temporal)
        self.choose(route, layer)
        shrinks = point.spatial < consumer.spatial
        if consumer.aim(point.spatial, point.temporal):
            downlink = route.subscriber.downlink
            if shrinks and downlink is not None and downlink.queueing and route.layer is not None:
                # What does not fit would keep the smaller picture's keyframe waiting behind it.
                consumer.stop()
                route.layer = None
            self._want_keyframe(layer)
        if route.layer is not None:
            less = (consumer.spatial, consumer.temporal) < (best.spatial, best.temporal)
            self._say(route, layer, ("asked" if route.most == "small" else "bandwidth") if less else "")

    def _fits(self, route: Route, budget_bps: float, cost_bps: float, downlink: Downlink | None, now: float) -> bool:
        """STEER-3: whether its smallest layer is shown; if not, it is paused here."""
        if route.most == "none":
            self.choose(route, None)
            self._say(route, None, "asked")
            return False
        paused = route.wanted is None
        if downlink is None or not downlink.settled:
            return True
        if (cost_bps <= budget_bps) != paused:
            route.unfit_since = None  # as it is, it is well
            return not paused
        if route.unfit_since is None:
            route.unfit_since = now
        hopeless = budget_bps < HOPELESS * cost_bps
        patience = COMEBACK_S if paused else PATIENCE_S
        if hopeless and not paused:
            patience = HELD_S if downlink.pacer.held else HOPELESS_S
        if now - route.unfit_since < patience:
            return not paused
        route.unfit_since = None
        if not paused:
            self.choose(route, None)
            self._say(route, None, "bandwidth")
        return paused

    def _tell_layer(self, route: Route, best: int) -> None:
        """`best`: rank of the best layer that arrives."""
        layer = route.layer
        if layer is None:
            return
        lines = max(each.producer.lines for each in route.track.layers)
        if layer.rank < best:
            self._say(route, layer, "asked" if route.most == "small" else "bandwidth")
        else:
            self._say(route, layer, "publisher" if layer.producer.lines < lines else "")

    def _say(self, route: Route, layer: Layer | None, reason: Literal["", "bandwidth", "publisher", "asked"]) -> None:
        rank, lines, layers = _shown(route, layer)
        told, route.told = route.told, (rank, lines, reason)
        if told == route.told or (not reason and told is not None and not told[2]):
            return  # as good as it can be: news after one that was not, and of a route that may follow such a one
        self._tell(
            LayerChanged(
                route.subscriber.spec.key,
                route.track.spec.track,
                None if layer is None else rank,
                layers,
                reason,
                lines or None,
            )
        )

    def _wish(self, track: Track, now: float) -> None:
        """STEER-5."""
        alive = alive_layers(track, now)
        if not alive:
            return
        layering = alive[-1].producer.layering
        if layering is not None:
            self._wish_layers(track, layering, now)
            return
        rooms = [(route.room_bps, route.layer is alive[-1]) for route in track.routes if route.most == "best"]
        # Who asked for the small picture still wants one, however wide its path.
        rooms += [(SMALL_ROOM_BPS, False) for route in track.routes if route.most == "small"]
        made_bps = alive[-2].producer.bps if len(alive) > 1 else None
        if track.wish.settle(rooms, alive[-1].producer.bps, now, made_bps):
            if track.tape is not None:
                self._follow(track.tape, now)  # before anybody hears of it: a page obeys within a tenth of a second
            self._tell(SizeWished(track.transport.spec.key, track.spec.track, track.wish.bps))

    def _wish_layers(self, track: Track, layering: Layering, now: float) -> None:
        """STEER-5 of a stream in layers: whether smaller ones are needed at all. Their cost is their sender's affair."""
        top = layering.top(now)
        shown = [(r, r.consumer.spatial == top) for r in track.routes if isinstance(r.consumer, LayeredConsumer)]
        rooms = [(route.room_bps, best and route.layer is not None) for route, best in shown if route.most == "best"]
        rooms += [(SMALL_ROOM_BPS, False) for route in track.routes if route.most == "small"]
        if track.wish.settle(rooms, whole_bps(track, layering.cost(top)), now):
            self._tell(SizeWished(track.transport.spec.key, track.spec.track, track.wish.bps))

    def _budget(self, transport: Transport, now: float) -> float:
        """Bit/s for everything new; repairs are paid from the same purse."""
        downlink = transport.downlink
        if downlink is not None:
            controller = downlink.controller
            bps = controller.capacity_bps if controller.wait_s < STANDING_S else controller.target_bps
            return bps * (1 - min(downlink.loss, downlink.steady_loss, 0.3))
        if transport.remb_bps is not None and now - transport.remb_at < REMB_FRESH_S:
            return float(transport.remb_bps)
        return float("inf")  # STEER-2

    # ---- the recorder

    def _follow(self, tape: Route, now: float) -> None:
        """STEER-4."""
        best, current = tape.track.best(now), tape.layer
        if best.rank and current is not None and tape.track.becomes_whole(now):  # STEER-10
            tape.wanted = tape.track.layers[0]
            return
        alive = current is not None and tape.track.lives(current, now)
        if current is not None and alive and best.rank > current.rank and tape.wanted is not best:
            if tape.told != (best.rank, 0, ""):
                tape.told, tape.unfit_since = (best.rank, 0, ""), now
            if tape.unfit_since is None or now - tape.unfit_since < _TAPE_UP_S:
                return
        self.choose(tape, best)
        if not alive and tape.layer is not best:
            self._want_keyframe(best)


def _shown(route: Route, layer: Layer | None) -> tuple[int, int, int]:
    """Rank and lines of what a route shows (-1 and 0 while it is paused), and of how many."""
    layering = route.track.producer.layering
    count = len(route.track.layers) if layering is None else max(1, len(layering.sizes))
    if layer is None:
        return -1, 0, count
    if layering is not None and isinstance(route.consumer, LayeredConsumer):
        return route.consumer.spatial, layering.lines(route.consumer.spatial), count
    return layer.rank, layer.producer.lines, count


def _copies(downlink: Downlink, route: Route) -> int:
    """STEER-7."""
    if downlink.queueing or route.layer is None or not downlink.settled:
        return 0
    loss = max(downlink.loss, downlink.controller.inherent_loss)
    copies = next((copies for least, copies in _COPIES if loss >= least), 0)
    while copies and (1 + copies) * _sent_bps(route, route.layer) > COPIES_SHARE * downlink.estimate_bps:
        copies -= 1
    return copies


def _sent_bps(route: Route, layer: Layer) -> float:
    layering = layer.producer.layering
    if layering is not None and isinstance(route.consumer, LayeredConsumer):
        return layering.cost(route.consumer.spatial, route.consumer.temporal)
    return layer.producer.bps


def _given_up(route: Route, now: float) -> bool:
    """Whether its publisher is there and sends nothing of it any more."""
    if route.wanted is None or route.layer is None or now - route.track.transport.heard > LEFT_OUT_S:
        return False
    return all(now - layer.producer.heard > GIVEN_UP_S for layer in route.track.layers)


def first_layer(track: Track, transport: Transport, now: float) -> Layer:
    """What a new subscription begins with: the smallest where there is an estimate to be had, else the best."""
    return track.layers[0] if transport.downlink is not None else track.best(now)
