"""`teleconsult open`, `keys` and `hold`, as their user meets them, against a recorder's real door."""

from __future__ import annotations

import json
from pathlib import Path

from recorder.sealing.envelope import new_identity, open_envelope
from tests.contract.test_looks import Desk, desk
from tests.system import teleconsult
from tests.tapping import VISIT

__all__ = ["desk"]


async def run(desk: Desk, *words: str, code: int = 0) -> str:
    data = desk.studio.settings.data
    (data / "audit.door").write_text(str(data / "audit.sock"))
    ended, out, err = await teleconsult(*words, "--data", str(data))
    assert ended == code, (out, err)
    return out + err


async def test_two_people_give_the_keys_out_and_the_bundle_is_opened_with_them(desk: Desk, tmp_path: Path) -> None:
    identity, recipient = new_identity(bytes(range(32)))
    bundle, keys = desk.studio.root, tmp_path / "visit.keys"
    give = ("keys", "give", VISIT, "--reason", "court 12", "-o", str(keys))
    async with desk.open():
        assert "second person" in await run(desk, *give, "--who", "lee")
        for same in ("lee", "Lee ", " LEE", "\uff2cee", "l\u200bee\u00ad"):
            assert "same_person" in await run(desk, *give, "--who", same, code=1)
        await run(desk, *give, "--who", "kim")
        assert "is there already" in await run(desk, *give, "--who", "kim", code=1)
        assert keys.stat().st_mode & 0o777 == 0o600
        sealed = tmp_path / "visit.age"
        to = (*give[:-1], str(sealed), "--to", recipient)
        await run(desk, *to, "--who", "lee")
        await run(desk, *to, "--who", "kim")
    assert open_envelope(sealed.read_bytes(), identity) == keys.read_bytes()
    code, _, err = await teleconsult("open", str(bundle))
    assert (code, "--key" in err, "keys give" in err) == (1, True, True)
    code, out, err = await teleconsult("open", str(bundle), "--key", str(keys), "-o", str(tmp_path / "plain"))
    assert code == 0, err
    assert "patient-part-001.webm" in out
    assert (tmp_path / "plain" / "patient-part-001.webm").read_bytes()[:4] == bytes.fromhex("1a45dfa3")
    code, _, err = await teleconsult("open", str(bundle), "--key", str(sealed), "-o", str(tmp_path / "no"))
    assert (code, "age -d" in err) == (1, True)
    journal = (desk.studio.settings.data / "custody" / "journal").read_text()
    assert [json.loads(line)["type"] for line in journal.splitlines()] == ["ask", "export", "ask", "export"]
    assert "lee" not in journal  # a pseudonym stands there


async def test_a_hold_and_the_retention_keep_a_recording_from_being_shredded(desk: Desk) -> None:
    why = ("--who", "lee", "--reason", "case 3")
    async with desk.open():
        assert "retention_runs" in await run(desk, "keys", "shred", VISIT, *why, code=1)
        assert "held: True" in await run(desk, "hold", VISIT, "on", *why)
        assert "on_hold" in await run(desk, "keys", "shred", VISIT, *why, code=1)
        assert "held: False" in await run(desk, "hold", VISIT, "off", *why)
        for words in (
            ("../../etc", "on", *why),
            (VISIT, "on", "--who", " ", "--reason", "x"),
            (VISIT, "on", "--who", "\u200b", "--reason", "x"),
            (VISIT, "on", "--who", "l", "--reason", "\n"),
        ):
            assert "Invalid value" in await run(desk, "hold", *words, code=64)
        assert "destroyed: ['k" in await run(desk, "keys", "rotate", "--destroy", "--who", "lee")
    assert "no recorder runs" in await run(desk, "hold", VISIT, "on", *why, code=1)


async def test_the_escrow_key_opens_what_was_made_after_it(tmp_path: Path) -> None:
    secret = tmp_path / "escrow.key"
    code, out, _ = await teleconsult("keys", "escrow", "--new", str(secret))
    assert code == 0
    assert "TELECONSULT_ESCROW=age1" in out
    assert secret.read_text().startswith("AGE-SECRET-KEY-1")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (await teleconsult("keys", "escrow", "--new", str(secret)))[0] == 1
    assert (await teleconsult("keys", "escrow"))[0] == 64
