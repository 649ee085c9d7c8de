"""`teleconsult probe` against a whole system, and the commands that read what it left."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.patience import PATIENCE_S
from tests.system import System, running, teleconsult


async def test_a_synthetic_visit_goes_from_joining_to_a_verified_recording_and_ctrl_c_closes_the_next(
    tmp_path: Path,
) -> None:
    (tmp_path / "trusted_keys").touch()
    trust = {"TELECONSULT_TRUST": str(tmp_path / "trusted_keys")}
    data = tmp_path / "data"
    async with running(data) as system:
        code, out, err = await teleconsult("probe", system.url, "--json", "--seconds", "3", "--data", str(data))
        found = json.loads(out)
        assert code == 0, out + err
        cut_off = await ended_by_ctrl_c(system)
    assert found["recording"] == {"intact": True, "complete": True}
    assert found["failed"] is None
    assert found["delivered"] >= 0.99
    assert 0 < found["delay_ms_p50"] <= found["delay_ms_p99"]
    assert found["join_ms"] > 0

    bundle = tmp_path / "bundle"
    code, out, err = await teleconsult("export", found["visit"], "-o", str(bundle), "--data", str(data), **trust)
    assert code == 0, err
    code, out, err = await teleconsult("verify", str(bundle), "--json", **trust)
    verdict = json.loads(out)
    assert (code, verdict["intact"], verdict["complete"], verdict["broken"]) == (0, True, True, [])

    segment = next(bundle.rglob("seg-*"))
    *most, last = segment.read_bytes()
    segment.write_bytes(bytes([*most, last ^ 1]))
    code, out, err = await teleconsult("verify", str(bundle), "--json", **trust)
    assert code == 1
    assert json.loads(out)["broken"][0].keys() == {"rule", "where"}

    other = str(tmp_path / "other")
    code, _, err = await teleconsult("export", cut_off, "-o", other, "--data", str(data), **trust)
    assert code == 0, err
    code, out, _ = await teleconsult("verify", other, "--json", **trust)
    assert code == 0, out


async def ended_by_ctrl_c(system: System) -> str:
    """A visit in the middle of which the system is told to end; the probe says that it failed."""
    probing = asyncio.create_task(
        teleconsult("probe", system.url, "--json", "--seconds", "60", "--data", str(system.data))
    )
    async with asyncio.timeout(PATIENCE_S):
        while not (live := (await system.api("GET", "/visits?phase=live"))["visits"]):
            await asyncio.sleep(0.1)
    visit = str(live[0]["id"])
    await until_recorded(system.data, visit)
    assert await system.stop() == 0
    code, out, _ = await probing
    assert code == 1
    assert json.loads(out)["failed"]
    return visit


async def test_what_cannot_be_reached_is_said_plainly(tmp_path: Path) -> None:
    key = {"TELECONSULT_API_KEY": "x"}
    code, out, _ = await teleconsult("probe", "http://127.0.0.1:1", "--json", "--data", str(tmp_path), **key)
    assert code == 1
    assert "does not answer" in json.loads(out)["failed"]


async def test_without_a_key_it_says_where_one_comes_from(tmp_path: Path) -> None:
    code, out, _ = await teleconsult("probe", "http://127.0.0.1:1", "--data", str(tmp_path))
    assert code == 1
    assert "--api-key-file" in out


async def test_what_is_no_bundle_ends_with_two(tmp_path: Path) -> None:
    code, out, err = await teleconsult("verify", str(tmp_path), "--json")
    assert code == 2
    assert json.loads(out)["intact"] is False
    assert "not a recording's bundle" in err


async def until_recorded(data: Path, visit: str) -> None:
    """A segment of the visit is on disk."""
    async with asyncio.timeout(PATIENCE_S):
        while not [*data.glob(f"*/{visit}/**/seg-*"), *data.glob(f"store/recordings/{visit}/**/seg-*")]:
            await asyncio.sleep(0.1)
