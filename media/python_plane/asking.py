"""What senders are asked for and told: packets that are missing, keyframes, and what arrived of theirs (RTCP that leaves).

One for a plane. What is due is remembered here, and said by `tick`.

ASK-1  Where a sender's way is jammed (`Uplink.jammed`), nothing is asked for again, nor a keyframe, until it no longer is: it
       would be lost at the same full queue, take the sound along, or come too late. A way that stays jammed is borne until
       the last keyframe is `JAMMED_LATE_S` old.
ASK-2  But where it stays jammed, a keyframe is asked for, twice at the most: a libwebrtc drops what waits in its pacer for a
       picture when a keyframe of it comes. Its encoders have followed the path down by then; what they had made before
       would go on for two seconds more, many times what the path carries (`media/decisions/0022`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from media.forwarding.reception import NEVER
from media.python_plane.feedback import compound_reports
from media.python_plane.outlet import Outlet
from media.rtp import rtcp
from media.transports.transport import Layer, Track, Transport

FEEDBACK_S = 0.05
"""How often a sender hears what arrived; at a trickle (`_FEW` packets) half as often."""
_FEW = 8
LOSES, LOSES_MUCH, TWIN_S, MOST_TWINS = 0.02, 0.3, 0.015, 256
"""From such a loss on the way to the sender a NACK goes twice, and three times: it has 40 bytes, and one that is lost costs a
round trip. A browser answers the second only if the first was lost: what it has sent again it does not send within a round
trip."""
FLUSHES_S = (0.6, 1.2)
"""After how long in a jam: a Chromium's own control takes 0.7 s to lower its encoders."""
JAMMED_LATE_S = 8.0
"""A queue that stands as long may be somebody else's, and a picture must be able to begin."""
PUT_OFF_S, PUT_OFF_TO_S = 1.0, 3.0
"""How long the recorder's keyframe waits at the most until nothing is missing, and how old the last may become by that."""
HIDDEN_BELOW_BPS = 450_000.0
"""More than this on a lossy uplink is frames of many packets, which are seldom whole: let a browser be timid there."""


class Asking:
    """See the module."""

    def __init__(self, clock: Callable[[], float], outlet: Outlet) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._outlet = outlet
        self.lossy: set[Layer] = set()
        """Layers with packets to be asked for again."""
        self.wanting: set[Layer] = set()
        """Layers with a keyframe to be asked for."""
        self._twins: deque[tuple[float, Transport, bytes]] = deque(maxlen=MOST_TWINS)
        """Questions to be repeated, and when; the oldest fall off."""
        self.recorded: dict[Layer, float] = {}
        """Layers of which the recorder wants a keyframe, and since when."""
        self.unsaid: set[Transport] = set()
        """Transports with arrivals to be fed back."""

    def tick(self, now: float) -> None:
        """Ask again for what has not come, feed back what has; to be called every 20 ms or so."""
        if self.lossy:
            self.ask_again(now)
        while self._twins and self._twins[0][0] <= now:
            _, publisher, message = self._twins.popleft()
            self._outlet.rtcp(publisher, message)
        for layer, since in list(self.recorded.items()):
            waited = now - since > PUT_OFF_S or now - layer.producer.keyframe_at > PUT_OFF_TO_S
            if waited or not layer.producer.reception.missing:
                del self.recorded[layer]
                self.want_keyframe(layer)
        for layer in list(self.wanting):
            if not layer.producer.wanting or not self._followed(layer):
                self.wanting.discard(layer)
            elif not layer.track.leaves_out(layer, now):
                self._ask_keyframe(layer, now)
        for transport in list(self.unsaid):
            self._feed_back(transport, now)

    def forget(self, track: Track) -> None:
        """The track has ended."""
        for layer in track.layers:
            self.lossy.discard(layer)
            self.wanting.discard(layer)
            self.recorded.pop(layer, None)

    def want_recorded(self, layer: Layer) -> None:
        """The recorder wants a keyframe: soon, but not while it would cost repairs (RECV-4)."""
        self.recorded.setdefault(layer, self._clock())

    def want_keyframe(self, layer: Layer) -> None:
        """Ask for a keyframe of this layer, now or as soon as the throttle lets us (PROD-2)."""
        if layer.producer.want_keyframe():
            self.wanting.add(layer)
            self._ask_keyframe(layer, self._clock())

    def _ask_keyframe(self, layer: Layer, now: float) -> None:
        publisher, producer = layer.track.transport, layer.producer
        if publisher.uplink.jammed(now) and now - producer.keyframe_at < JAMMED_LATE_S:  # ASK-1
            return
        if publisher.outbound is not None and producer.pli_due(now):
            assert producer.ssrc is not None
            self._outlet.rtcp(publisher, rtcp.pli(publisher.ssrc, producer.ssrc))

    def ask_again(self, now: float) -> None:
        """NACK what is due; what is given up for good costs video a keyframe (PLI)."""
        for layer in list(self.lossy):
            producer, publisher = layer.producer, layer.track.transport
            if producer.reception.due_at == NEVER:
                self.lossy.discard(layer)
            if producer.reception.due_at > now:
                continue
            ask, lost = producer.reception.due(now, publisher.rtt if publisher.rtt is not None else 0.1)
            if publisher.uplink.jammed(now):
                ask = []
            elif ask and producer.is_video:
                ask = ask[: publisher.asks(len(ask))]
            if ask and producer.ssrc is not None:
                message = rtcp.nack(publisher.ssrc, producer.ssrc, [index & 0xFFFF for index in ask])
                self._outlet.rtcp(publisher, message)
                loss = 0.0 if publisher.downlink is None else publisher.downlink.loss
                for least, turn in ((LOSES, 1), (LOSES_MUCH, 2)):
                    if loss > least:
                        self._twins.append((now + turn * TWIN_S, publisher, message))
            if lost and producer.is_video and self._followed(layer):
                self.want_keyframe(layer)

    @staticmethod
    def _followed(layer: Layer) -> bool:
        track = layer.track
        if track.handle is not None and (track.tape is None or track.tape.wanted is layer):
            return True
        return any(route.wanted is layer or route.layer is layer for route in track.routes)

    def _feed_back(self, transport: Transport, now: float) -> None:
        """Tell a sender what arrived of its numbers."""
        elapsed = now - transport.fed_back_at
        if elapsed < FEEDBACK_S or (elapsed < 2 * FEEDBACK_S and transport.arrivals.waiting < _FEW):
            return
        self.unsaid.discard(transport)
        transport.fed_back_at = now
        self._flush(transport, now)
        media = next((ssrc for ssrc in transport.streams), 0)
        tracks = transport.tracks.values()
        sent = sum(layer.producer.bps for track in tracks for layer in track.layers if track.lives(layer, now))
        calm = transport.uplink.calm and sent < HIDDEN_BELOW_BPS
        message = transport.arrivals.write(transport.ssrc, media, calm)
        if message is not None:
            self._outlet.rtcp(transport, message)

    def _flush(self, transport: Transport, now: float) -> None:
        """ASK-2."""
        jammed_s = transport.uplink.jammed_s(now)
        due = sum(jammed_s > after_s for after_s in FLUSHES_S)
        if due > transport.flushes and transport.outbound is not None:
            for track in transport.tracks.values():
                for layer in track.layers:
                    if layer.producer.is_video and layer.producer.ssrc is not None and track.lives(layer, now):
                        self._outlet.rtcp(transport, rtcp.pli(transport.ssrc, layer.producer.ssrc))
        transport.flushes = due

    def report(self, transport: Transport, now: float) -> None:
        """Send the transport its reports, as far as there is something to report."""
        for compound in compound_reports(transport, now):
            self._outlet.rtcp(transport, compound)
