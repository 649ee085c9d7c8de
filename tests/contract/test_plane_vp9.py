"""A VP9 stream in layers through the plane, seen from real DTLS-SRTP peers: what a viewer gets, and what the recorder."""

from __future__ import annotations

import asyncio

from media.plane import ConsumerSpec, LayerChanged, ProducerSpec
from media.rtp import rtcp
from media.rtp.vp9 import descriptor
from tests.contract.plane_peers import Bench, Parsed, Peer, parsed, running_plane
from tests.patience import PATIENCE_S, until
from tests.unit.test_layered import PADDING, Sender, Sent

CAMERA = ProducerSpec(
    "patient.camera", "video", "1", {98: "VP9"}, 90000, mid_extension=1, ssrcs=(1,), nack=True, pli=True
)
VIEW = ConsumerSpec("c1", "patient.camera", 5555, {"VP9": 100}, 6666, {100: 101}, nack=True)


def shown(packets: list[bytes]) -> list[tuple[int, int]]:
    """Of each packet of a frame: its picture and its spatial layer."""
    found = [descriptor(p.payload, 0, len(p.payload)) for p in map(parsed, packets) if p.payload != PADDING]
    return [(about.picture, about.spatial) for about in found if about is not None]


def told(bench: Bench) -> list[tuple[int | None, int, str, int | None]]:
    return [(e.layer, e.layers, e.reason, e.lines) for e in bench.events if isinstance(e, LayerChanged)]


class Camera:
    """A patient's, in three layers that do not lean on each other; keyframes come when they are asked for."""

    def __init__(self, patient: Peer) -> None:
        self.patient, self.sender, self.answered = patient, Sender("S3T3"), 0

    async def film(self, pictures: int, without: int = -1) -> list[Sent]:
        """So many pictures; a packet of each may be lost."""
        out: list[Sent] = []
        for _ in range(pictures):
            asked = len(self.patient.heard(rtcp.KeyframeRequest))
            for place, sent in enumerate(self.sender.picture(asked > self.answered)):
                out.append(sent)
                if place != without:
                    await self.patient.send(sent.packet)
            self.answered = asked
            await asyncio.sleep(0.02)
        return out

    async def until_told(self, bench: Bench, news: tuple[int | None, int, str, int | None]) -> list[Sent]:
        """Film until that is the last thing told; the last pictures."""
        async with asyncio.timeout(PATIENCE_S):
            while told(bench)[-1:] != [news]:
                sent = await self.film(3)
        return sent


async def test_a_viewer_gets_the_layer_it_wants_and_the_recorder_all_of_them() -> None:
    async with running_plane() as bench:
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", CAMERA)
        bench.plane.subscribe("d", VIEW)
        camera = Camera(patient)
        await camera.film(2)
        bench.plane.record("patient.camera", 7)
        sent = await camera.until_told(bench, (2, 3, "", 720))
        await until(lambda: shown(doctor.rtp)[-1] == (sent[-1].picture, 2))
        kept = {data for handle, _, _, data in bench.sink.packets if handle == 7}
        assert {each.packet for each in sent} <= kept
        bench.plane.view("d", "c1", "small")
        sent = await camera.until_told(bench, (0, 3, "asked", 180))
        await until(lambda: shown(doctor.rtp)[-1] == (sent[-1].picture, 0))
        numbers = [parsed(packet).seq for packet in doctor.rtp]
        assert [(seq - numbers[0]) & 0xFFFF for seq in numbers] == list(range(len(numbers)))


async def test_a_repair_that_is_not_the_viewers_ends_its_questions_and_one_that_is_arrives() -> None:
    async with running_plane() as bench:
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", CAMERA)
        bench.plane.subscribe("d", VIEW)
        camera = Camera(patient)
        await camera.film(3)
        await until(lambda: len(doctor.rtp) > 0)
        shows = shown(doctor.rtp)[-1][1]
        small, big = (0, 5) if shows == 2 else (5, 0)
        for place, payload in ((small, PADDING), (big, None)):
            sent = await camera.film(1, without=place)
            await camera.film(1)
            before = len(doctor.rtp)
            await patient.send(sent[place].packet)
            await until(lambda before=before: len(doctor.rtp) == before + 1)  # type: ignore[misc]
            late: Parsed = parsed(doctor.rtp[-1])
            assert late.payload == PADDING if payload else late.payload.endswith(sent[place].packet[-20:])
        numbers = sorted((parsed(packet).seq - parsed(doctor.rtp[0]).seq) & 0xFFFF for packet in doctor.rtp)
        assert numbers == list(range(len(numbers)))
