"""Layers of a simulcast and pictures that adapt to a path, seen from real DTLS-SRTP peers."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

from media.plane import ConsumerSpec, LayerChanged, PlaneEvent, ProducerSpec, ProducerStarted, SizeWished
from media.rtp import header, rtcp
from tests.contract.plane_peers import (
    VP8_DELTA,
    VP8_KEY,
    Bench,
    Peer,
    parsed,
    rtp,
    running_plane,
    video,
    viewing,
)
from tests.contract.plane_scenes import NUMBER, REPAIRED, RID, extended
from tests.patience import PATIENCE_S, until

RIDS = {"q": 10, "h": 20}
CAMERA = ProducerSpec(
    "patient.camera",
    "video",
    "1",
    {96: "VP8"},
    90000,
    rtx={97: 96},
    mid_extension=1,
    nack=True,
    pli=True,
    rids=("q", "h"),
    rid_extension=RID,
    repaired_rid_extension=REPAIRED,
)


def picture(n: int, key: bool) -> bytes:
    """A VP8 packet with a 15-bit picture id `n` and TL0PICIDX `n`."""
    return bytes((0x90, 0xE0, 0x80 | n >> 8 & 0x7F, n & 255, n & 255, 0)) + (VP8_KEY[1:] if key else VP8_DELTA[1:])


async def film(peer: Peer, rid: str, seqs: range, key: int = -1) -> None:
    for n in seqs:
        base = RIDS[rid] * 100
        payload = picture(base + n, n == key) + rid.encode()
        await peer.send(extended(base + n, payload, pt=96, ssrc=RIDS[rid], ts=n * 3000, e1=b"1", e10=rid.encode()))


async def simulcast(bench: Bench, spec: ConsumerSpec) -> tuple[Peer, Peer]:
    patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
    bench.plane.publish("p", CAMERA)
    bench.plane.subscribe("d", spec)
    return patient, doctor


async def shown_the_best(patient: Peer, doctor: Peer) -> None:
    """The doctor's path is found wide enough for it."""
    for n in range(60):
        await film(patient, "h", range(n, n + 1), key=n)
        await asyncio.sleep(0.02)
        if any(packet[-1:] == b"h" for packet in doctor.rtp):
            return


async def test_layers_are_known_by_their_rids_and_a_viewer_goes_over_at_a_keyframe() -> None:
    async with running_plane() as bench:
        patient, doctor = await simulcast(bench, viewing())
        await film(patient, "q", range(4), key=0)
        await until(lambda: len(doctor.rtp) == 4)
        await film(patient, "h", range(2), key=0)
        for n in range(4, 40):
            await film(patient, "q", range(n, n + 1))
            await film(patient, "h", range(n, n + 1))
            await asyncio.sleep(0.02)
        route = bench.plane._transports["d"].consumers["c1"]
        assert route.wanted is not None
        assert route.wanted.rid == "h"
        assert rtcp.KeyframeRequest(20) in patient.heard(rtcp.KeyframeRequest)
        await film(patient, "h", range(40, 44), key=40)
        await until(lambda: doctor.rtp[-1][-1:] == b"h" and len([p for p in doctor.rtp if p[-1:] == b"h"]) == 4)
        await film(patient, "q", range(44, 46))
        seen = [parsed(packet) for packet in doctor.rtp]
        assert {p.ssrc for p in seen} == {5555}
        assert [(p.seq - seen[0].seq) & 0xFFFF for p in seen] == list(range(len(seen)))
        ids = [(p.payload[2] & 0x7F) << 8 | p.payload[3] for p in seen]
        assert [i - ids[0] for i in ids] == list(range(len(seen))), "picture ids go on as one stream"
        assert [p.payload[4] - seen[0].payload[4] & 255 for p in seen] == list(range(len(seen)))
        await doctor.send(rtcp.nack(1, 5555, [seen[-1].seq]))
        await until(lambda: parsed(doctor.rtp[-1]).ssrc == 6666)
        assert parsed(doctor.rtp[-1]).payload[2:] == seen[-1].payload, "a repair has the same counts"


async def test_what_a_new_subscription_shows_is_told_even_if_it_is_the_best() -> None:
    async with running_plane() as bench:
        patient, _ = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        best, n = LayerChanged("d", "patient.camera", 0, 1, "", None), 0
        for again in (1, 2):  # under the same transport: what was told of the one before would stand for ever
            bench.plane.subscribe("d", viewing())
            async with asyncio.timeout(PATIENCE_S):
                while bench.events.count(best) < again:
                    n += 1
                    await patient.send(rtp(n, VP8_KEY, pt=96, ssrc=1111, ts=n * 900, marker=True))
                    await asyncio.sleep(0.02)
            bench.plane.unsubscribe("d", viewing().id)
        assert [event for event in bench.events if isinstance(event, LayerChanged)] == [best, best]


async def test_a_size_that_is_left_out_is_asked_for_no_keyframe() -> None:
    async with running_plane() as bench:
        patient, _ = await simulcast(bench, viewing())
        asked = rtcp.KeyframeRequest(RIDS["h"])
        for n in range(100):  # until it is wanted: then it is asked for
            await film(patient, "h", range(n, n + 1))
            await asyncio.sleep(0.02)
            if asked in patient.heard(rtcp.KeyframeRequest):
                break
        assert patient.heard(rtcp.KeyframeRequest).count(asked) > 0
        before = 0
        for n in range(1, 12):
            bench.clock.skew += 0.12
            await film(patient, "q", range(n, n + 1))
            await asyncio.sleep(0.06)
            if n == 6:  # by now it has been quiet for long enough
                before = patient.heard(rtcp.KeyframeRequest).count(asked)
        assert patient.heard(rtcp.KeyframeRequest).count(asked) == before


async def test_who_watched_a_size_that_is_left_out_goes_on_from_the_keyframe_that_came() -> None:
    async with running_plane() as bench:
        patient, doctor = await simulcast(bench, viewing())
        await shown_the_best(patient, doctor)
        asked = patient.heard(rtcp.KeyframeRequest).count(rtcp.KeyframeRequest(RIDS["q"]))
        bench.clock.skew += 0.55
        await film(patient, "q", range(6), key=2)
        sent = 6
        async with asyncio.timeout(PATIENCE_S):
            while not any(packet[-1:] == b"q" for packet in doctor.rtp):
                await film(patient, "q", range(sent, sent + 1))
                await asyncio.sleep(0.02)
                sent += 1
        await until(lambda: len([packet for packet in doctor.rtp if packet[-1:] == b"q"]) == sent - 2)
        seen = [parsed(packet) for packet in doctor.rtp]
        assert [(p.seq - seen[0].seq) & 0xFFFF for p in seen] == list(range(len(seen)))
        times = [p.ts - seen[0].ts & 0xFFFFFFFF for p in seen]
        assert times == sorted(times)
        assert patient.heard(rtcp.KeyframeRequest).count(rtcp.KeyframeRequest(RIDS["q"])) == asked


async def test_who_watches_the_best_goes_over_at_the_first_whole_picture_of_the_size_that_stays() -> None:
    async with running_plane() as bench:
        patient, doctor = await simulcast(bench, viewing())
        await shown_the_best(patient, doctor)
        bench.plane.record("patient.camera", 5)
        await film(patient, "h", range(60, 63), key=60)
        await until(lambda: len(bench.sink.packets) == 3)
        track = bench.plane._transports["p"].tracks["patient.camera"]
        for layer, lines in zip(track.layers, (240, 480), strict=True):
            layer.producer.lines = lines
        track.wish.bps, track.wish.asked_at = 0, bench.clock()
        for n, lines in enumerate((240, 480)):
            await patient.send(
                extended(1000 + n, whole(n, lines) + b"q", pt=96, ssrc=RIDS["q"], ts=n, e1=b"1", e10=b"q")
            )
            for turn in range(10):
                await film(patient, "h", range(63 + 10 * n + turn, 64 + 10 * n + turn))
                await asyncio.sleep(0.05)
        await until(lambda: bench.sink.packets[-1][3][-1:] == b"q")
        shown = b"".join(packet[-1:] for packet in doctor.rtp)
        assert shown.strip(b"h") == b"q", "the whole picture only"
        assert not shown.endswith(b"h"), "and nothing of the other after it"


def whole(n: int, lines: int) -> bytes:
    """A VP8 keyframe's first packet that tells its size."""
    return picture(n, key=False)[:6] + b"\x10\0\0\x9d\x01\x2a\x80\x02" + lines.to_bytes(2, "little")


async def test_a_recorder_that_missed_the_whole_pictures_keyframe_asks_for_another() -> None:
    async with running_plane() as bench:
        patient, _ = await simulcast(bench, viewing())
        await film(patient, "q", range(2), key=0)
        await film(patient, "h", range(2), key=0)
        track = bench.plane._transports["p"].tracks["patient.camera"]
        await until(lambda: track.announced is not None and track.layers[1].producer.ssrc == RIDS["h"])
        bench.plane.record("patient.camera", 5)
        await film(patient, "h", range(2, 5), key=2)
        await until(lambda: len(bench.sink.packets) == 3)
        await patient.send(extended(1002, whole(2, 480) + b"q", pt=96, ssrc=RIDS["q"], ts=6000, e1=b"1", e10=b"q"))
        await until(lambda: track.layers[0].producer.lines == 480)
        track.wish.bps, track.wish.asked_at = 0, bench.clock()
        asked, n = rtcp.KeyframeRequest(RIDS["q"]), 3
        before = patient.heard(rtcp.KeyframeRequest).count(asked)
        async with asyncio.timeout(PATIENCE_S):
            while patient.heard(rtcp.KeyframeRequest).count(asked) == before:
                await film(patient, "q", range(n, n + 1))
                await asyncio.sleep(0.02)
                n += 1
        await patient.send(
            extended(1000 + n, whole(n, 480) + b"q", pt=96, ssrc=RIDS["q"], ts=n * 3000, e1=b"1", e10=b"q")
        )
        await until(lambda: bench.sink.packets[-1][3][-1:] == b"q")


async def test_the_recorder_waits_for_the_whole_picture_before_its_publisher_hears_of_the_wish() -> None:
    async with running_plane() as bench:
        patient, _ = await simulcast(bench, viewing())
        awaited: list[str] = []

        def heard(event: PlaneEvent) -> None:
            if event == SizeWished("p", "patient.camera", 0):
                tape = bench.plane._transports["p"].tracks["patient.camera"].tape
                assert tape is not None
                awaited.append(tape.wanted.rid if tape.wanted is not None else "")

        bench.plane.on_event(heard)
        async with asyncio.timeout(PATIENCE_S):
            for n in itertools.count():
                for rid in RIDS:
                    await film(patient, rid, range(n, n + 1), key=n)
                bench.clock.skew += 0.08
                await asyncio.sleep(0.02)
                if n == 10:
                    bench.plane.record("patient.camera", 5)
                if awaited:
                    break
        assert awaited == ["q"]


async def test_the_recorder_follows_the_best_layer_under_one_ssrc() -> None:
    async with running_plane() as bench:
        patient = await Peer(bench, "p").connect()
        bench.plane.publish("p", CAMERA)
        await film(patient, "q", range(2), key=0)
        await until(lambda: ProducerStarted("patient.camera", 10, 96, "VP8") in bench.events)
        bench.plane.record("patient.camera", 5)
        await film(patient, "q", range(2, 6), key=2)
        for n in range(80):
            await film(patient, "h", range(n, n + 1), key=0)
            await film(patient, "q", range(6 + n, 7 + n))
            await asyncio.sleep(0.02)
        await film(patient, "h", range(80, 84), key=80)
        await until(lambda: bench.sink.packets[-1][3][-1:] == b"h")
        taped = [parsed(data) for *_, data in bench.sink.packets]
        assert {p.ssrc for p in taped} == {10}
        assert {p.pt for p in taped} == {96}
        assert [(p.seq - taped[0].seq) & 0xFFFF for p in taped] == list(range(len(taped)))
        layers = [p.payload[-1:] for p in taped]
        assert layers == sorted(layers, reverse=True), "q, then h"
        started = [event for event in bench.events if isinstance(event, ProducerStarted)]
        assert len(started) == 1, "the layers of a simulcast are one track"


async def test_a_repair_of_a_layer_is_known_by_its_repaired_rid() -> None:
    async with running_plane() as bench:
        patient, doctor = await simulcast(bench, viewing())
        await film(patient, "q", range(3), key=0)
        await film(patient, "q", range(4, 6))
        await until(lambda: len(patient.heard(rtcp.Nack)) > 0)
        assert patient.heard(rtcp.Nack)[0] == rtcp.Nack(10, (1003,))
        repair = (1003).to_bytes(2, "big") + picture(1003, False) + b"q"
        await patient.send(extended(1, repair, pt=97, ssrc=11, ts=9000, e1=b"1", e11=b"q"))
        await until(lambda: len(doctor.rtp) == 6)
        ids = [parsed(p).payload[3] for p in doctor.rtp]
        assert sorted(ids) == list(range(min(ids), min(ids) + 6))


async def test_a_picture_is_held_back_for_as_long_as_repairs_of_it_take() -> None:
    async with running_plane() as bench:
        spec = replace(viewing(), number_extension=NUMBER, playout_extension=6)
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        bench.plane.subscribe("d", spec)
        for n in range(40):
            if n % 5 != 3:
                await patient.send(rtp(n, VP8_DELTA if n else VP8_KEY, pt=96, ssrc=1111, ts=n * 900, marker=True))
            if n % 5 == 4:
                bench.clock.skew += 0.2
                repair = (n - 1).to_bytes(2, "big") + VP8_DELTA
                await patient.send(rtp(500 + n, repair, pt=97, ssrc=2222, ts=(n - 1) * 900, marker=True))
                await asyncio.sleep(0.02)
                bench.clock.skew -= 0.2
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        before = len(doctor.rtp)
        await patient.send(rtp(40, VP8_DELTA, pt=96, ssrc=1111, ts=36000, marker=True))
        await until(lambda: len(doctor.rtp) > before)
        told = header.extension(doctor.rtp[-1], len(doctor.rtp[-1]), 6)
        assert told is not None
        assert 15 <= int.from_bytes(told, "big") >> 12 <= 50


async def test_copies_that_nobody_asked_for_are_what_was_sent_and_leave_the_rest_whole() -> None:
    async with running_plane() as bench:
        patient, doctor = await simulcast(bench, viewing())
        await film(patient, "q", range(2), key=0)
        await until(lambda: len(doctor.rtp) >= 2)
        route = bench.plane._transports["d"].consumers["c1"]
        for n in range(2, 30, 7):
            route.copies = 2
            await film(patient, "q", range(n, n + 7))
        heard = [parsed(p) for p in doctor.rtp]
        await until(lambda: len([p for p in doctor.rtp if parsed(p).pt == heard[0].pt]) >= 30)
        sent = {p.seq: p.payload for p in map(parsed, doctor.rtp) if p.pt == heard[0].pt}
        copies = [p for p in map(parsed, doctor.rtp) if p.pt != heard[0].pt]
        assert len(sent) == 30, "whole"
        assert [payload[3] for _, payload in sorted(sent.items())] == list(
            range(sent[min(sent)][3], sent[min(sent)][3] + 30)
        )
        assert len(copies) > 20
        assert all(sent[int.from_bytes(p.payload[:2], "big")] == p.payload[2:] for p in copies)


async def test_the_publisher_is_asked_for_a_small_size_that_fits_and_a_viewer_may_want_less() -> None:
    async with running_plane() as bench:
        patient, _ = await simulcast(bench, viewing())
        for n in range(120):
            await film(patient, "q", range(n, n + 1), key=0)
            await asyncio.sleep(0.02)
            if SizeWished("p", "patient.camera", 0) in bench.events:
                break
        route = bench.plane._transports["d"].consumers["c1"]
        bench.plane.view("d", "c1", "none")
        for n in range(200, 260):
            await film(patient, "q", range(n, n + 1))
            await asyncio.sleep(0.02)
            if route.wanted is None:
                break
        assert bench.events[-1] == LayerChanged("d", "patient.camera", None, 2, "asked")


async def test_a_picture_no_path_can_carry_is_paused_told_and_comes_back() -> None:
    async with running_plane() as bench:
        patient, doctor = await simulcast(bench, replace(viewing(), number_extension=NUMBER))
        await film(patient, "q", range(3), key=0)
        await until(lambda: len(doctor.rtp) >= 3)
        transport = bench.plane._transports["d"]
        route, downlink = transport.consumers["c1"], transport.downlink
        assert downlink is not None
        downlink._heard_at, downlink._last_feedback = 0.0, 10.0
        downlink.controller._rate.bps = 100.0
        downlink.controller._least = 100.0
        for n in range(3, 120):
            await film(patient, "q", range(n, n + 1))
            await asyncio.sleep(0.02)
            if route.wanted is None:
                break
        paused = LayerChanged("d", "patient.camera", None, 2, "bandwidth")
        assert bench.events[-1] == paused
        downlink.controller._rate.bps = 5e6
        for n in range(200, 400):
            await film(patient, "q", range(n, n + 1))
            await asyncio.sleep(0.02)
            if route.wanted is not None:
                break
        before = len(doctor.rtp)
        await film(patient, "q", range(400, 403), key=400)
        await until(lambda: len([p for p in doctor.rtp[before:] if p[-1:] == b"q"]) >= 3)
