"""Captions on their way: to who is in the visit, in order, and no more of them than a visit passes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from signaling.law.captions import AT_ONCE, Caption
from signaling.law.errors import PhaseWrong, RateLimited
from tests.signaling_parts import Client, serving, until


def listening(client: Client) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    client.io.on("caption", heard.append)
    return heard


async def test_captions_reach_both_seats_in_order_and_nothing_of_them_is_kept() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        heard, too = listening(doctor), listening(patient)
        for number, text in enumerate(("先量", "先量血压")):
            said = Caption("doctor", "l1", text, final=number == 1, language="zh")
            assert await server.registry.caption("V1", said) == 2
        await until(lambda: len(heard) == len(too) == 2)
        expected = {"v": 1, "seat": "doctor", "line": "l1", "text": "先量血压", "final": True, "language": "zh"}
        assert heard[1] == too[1] == expected
        await doctor.say("end", reason="completed")
        with pytest.raises(PhaseWrong):
            await server.registry.caption("V1", Caption("doctor", "l2", "再见", final=True))
        assert "血压" not in str(server.recorder.logs["V1"])
        assert all("血压" not in str(state) for state in (doctor.newest, patient.newest))


async def test_of_a_flood_of_captions_a_visit_passes_on_a_bounded_number() -> None:
    async with serving() as server:
        await server.live()
        said = Caption("patient", "l", "好", final=True)
        for _ in range(int(AT_ONCE)):
            assert await server.registry.caption("V1", said) == 2
        flood = [server.registry.caption("V1", said) for _ in range(1000)]
        outcomes = await asyncio.gather(*flood, return_exceptions=True)
        assert sum(isinstance(each, RateLimited) for each in outcomes) > 900  # some come anew meanwhile
        with pytest.raises(PhaseWrong):
            await server.registry.caption("V1", Caption("guest-1", "l", "谁", final=True))
        with pytest.raises(KeyError):
            await server.registry.caption("V9", Caption("doctor", "l", "谁", final=True))
