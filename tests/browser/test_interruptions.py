"""A seat is kept through every kind of interruption; the long form is `python -m tests.bench interruptions`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.interruptions import measure, verdict

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

SEED = 7


async def test_a_seat_and_every_message_survive_one_interruption_of_each_kind_and_more(tmp_path: Path) -> None:
    tally = await measure(6, SEED, tmp_path)
    print(tally)
    assert verdict(tally, 6), tally
