"""Elder mode by its figures, measured from the rendered pages: text, lines, targets, contrast, width, and axe."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

SHOOT = Path(__file__).resolve().parents[2] / "web_client" / "tests" / "sheets" / "shoot.mjs"


@pytest.mark.timeout(400)  # some two hundred pages, each laid out and measured
async def test_every_page_keeps_elder_modes_figures_in_both_languages_and_sizes(tmp_path: Path) -> None:
    only = ["--role", "patient", "--quick", "--sizes", "360", "--modes", "elder,max", "--out", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        "node", str(SHOOT), *only, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(600):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
