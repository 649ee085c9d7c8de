"""Feedback, and what sound goes through on a bad network, seen from real DTLS-SRTP peers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from itertools import pairwise

from media.congestion import twcc
from media.plane import LayerChanged, ProducerStarted
from media.rtp import red, rtcp
from media.tap import RECOVERED
from tests.contract.plane_peers import (
    VP8_DELTA,
    VP8_KEY,
    Peer,
    audio,
    parsed,
    rtp,
    running_plane,
    video,
    viewing,
)
from tests.contract.plane_scenes import HEARING, NUMBER, SOUND, Feedback, extended, heard_sound, numbers, speak
from tests.patience import PATIENCE_S, until


async def test_a_numbered_sender_hears_what_arrived() -> None:
    async with running_plane() as bench:
        patient = await Peer(bench, "p").connect()
        heard = Feedback(patient)
        bench.plane.publish("p", replace(video(), number_extension=NUMBER))
        for n in (7, 8, 10, 11):
            await patient.send(extended(n, VP8_KEY, pt=96, ssrc=1111, e3=n.to_bytes(2, "big")))
        await until(lambda: sum(len(told.arrivals) for told in heard.told) >= 5)
        told = [(each.first + n & 0xFFFF, at is not None) for each in heard.told for n, at in enumerate(each.arrivals)]
        assert told == [(7, True), (8, True), (9, False), (10, True), (11, True)]


async def test_what_waited_for_a_busy_worker_is_told_as_come_when_the_kernel_took_it_in() -> None:
    apart_s = 0.03
    async with running_plane() as bench:
        patient = await Peer(bench, "p").connect()
        heard = Feedback(patient)
        bench.plane.publish("p", replace(video(), number_extension=NUMBER))
        for n in range(4):  # the plane's loop does not turn meanwhile
            await patient.send(extended(n, VP8_KEY, pt=96, ssrc=1111, e3=n.to_bytes(2, "big")))
            until_s = time.monotonic() + apart_s
            while time.monotonic() < until_s:
                pass
        await until(lambda: sum(len(told.arrivals) for told in heard.told) == 4)
        came = [at for each in heard.told for at in each.arrivals if at is not None]
        assert all(later - earlier > apart_s - 0.002 for earlier, later in pairwise(came))


async def test_a_subscriber_that_feeds_back_gets_numbered_packets_and_an_estimate() -> None:
    async with running_plane() as bench:
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        bench.plane.publish("p", SOUND)
        bench.plane.subscribe("d", replace(viewing(), number_extension=NUMBER))
        bench.plane.subscribe("d", HEARING)
        assert bench.plane.stats("d").estimate_bps == 300_000
        await patient.send(rtp(1, VP8_KEY, pt=96, ssrc=1111, ts=0))
        await speak(patient, range(1, 4))
        await until(lambda: {100, 109} <= {parsed(packet).pt for packet in doctor.rtp})
        assert numbers(doctor) == list(range(len(doctor.rtp)))
        await doctor.send(twcc.write(1, 0, 0, 0, [n / 100 for n in range(len(doctor.rtp))]))
        await until(lambda: bench.plane.stats("d").estimate_bps is not None)
        await doctor.send(b"\x8f\xcd\x00\x03" + bytes(12))
        await until(lambda: bench.plane.drops.get("rtcp_malformed") == 1)


async def test_sound_that_is_missed_is_sent_again_bit_for_bit() -> None:
    async with running_plane() as bench:
        patient, doctor = await heard_sound(bench)
        await speak(patient, range(1, 6))
        await until(lambda: len(doctor.rtp) == 5)
        sent = [data for data in doctor.raw if data[0] == 0x90 and data[1] & 0x7F == 109]
        await doctor.send(rtcp.nack(1, 7777, [parsed(sent[1]).seq, parsed(sent[3]).seq, 9]))
        await until(lambda: doctor.raw.count(sent[1]) == 2 and doctor.raw.count(sent[3]) == 2)


async def test_sound_is_repeated_for_who_loses_it_and_no_longer_when_nothing_is_lost() -> None:
    async with running_plane() as bench:
        patient, doctor = await heard_sound(bench)
        await speak(patient, range(1, 4))
        await until(lambda: len(doctor.rtp) == 3)
        assert {parsed(packet).pt for packet in doctor.rtp} == {109}
        await doctor.send(rtcp.receiver_report(1, [rtcp.ReportBlock(7777, 40, 3, 3, 0, 0, 0)]))
        await until(lambda: bench.plane._transports["d"].consumers["a1"].consumer.depth == 2)
        await speak(patient, range(4, 6))
        await until(lambda: len(doctor.rtp) == 5)
        last = parsed(doctor.rtp[-1])
        assert last.pt == 63
        blocks = red.unwrap(last.payload)
        assert [(block.payload_type, block.age, block.data) for block in blocks] == [
            (109, 1920, b"opus3"),
            (109, 960, b"opus4"),
            (109, 0, b"opus5"),
        ]
        await doctor.send(rtcp.receiver_report(1, [rtcp.ReportBlock(7777, 0, 3, 3, 0, 0, 0)]))
        for depth in (1, 0):
            bench.clock.skew += 9
            doctor.check()
            await until(lambda d=depth: bench.plane._transports["d"].consumers["a1"].consumer.depth == d)  # type: ignore[misc]


async def test_a_question_goes_twice_where_its_way_loses_and_three_times_where_it_loses_much() -> None:
    async with running_plane() as bench:
        patient, _ = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        bench.plane.publish("d", video("doctor.camera", ssrcs=(9999,), rtx_ssrcs={8888: 9999}))
        bench.plane.subscribe("p", replace(viewing("doctor.camera"), number_extension=NUMBER))
        downlink = bench.plane._transports["p"].downlink
        assert downlink is not None
        for n in (1, 3):
            await patient.send(rtp(n, VP8_KEY, pt=96, ssrc=1111, ts=n * 3000, marker=True))
        await until(lambda: patient.heard(rtcp.Nack) == [rtcp.Nack(1111, (2,))])
        downlink.loss = 0.1
        await patient.send(rtp(5, VP8_KEY, pt=96, ssrc=1111, ts=15000, marker=True))
        await until(lambda: patient.heard(rtcp.Nack).count(rtcp.Nack(1111, (4,))) == 2)
        downlink.loss = 0.4
        await patient.send(rtp(7, VP8_KEY, pt=96, ssrc=1111, ts=21000, marker=True))
        await until(lambda: patient.heard(rtcp.Nack).count(rtcp.Nack(1111, (6,))) == 3)


async def test_nothing_is_asked_for_again_while_its_way_is_jammed() -> None:
    async with running_plane() as bench:
        patient, _ = await heard_sound(bench)
        bench.plane.publish("p", video())
        bench.plane.subscribe("d", viewing())
        asked = rtcp.KeyframeRequest(1111)
        await speak(patient, range(1, 10))
        await patient.send(rtp(1, VP8_KEY, pt=96, ssrc=1111, ts=3000, marker=True))
        await until(lambda: bench.plane.stats("p").packets_in == 10)
        bench.clock.skew += 0.4
        await speak(patient, (12,))
        await patient.send(rtp(4, VP8_DELTA, pt=96, ssrc=1111, ts=12000, marker=True))
        await asyncio.sleep(0.2)
        assert patient.heard(rtcp.Nack) == []
        before = patient.heard(rtcp.KeyframeRequest).count(asked)

        async def later(n: int) -> None:
            bench.clock.skew += 0.25
            await speak(patient, (n,))
            await until(lambda: bench.plane.stats("p").packets_in == n)

        for n in range(13, 17):  # a second in steps: what says that the way is jammed must never be a second old itself
            await later(n)
        await asyncio.sleep(0.2)
        assert patient.heard(rtcp.KeyframeRequest).count(asked) == before
        await speak(patient, (12 + 100,))
        await until(lambda: patient.heard(rtcp.KeyframeRequest).count(asked) > before)


async def test_where_it_stays_jammed_a_keyframe_is_asked_for_twice_to_empty_the_senders_own_queue() -> None:
    async with running_plane() as bench:
        patient, _ = await heard_sound(bench)
        bench.plane.publish("p", replace(video(), number_extension=NUMBER))
        asked = rtcp.KeyframeRequest(1111)
        bench.hold_clock()

        async def later(n: int, by_s: float = 0.2) -> None:
            """A fifth of a second on in its own time, and so much on in ours."""
            bench.clock.skew += by_s
            await speak(patient, (10 * n,))
            seq = n.to_bytes(2, "big")
            await patient.send(extended(n, VP8_DELTA, pt=96, ssrc=1111, ts=n * 18_000, e3=seq))
            await until(lambda: bench.plane.stats("p").packets_in == 2 * n)
            await bench.looks()

        await later(1)
        await later(2)
        await later(3, 0.65)
        began, n, asked_after = bench.clock(), 3, list[float]()
        before = patient.heard(rtcp.KeyframeRequest).count(asked)
        while bench.clock() - began < 2.5:
            n += 1
            await later(n)
            new = patient.heard(rtcp.KeyframeRequest).count(asked) - before - len(asked_after)
            asked_after += [bench.clock() - began] * new
        assert [after_s > least_s for after_s, least_s in zip(asked_after, (0.6, 1.2), strict=True)] == [True, True]


async def test_sound_that_was_asked_for_again_is_no_sign_of_a_queue() -> None:
    async with running_plane() as bench:
        patient, _ = await heard_sound(bench)
        await speak(patient, (n for n in range(1, 30) if n % 3))
        await until(lambda: bench.plane.stats("p").packets_in == 20)
        before = bench.plane._transports["p"].uplink.wait_s
        bench.clock.skew += 0.5
        await speak(patient, range(3, 30, 3))
        await until(lambda: bench.plane.stats("p").packets_in == 29)
        assert bench.plane._transports["p"].uplink.wait_s == before


async def test_pictures_of_a_hopeless_uplink_are_shown_to_nobody_and_that_is_told_once() -> None:
    async with running_plane() as bench:
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        bench.plane.subscribe("d", viewing())

        async def film_until(told: LayerChanged, step: int, n: int) -> int:
            async with asyncio.timeout(PATIENCE_S):
                while bench.events[-1] != told:
                    n += step
                    await patient.send(rtp(n, VP8_KEY, pt=96, ssrc=1111, ts=n * 900, marker=True))
                    bench.clock.skew += 0.02
                    await asyncio.sleep(0.01)
            return n

        gone = LayerChanged("d", "patient.camera", None, 1, "publisher", None)
        n = await film_until(gone, 2, 0)
        before = len(doctor.rtp)
        for _ in range(50):
            n += 2
            await patient.send(rtp(n, VP8_KEY, pt=96, ssrc=1111, ts=n * 900, marker=True))
            bench.clock.skew += 0.02
            await asyncio.sleep(0.01)
        assert len(doctor.rtp) == before
        await film_until(LayerChanged("d", "patient.camera", 0, 1, "", None), 1, n)
        assert [event for event in bench.events if isinstance(event, LayerChanged)].count(gone) == 1


async def test_redundant_sound_is_unwrapped_and_fills_what_was_lost() -> None:
    async with running_plane() as bench:
        patient, doctor = await heard_sound(bench)
        plain = audio()
        assert plain.track == SOUND.track
        sound: dict[int, bytes] = {n: b"opus%d" % n for n in range(1, 6)}
        bench.plane.record(SOUND.track, 4)
        for n in (1, 2, 5):
            older = [red.Block(111, (n - k) * 960, sound[k]) for k in range(max(1, n - 2), n)]
            payload = red.wrap([*older, red.Block(111, 0, sound[n])])
            await patient.send(rtp(n, payload, pt=63, ssrc=3333, ts=n * 960))
        await until(lambda: len(doctor.rtp) == 5)
        heard = {p.ts: p.payload for p in map(parsed, doctor.rtp)}
        first = min(heard)
        assert {(ts - first) // 960 + 1: payload for ts, payload in heard.items()} == sound
        taped = {int.from_bytes(data[2:4], "big"): (flags, data[12:]) for _, flags, _, data in bench.sink.packets}
        assert taped == {n: (RECOVERED if n in (3, 4) else 0, sound[n]) for n in sound}
        assert {data[1] for *_, data in bench.sink.packets} == {111}
        assert ProducerStarted(SOUND.track, 3333, 111, "opus") in bench.events
        assert bench.plane.drops.get("duplicate") is None
        await patient.send(rtp(6, b"\xff\xff", pt=63, ssrc=3333, ts=6 * 960))
        await until(lambda: bench.plane.drops.get("rtp_malformed") == 1)
