"""What a subscriber gets of a VP9 stream in layers: numbers without holes of ours, pictures that can be decoded, repairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.forwarding.consumer import Outgoing
from media.forwarding.layered import LayeredConsumer
from media.forwarding.layering import EVERY
from media.plane import ConsumerSpec
from media.rtp import header
from media.rtp.vp9 import descriptor
from tests.contract.plane_peers import Parsed, parsed, rtp
from tests.vp9 import cut

BASE = 0x10000
PADDING = b"\1"
"""One byte of it, with its count."""
SIZES = ((320, 180), (640, 360), (1280, 720))
CYCLE = (0, 2, 1, 2)
LEANS = (4, 1, 2, 1)
"""How far back each picture of the cycle leans."""
MODES = ["S3T3", "L3T3_KEY", "L3T3"]


def viewing(rtx: bool = True) -> ConsumerSpec:
    return ConsumerSpec("c", "t", 5555, {"VP9": 100}, 6666 if rtx else None, {100: 101} if rtx else {}, nack=True)


@dataclass
class Sent:
    """One packet of a sender: its index, its RTP bytes, and of what it is."""

    index: int
    packet: bytes
    picture: int
    spatial: int
    temporal: int
    key: bool
    alone: bool


@dataclass
class Sender:
    """A camera in three spatial and three temporal layers."""

    mode: str
    layers: int = 3
    sent: list[Sent] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    number: int = -1
    place: int = 0

    def picture(self, key: bool = False) -> list[Sent]:
        """The next one's packets: one of the smallest layer, two of the next, three of the biggest."""
        key = key or self.number < 0
        self.number += 1
        self.place = 0 if key else self.place + 1
        out: list[Sent] = []
        if key:
            self.keys.append(self.number)
        temporal = CYCLE[self.place % 4]
        for spatial in range(self.layers):
            leans = spatial > 0 and (self.mode == "L3T3" or (self.mode == "L3T3_KEY" and key))
            last = spatial == self.layers - 1
            alone = self.mode == "S3T3" or last or (self.mode == "L3T3_KEY" and not key)
            frame = bytes((self.number & 255, spatial)) * (50 * (spatial + 1))
            sizes = SIZES[: self.layers] if key and not spatial else None
            payloads = cut(
                frame,
                sizes,
                100,
                picture=self.number & 0x7FFF,
                spatial=spatial,
                temporal=temporal,
                inter=not key,
                leans=leans,
                alone=alone,
            )
            for n, payload in enumerate(payloads):
                index = BASE + len(self.sent) + len(out)
                marker = last and n == len(payloads) - 1
                packet = rtp(index & 0xFFFF, payload, pt=98, ssrc=1, ts=self.number * 3000, marker=marker, mid="1")
                out.append(Sent(index, packet, self.number, spatial, temporal, key, alone))
        self.sent += out
        return out


class Desk:
    """A consumer and what it has sent, by number."""

    def __init__(self, rtx: bool = True) -> None:
        self.out = bytearray(2000)
        self.view = memoryview(self.out)
        self.consumer = LayeredConsumer(viewing(rtx), Outgoing(32700, 7, 1000), {98: "VP9"})
        self.got: list[tuple[Sent, Parsed]] = []

    def begin(self, sent: Sent) -> None:
        self.consumer.begin(sent.index, sent.picture * 3000, 0.0, 90000)

    def write(self, sent: Sent) -> Parsed | None:
        packet = sent.packet
        at = header.payload_at(packet, len(packet))
        size = self.consumer.write(self.out, self.view, memoryview(packet), at, len(packet), sent.index, 0.0)
        if not size:
            return None
        written = parsed(bytes(self.out[:size]))
        self.got.append((sent, written))
        return written

    def film(self, sender: Sender, pictures: int, key: bool = False) -> None:
        for n in range(pictures):
            for sent in sender.picture(key and n == 0):
                self.write(sent)

    def again(self, sent: Sent) -> bytes:
        return bytes(self.out[: self.consumer.rewrite(self.out, self.view, sent.packet, sent.index)])

    @property
    def numbers(self) -> list[int]:
        return [written.seq - 32700 & 0xFFFF for _, written in self.got]

    def shown(self) -> Iterator[tuple[int, dict[int, list[bytes]], list[bool]]]:
        """Each picture: its number, its frames by spatial layer, its markers."""
        for number in sorted({sent.picture for sent, _ in self.got}):
            frames: dict[int, list[bytes]] = {}
            markers = []
            for sent, written in sorted(self.got, key=lambda both: both[0].index):
                if sent.picture == number and written.payload:
                    about = descriptor(written.payload, 0, len(written.payload))
                    assert about is not None
                    assert about.picture == number & 0x7FFF
                    frames.setdefault(about.spatial, []).append(written.payload[about.at :])
                    markers.append(written.marker)
            if frames:
                yield number, frames, markers


def started(mode: str, spatial: int, temporal: int = EVERY, rtx: bool = True) -> tuple[Sender, Desk]:
    sender, desk = Sender(mode), Desk(rtx)
    desk.consumer.aim(spatial, temporal)
    first = sender.picture()
    desk.begin(first[0])
    for sent in first:
        desk.write(sent)
    return sender, desk


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spatial", range(3))
def test_a_viewer_gets_one_layer_and_what_it_leans_on_as_one_stream_without_holes(mode: str, spatial: int) -> None:
    sender, desk = started(mode, spatial)
    desk.film(sender, 8)
    assert desk.numbers == list(range(len(desk.got)))
    for number, frames, markers in desk.shown():
        below = mode == "L3T3" or (mode == "L3T3_KEY" and number == 0)
        assert sorted(frames) == (list(range(spatial + 1)) if below else [spatial])
        assert markers == [False] * (len(markers) - 1) + [True], "the last packet of what is sent has the marker"
    assert {written.ssrc for _, written in desk.got} == {5555}


def test_fewer_pictures_begin_with_any_picture_and_more_where_the_sender_lets_them() -> None:
    sender, desk = started("S3T3", 0, 0)
    desk.film(sender, 8)
    assert [number for number, _, _ in desk.shown()] == [0, 4, 8]
    assert desk.consumer.aim(0, EVERY) is False, "no key picture is needed"
    desk.film(sender, 4)
    assert [number for number, _, _ in desk.shown()] == [0, 4, 8, 12], "not before one from which a switch is clean"
    desk.film(sender, 4)
    assert [number for number, _, _ in desk.shown()][4:] == [13, 14, 15, 16]
    desk.consumer.aim(0, 1)
    desk.film(sender, 4)
    assert [number for number, _, _ in desk.shown()][8:] == [18, 20]
    assert desk.numbers == list(range(len(desk.got)))


@pytest.mark.parametrize("mode", MODES)
def test_a_bigger_layer_begins_with_a_key_picture(mode: str) -> None:
    sender, desk = started(mode, 0)
    assert desk.consumer.aim(2, EVERY) is True
    desk.film(sender, 3)
    assert {max(frames) for _, frames, _ in desk.shown()} == {0}
    desk.film(sender, 2, key=True)
    assert [max(frames) for _, frames, _ in desk.shown()] == [0, 0, 0, 0, 2, 2]
    assert desk.consumer.aim(2, EVERY) is False


def test_a_smaller_layer_waits_for_a_key_picture_unless_nothing_of_it_was_left_out() -> None:
    sender, desk = started("L3T3", 2)
    desk.film(sender, 2)
    assert desk.consumer.aim(1, EVERY) is False
    desk.film(sender, 1)
    assert [max(frames) for _, frames, _ in desk.shown()] == [2, 2, 2, 1]
    for mode in ("L3T3_KEY", "S3T3"):
        sender, desk = started(mode, 2)
        desk.film(sender, 2)
        assert desk.consumer.aim(1, EVERY) is True
        desk.film(sender, 1)
        desk.film(sender, 1, key=True)
        assert [max(frames) for _, frames, _ in desk.shown()] == [2, 2, 2, 2, 1]


def test_a_layer_that_its_sender_no_longer_counts_is_no_longer_waited_for() -> None:
    sender, desk = started("L3T3_KEY", 2)
    sender.layers = 2
    desk.film(sender, 2, key=True)
    assert [max(frames) for _, frames, _ in desk.shown()] == [2, 1, 1]
    assert desk.consumer.aim(2, EVERY) is False
    sender.layers = 3
    desk.film(sender, 1, key=True)
    assert [max(frames) for _, frames, _ in desk.shown()] == [2, 1, 1, 2]


def test_what_was_lost_keeps_its_number_and_leaves_as_padding_if_it_comes_late_for_nobody() -> None:
    sender, desk = started("S3T3", 2)
    packets = sender.picture()
    small, middle, big = packets[0], packets[1], packets[4]
    for sent in packets:
        if sent not in (small, big):
            desk.write(sent)
    assert desk.numbers == [0, 1, 2, 4, 6], "each that is missing may be ours"
    filled, late = desk.write(small), desk.write(big)
    assert filled is not None
    assert late is not None
    assert (filled.payload, filled.first & 0x20, late.marker) == (PADDING, 0x20, False)
    assert sorted(desk.numbers) == [0, 1, 2, 3, 4, 5, 6]
    assert desk.write(middle) is None, "a second time it has no number"
    desk.film(sender, 1)
    assert sorted(desk.numbers) == list(range(10))


def test_a_nack_is_answered_by_what_went_out_under_the_number() -> None:
    for rtx in (True, False):
        sender, desk = started("L3T3_KEY", 1, rtx=rtx)
        packets = sender.picture()
        for sent in packets[1:]:
            desk.write(sent)
        desk.write(packets[0])
        for sent, written in list(desk.got):
            assert desk.consumer.wanted((written.seq,), 0.0) == [sent.index]
            again = parsed(desk.again(sent))
            if rtx:
                payload = b"" if written.payload == PADDING else written.payload
                assert again.payload == written.seq.to_bytes(2, "big") + payload
                assert again.marker == written.marker
            else:
                assert again == written
        assert desk.consumer.wanted((desk.got[0][1].seq - 1 & 0xFFFF, 9), 0.0) == []
        assert desk.again(packets[-1]) == b"", "what was left out is not sent again"


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(MODES),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 2), st.sampled_from([0, 1, EVERY])), max_size=12),
    st.lists(st.integers(0, 400), max_size=30, unique=True),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=30, unique_by=lambda late: late[0]),
    st.booleans(),
)
def test_whatever_is_lost_or_late_numbers_grow_and_pictures_can_be_decoded(
    mode: str,
    aims: list[tuple[int, int, int]],
    lost: list[int],
    late: list[tuple[int, int]],
    lossless: bool,
) -> None:
    sender, desk = Sender(mode), Desk()
    held: dict[int, list[Sent]] = {}
    wanted = dict[int, tuple[int, int]]()
    at = 0
    for wait, spatial, temporal in aims:
        at += wait
        wanted[at] = spatial, temporal
    delays = {} if lossless else dict(late)
    gone = set() if lossless else set(lost)
    key, began, clock = False, False, 0
    for number in range(60):
        aimed = wanted.get(number)
        if aimed is not None:
            desk.consumer.aim(*aimed)
        for sent in sender.picture(key):
            place = sent.index - BASE
            if began or (sent.key and not sent.spatial and place not in gone and place not in delays):
                if not began:
                    began = True
                    desk.begin(sent)
                if place in gone:
                    pass
                elif place in delays:
                    held.setdefault(clock + delays[place], []).append(sent)
                else:
                    desk.write(sent)
            clock += 1
            for waited in held.pop(clock, []):
                desk.write(waited)
        key = desk.consumer.aim(*desk.consumer._aim) or not began
    numbers = desk.numbers
    assert len(set(numbers)) == len(numbers), "one content under each number"
    ordered = sorted(desk.got, key=lambda both: both[0].index)
    assert all(before[1].seq - 32700 & 0xFFFF < after[1].seq - 32700 & 0xFFFF for before, after in pairwise(ordered)), (
        "in the order of the sender"
    )
    if lossless:
        assert numbers == list(range(len(numbers)))
        decodable(desk, sender)


def decodable(desk: Desk, sender: Sender) -> None:
    """Each picture's biggest frame has what it leans on: below it in the picture, and before it in its own layer."""
    seen: set[tuple[int, int]] = set()
    for number, frames, markers in desk.shown():
        top = max(frames)
        newest = max(key for key in sender.keys if key <= number)
        place = number - newest
        assert markers == [False] * (len(markers) - 1) + [True]
        for spatial in frames:
            if place:
                assert (number - LEANS[place % 4], spatial) in seen
            seen.add((number, spatial))
        if sender.mode == "L3T3" or (sender.mode == "L3T3_KEY" and not place):
            assert sorted(frames) == list(range(top + 1))
