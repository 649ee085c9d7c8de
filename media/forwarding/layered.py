"""One subscription to a VP9 stream in layers: one spatial layer and what it leans on, its pictures up to a temporal layer.

LAYERED-1  Outgoing numbers have no holes for what is left out, and keep those of what was lost: a missing packet has a number
           from the moment it is missed. One that comes late and is not the subscriber's leaves as padding under that number,
           so that nobody asks for it again.
LAYERED-2  Of a picture go out the frames of the spatial layer, and those of smaller layers that others lean on (Z). The last
           packet of the spatial layer's frame bears the marker; what the sender marked itself stays marked.
LAYERED-3  Another spatial layer begins with a key picture; a smaller one of which nothing was left out since the last one
           begins with any picture. Fewer temporal layers begin with any picture, more where the sender says that a switch up
           is possible (U), or at a key picture.
LAYERED-4  Picture ids stay as they came.
"""

from __future__ import annotations

from collections import deque

from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.layering import EVERY
from media.forwarding.reception import KEPT, Reception
from media.plane import ConsumerSpec
from media.rtp import header
from media.rtp.vp9 import Descriptor, descriptor

_SLOT = KEPT - 1
_M16 = 0xFFFF
_NONE = -1
_MOST_TURNS = 8
"""Changes of layer remembered for what comes late; before them nothing is the subscriber's."""


class LayeredConsumer(Consumer):
    """See the module's rules. `aim` says what is wanted, `spatial` and `temporal` what is sent."""

    __slots__ = (
        "_aim",
        "_indexes",
        "_left_out",
        "_next",
        "_numbers",
        "_stamp",
        "_top",
        "_turns",
        "spatial",
        "temporal",
    )

    def __init__(self, spec: ConsumerSpec, outgoing: Outgoing, producer_codecs: dict[int, str]) -> None:
        """Begins with the smallest layer, all of its pictures, until `aim` says otherwise."""
        self._aim = (0, EVERY)
        self.spatial, self.temporal = 0, EVERY
        self._numbers = [_NONE] * KEPT
        """By index of the producer's packets: the number each has, or will have; none if it is left out."""
        self._indexes = [_NONE] * KEPT
        """By number: whose it is."""
        self._next = 0
        """Not yet wrapped to 16 bits."""
        self._turns: deque[tuple[int, int, int]] = deque(maxlen=_MOST_TURNS)
        """From which index on, spatial and temporal layer."""
        self._stamp = -1
        """Timestamp of the newest picture."""
        self._left_out = 0
        """Spatial layers of which frames were left out since the key picture, as bits."""
        self._top = EVERY
        """The biggest spatial layer, as the sender told last."""
        super().__init__(spec, outgoing, producer_codecs)

    def aim(self, spatial: int, temporal: int) -> bool:
        """What should be sent as soon as may be; returns whether a key picture is needed for it (LAYERED-3)."""
        self._aim = spatial, temporal
        wanted = min(spatial, self._top)
        return self.flowing and wanted != self.spatial and not self._unbroken(wanted)

    def stop(self) -> None:
        """The stream behind it ended; the next `begin` goes on after it (CONS-1)."""
        if self.flowing:
            self.outgoing.next_seq = self._next & _M16
        self.flowing = False

    def begin(self, index: int, timestamp: int, now: float, clock_rate: int, source: Reception | None = None) -> None:
        """Forward from the packet with this index on, the first of a key picture."""
        super().begin(index, timestamp, now, clock_rate, source)
        self.last = index - 1
        self._next = self.outgoing.next_seq
        self._indexes = [_NONE] * KEPT
        self._turns.clear()
        self._stamp = -1

    def write(
        self,
        into: bytearray,
        into_view: memoryview,
        packet: memoryview,
        at: int,
        size: int,
        index: int,
        now: float,
    ) -> int:
        """Write the packet as the subscriber expects it; returns its size, or 0 if it is not for this consumer."""
        if index < self.first or not self.payload_types:
            return 0
        about = descriptor(packet, at, header.payload_end(packet, size, at))
        if index > self.last:
            mine = self._passes(packet, about, index)
            if not mine:
                self._numbers[index & _SLOT] = _NONE
                self.last = index
                return 0
            self._number(index)
            spatial = self.spatial
        else:
            spatial, temporal = self._sent_at(index)
            mine = _is_for(about, spatial, temporal)
        number = self._numbers[index & _SLOT]
        if number == _NONE:
            return 0
        if not mine:
            return self._fill(into, packet, number)
        self.seq_shift = number - index & _M16
        length = super().write(into, into_view, packet, at, size, index, now)
        if length and about is not None and about.ends and about.spatial == spatial:  # LAYERED-2
            into[1] |= header.MARKER
        return length

    def wanted(self, lost: tuple[int, ...], now: float) -> list[int]:
        """Indexes of the producer's stream for the numbers a NACK names, as far as they may be sent again."""
        if not self.flowing:
            return []
        indexes = [index for seq in lost if (index := self._index_of(seq)) >= self.first and self.last - index < KEPT]
        return indexes[: self._allowed(len(indexes), now)]

    def rewrite(self, into: bytearray, into_view: memoryview, packet: bytes, index: int) -> int:
        """A packet once more (see `Consumer`); what left as padding does so again. 0: cannot be, or is left out."""
        if not self.last - KEPT < index <= self.last or self._numbers[index & _SLOT] == _NONE:
            return 0
        number = self._numbers[index & _SLOT]
        self.seq_shift = number - index & _M16
        spatial, temporal = self._sent_at(index)
        at = header.payload_at(packet, len(packet))
        about = descriptor(packet, at, header.payload_end(packet, len(packet), at)) if at > 0 else None
        if not _is_for(about, spatial, temporal):
            if not self.spec.rtx:
                return self._fill(into, memoryview(packet), number)
            packet = packet[:at]  # RFC 4588: its number, and nothing behind it
            return super().rewrite(into, into_view, bytes((packet[0] & ~header.PADDING, *packet[1:])), index)
        length = super().rewrite(into, into_view, packet, index)
        if length and about is not None and about.ends and about.spatial == spatial:
            into[1] |= header.MARKER
        return length

    def _passes(self, packet: memoryview, about: Descriptor | None, index: int) -> bool:
        """Whether the newest packet is the subscriber's. What is missing before it gets its numbers."""
        missing = index - self.last - 1
        if missing:
            self._next += max(0, missing - KEPT + 1)
            for each in range(index - min(missing, KEPT - 1), index):
                self._number(each)
        if about is None:  # padding alone
            return False
        if about.sizes is not None:
            self._top = len(about.sizes) - 1
        stamp = header.FIXED.unpack_from(packet)[3]
        if stamp != self._stamp:
            self._stamp = stamp
            self._turn(about, index)
        if _is_for(about, self.spatial, self.temporal):
            return True
        if about.temporal <= self.temporal:
            self._left_out |= 1 << about.spatial
        return False

    def _turn(self, about: Descriptor, index: int) -> None:
        """A new picture: LAYERED-3."""
        spatial, temporal = self._aim
        spatial = min(spatial, self._top)
        climbs = about.climbs and about.temporal <= self.temporal
        if about.key and about.begins:
            self._left_out, climbs = 0, True
        elif spatial > self.spatial or not self._unbroken(spatial):
            spatial = self.spatial
        if temporal > self.temporal and not climbs:
            temporal = self.temporal
        if not self._turns or (spatial, temporal) != (self.spatial, self.temporal):
            self.spatial, self.temporal = spatial, temporal
            self._turns.append((index, spatial, temporal))

    def _unbroken(self, spatial: int) -> bool:
        return spatial < self.spatial and not self._left_out & 1 << spatial

    def _number(self, index: int) -> None:
        self._numbers[index & _SLOT] = self._next
        self._indexes[self._next & _SLOT] = index
        self._next += 1

    def _index_of(self, seq: int) -> int:
        """Whose number it is; -1 if it is nobody's, or too old."""
        index = self._indexes[seq & _SLOT]
        return index if index >= 0 and self._numbers[index & _SLOT] & _M16 == seq else _NONE

    def _sent_at(self, index: int) -> tuple[int, int]:
        """Which layers were sent when this packet should have come."""
        turn = next((turn for turn in reversed(self._turns) if turn[0] <= index), None)
        return (_NONE, _NONE) if turn is None else turn[1:]

    def _fill(self, into: bytearray, packet: memoryview, number: int) -> int:
        """A packet of padding alone in place of one that is not the subscriber's (LAYERED-1)."""
        _, second, _, timestamp, _ = header.FIXED.unpack_from(packet)
        payload_type = self.payload_types.get(second & 0x7F)
        if payload_type is None:
            return 0
        time, head = timestamp + self.time_shift & 0xFFFFFFFF, self._head
        header.FIXED.pack_into(into, 0, self._first | header.PADDING, payload_type, number & _M16, time, self.spec.ssrc)
        if head > header.SIZE:
            into[header.SIZE : head] = self._extension
        into[head] = 1
        self.outgoing.packets += 1
        return head + 1


def _is_for(about: Descriptor | None, spatial: int, temporal: int) -> bool:
    """LAYERED-2."""
    if about is None or about.temporal > temporal:
        return False
    return about.spatial == spatial or (about.spatial < spatial and not about.alone)
