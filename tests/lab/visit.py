"""A sender with sound and pictures behind its `Downlink`, over a `Link`, in virtual time: more than the controller shows.

Sound is sent whatever happens; pictures go through the pacer, at what the estimate leaves (`wanted_bps` at the most).
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from media.congestion.downlink import Downlink
from media.congestion.twcc import Arrivals, parse
from tests.lab.call import Trace
from tests.lab.link import Forecast, Link

STEP_S = 0.001
FEEDBACK_S = 0.1
AUDIO_EVERY_S, AUDIO = 0.02, 100
PACKET, SMALLEST = 1000, 60
FOLLOWS_S = 0.4
"""How long the encoder takes to follow the estimate."""


@dataclass
class Sound:
    """What became of the packets of sound: sent, and arrived within a jitter buffer's patience."""

    sent: int = 0
    heard: int = 0

    @property
    def lost(self) -> float:
        """Fraction 0–1."""
        return 1 - self.heard / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class Camera:
    """Pictures as an encoder makes them: whole frames, now and then a keyframe, on a machine that is busy elsewhere."""

    frames_per_s: float = 25.0
    keyframe: int = 5000
    """Bytes."""
    keyframe_every_s: float = 2.8
    makes: float = 1.0
    """Part of what it is asked for that the encoder makes: a Chromium's small encoding is a timid one."""
    stalls_per_s: float = 1.0
    """How often the receiving browser is held up, so that what came meanwhile counts as come when it goes on,"""
    stall_s: float = 0.08
    """and for how long at the most."""


class Visit:
    """One direction of a visit; feedback comes back over a path of its own. Without a `camera` pictures are a steady flow."""

    def __init__(
        self, forecast: Forecast, back: Forecast, seed: int, wanted_bps: float = 2e6, camera: Camera | None = None
    ) -> None:
        self.downlink = Downlink(0.0)
        self.downlink.want(wanted_bps * 1.2)
        self.trace, self.sound = Trace(), Sound()
        self._link, self._back = Link(forecast, seed), Link(back, seed + 1)
        self._wanted = wanted_bps
        self._camera, self._luck, self._stalled_until = camera, random.Random(seed), 0.0
        self._arrivals = Arrivals()
        self._encoded: deque[tuple[float, float]] = deque([(0.0, 300e3)])
        self._frame_at = self._keyframe_at = 0.0

    def run(self, seconds: float) -> Trace:
        """Play it."""
        self.downlink.begin(0.0)
        audio_at = feedback_at = 0.0
        made, bits = 0.0, 0
        for step in range(int(seconds / STEP_S)):
            at = step * STEP_S
            if at >= audio_at:
                audio_at += AUDIO_EVERY_S
                self.downlink.pacer.urgent(AUDIO)
                self._emit(at, AUDIO, b"a")
                self.sound.sent += 1
            made += self._encoder(at) * STEP_S / 8
            if self._camera is not None:
                made = self._frame(at, made, self._camera)
            while self._camera is None and made >= PACKET:
                made -= PACKET
                self._picture(at)
            self._pump(at)
            bits += self._hear(at)
            if at >= feedback_at:
                feedback_at += FEEDBACK_S
                message = self._arrivals.write(1, 2)
                if message is not None:
                    self._back.push(at, message)
            for told in self._back.pop(at):
                self.downlink.hear(parse(told), at)
            if step % 100 == 99:
                self.trace.rows.append((at, self.downlink.estimate_bps, bits / 0.1, self._link.wait_s(at)))
                bits = 0
        return self.trace

    def _encoder(self, at: float) -> float:
        """What the encoder makes now: what it was asked for a while ago."""
        asked = min(0.9 * self.downlink.controller.capacity_bps - 60e3, self._wanted)
        asked *= self._camera.makes if self._camera is not None else 1.0
        self._encoded.append((at, max(asked, 0.0)))
        while len(self._encoded) > 1 and self._encoded[1][0] <= at - FOLLOWS_S:
            self._encoded.popleft()
        return self._encoded[0][1]

    def _frame(self, at: float, made: float, camera: Camera) -> float:
        """What the encoder may still spend, once the frame of this moment is made, if one is."""
        if at < self._frame_at:
            return made
        self._frame_at += 1 / camera.frames_per_s
        size = max(int(made), 0)
        if at >= self._keyframe_at:
            self._keyframe_at = at + camera.keyframe_every_s
            size = camera.keyframe
        if size < 100:
            return made
        for begins in range(0, size, PACKET):
            self._picture(at, min(PACKET, size - begins))
        return made - size

    def _picture(self, at: float, size: int = PACKET) -> None:
        pacer = self.downlink.pacer
        size = max(size, SMALLEST)
        if not self.downlink.hold(at) and pacer.may_go(at, size):
            self._emit(at, size, b"v")
        elif pacer.full:
            pacer.clear()
        else:
            pacer.put(at, size, bytes(size))

    def _pump(self, at: float) -> None:
        self.downlink.hold(at)
        for packet in self.downlink.pacer.due(at):
            self._emit(at, len(packet), b"v")
        while self.downlink.probes and self.downlink.probes[0].next_at <= at:
            burst = self.downlink.probes[0]
            self.downlink.probing = burst.cluster.number
            self._emit(at, 300, b"p")
            self.downlink.probing = None
            burst.left -= 300
            burst.next_at += 300 * 8 / burst.cluster.bps
            if burst.left <= 0:
                self.downlink.probes.popleft()

    def _emit(self, at: float, size: int, kind: bytes) -> None:
        number = self.downlink.number(at, size - 44)
        self._link.push(at, kind + number.to_bytes(2, "big") + bytes(size - 3))

    def _hear(self, at: float) -> int:
        bits = 0
        if self._camera is not None:
            if at >= self._stalled_until and self._luck.random() < self._camera.stalls_per_s * STEP_S:
                self._stalled_until = at + self._luck.random() * self._camera.stall_s
            if at < self._stalled_until:
                return 0
        for packet in self._link.pop(at):
            self._arrivals.hear(int.from_bytes(packet[1:3], "big"), at)
            self.sound.heard += packet[:1] == b"a"
            bits += len(packet) * 8
        return bits
