"""What a thread waited for a core, as the kernel counts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import pytest

from tests.bench import waits
from tests.bench.waits import Waits, renderers


async def test_what_a_thread_waited_between_two_moments_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "PROC", tmp_path)
    (tmp_path / "7").mkdir()
    schedstat = tmp_path / "7" / "schedstat"
    schedstat.write_text("100 1000000 3")
    watched = Waits([7])
    running = asyncio.create_task(watched.run())
    await asyncio.sleep(0.02)
    begins = time.monotonic()
    schedstat.write_text("200 61000000 4")
    await asyncio.sleep(0.02)
    ends = time.monotonic()
    await asyncio.sleep(0.02)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert watched.between_ms(7, begins, ends) == 60.0
    assert watched.between_ms(8, begins, ends) is None
    assert watched.between_ms(7, begins - 10, ends) is None


def test_nobody_is_a_renderer_of_ours() -> None:
    assert renderers(os.getpid()) == []
