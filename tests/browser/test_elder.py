"""Every page in every state, language, mode and theme: axe is content, nothing scrolls sideways, elder keeps its figures."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

SHOOT = Path(__file__).resolve().parents[2] / "web_client" / "tests" / "sheets" / "shoot.mjs"


@pytest.mark.timeout(400)  # some six hundred pages, each laid out and measured
async def test_every_page_is_clean_in_both_languages_and_keeps_elder_modes_figures() -> None:
    process = await asyncio.create_subprocess_exec(
        "node", str(SHOOT), "--measure", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(390):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert " 0 findings" in said.decode()
