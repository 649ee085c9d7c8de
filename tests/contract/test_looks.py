"""Sealed recordings over the audit door: logged before they are opened, held, and given away by two people."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from recorder.audit.looks import Person, SecondPerson
from recorder.bundle.directory import verify_directory
from recorder.log.custody import CUSTODY
from recorder.sealing.data_key import HeldKey
from recorder.sealing.envelope import new_identity, open_envelope
from recorder.sealing.key_file import KeyFileWrong, read_keys
from recorder.sealing.mint import Mint
from recorder.sealing.opened import KeyMissing, NotOpenable, open_bundle
from recorder.store.holdings import Holdings
from tests import stranger
from tests.desk import INIT, KIM, LEE, SEE, SEGMENT, Desk, sealed_recording
from tests.recordings import secrets
from tests.tapping import VISIT


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await sealed_recording(tmp_path)


async def test_a_look_is_in_a_checkpoint_before_a_key_is_unwrapped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, bool]] = []
    real = Mint.secrets

    async def watched(mint: Mint, held: Any) -> dict[str, bytes]:
        site = desk.notary._site
        seen.append((desk.custody._chain.size, site.covers(CUSTODY, desk.custody._chain.size)))
        return await real(mint, held)

    monkeypatch.setattr(Mint, "secrets", watched)
    async with desk.open():
        look = await desk.look()
        assert seen == [(1, True)]
        keys = {name: secret.hex() for name, secret in secrets(desk.studio.settings.data, VISIT).items()}
        (whole,) = stranger.play(desk.studio.root, keys).values()
        names = [f["name"] for f in (await desk.get(f"/visits/{VISIT}/files"))["files"]]
        played = [await desk.get(f"/looks/{look}/{n}") for n in sorted(names) if n.startswith("streams/")]
        assert b"".join(played) == whole
        segment = await desk.get(f"/looks/{look}/{SEGMENT}")
        for start, end in ((0, 9), (65_530, 65_545), (len(segment) - 5, len(segment) - 1)):
            part = await desk.get(f"/looks/{look}/{SEGMENT}", 206, Range=f"bytes={start}-{end}")
            assert part == segment[start : end + 1]
        await desk.get(f"/looks/{look}/{SEGMENT}", 416, Range=f"bytes={len(segment)}-")
        assert await desk.get(f"/visits/{VISIT}/files/{SEGMENT}") != segment  # the object itself stays sealed
        assert len(seen) == 1


async def test_a_look_opens_what_it_names_and_nothing_else(desk: Desk) -> None:
    async with desk.open():
        doctor = await desk.look(streams=["doctor"])
        early = await desk.look(to_ms=1)
        late = await desk.look(from_ms=10_000_000)
        await desk.get(f"/looks/{doctor}/{INIT}", 404)
        await desk.get(f"/looks/{late}/{SEGMENT}", 404)
        for look in (early, late):
            await desk.get(f"/looks/{look}/{INIT}")
        await desk.get(f"/looks/nonesuch/{INIT}", 404)
        await desk.get(f"/looks/{early}/records/000001.jsonl", 404)
        await desk.ask(f"/visits/{VISIT}/looks", {"who": "p"}, 400)
        await desk.ask("/visits/unknown/looks", SEE, 404)


async def test_without_a_log_nothing_is_opened_held_or_destroyed(desk: Desk) -> None:
    async with desk.open(logged=False):
        made = SEE | {"bytes": 7, "sha256": "0" * 64, "redacted": 1}
        agreed = LEE | {"second": "p-kim"}
        asked = (("looks", SEE), ("shred", LEE), ("keys", LEE), ("bundle", agreed), ("copies", made))
        for path, body in (*asked, ("hold", LEE | {"on": True})):
            desk.ahead = timedelta(days=400)
            said = await desk.ask(f"/visits/{VISIT}/{path}", body, 503)
            assert said["code"] == "log_unavailable"
    assert secrets(desk.studio.settings.data, VISIT)


async def test_keys_are_given_to_a_recipient_by_two_people_and_open_the_bundle(desk: Desk, tmp_path: Path) -> None:
    identity, recipient = new_identity(bytes(range(32)))
    keys = f"/visits/{VISIT}/keys"
    async with desk.open():
        await desk.ask(keys, LEE | {"recipient": "age1wrong"}, 400)
        assert (await desk.ask(keys, LEE | {"recipient": recipient}, 202))["state"] == "asked"
        assert (await desk.ask(keys, LEE | {"recipient": recipient}, 409))["code"] == "same_person"
        envelope = await desk.ask(keys, KIM | {"recipient": recipient}, 200)
    with pytest.raises(KeyFileWrong, match="age -d"):
        read_keys(envelope)
    given = read_keys(open_envelope(envelope, identity))
    (written,) = open_bundle(desk.studio.root, given, tmp_path / "plain")
    assert (written.stream, written.part) == ("patient", 1)
    with pytest.raises(KeyMissing):
        open_bundle(desk.studio.root, {}, tmp_path / "none")
    segment = desk.studio.root / SEGMENT
    whole = segment.read_bytes()
    segment.chmod(0o600)
    segment.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    with pytest.raises(NotOpenable, match="seg-000001"):
        open_bundle(desk.studio.root, given, tmp_path / "spoiled")


async def test_rotation_is_on_the_log_and_the_destroyed_root_opens_no_old_copy(desk: Desk) -> None:
    async with desk.open():
        before: list[HeldKey] = desk.mint.keyring.keys(VISIT)
        done = await desk.ask("/keys/rotate", {"who": "p-kim", "destroy": True}, 200)
        assert len(done["destroyed"]) == 1
        assert done["visits"] == 1
        assert (
            {wrap.root for wrap in desk.mint.keyring.keys(VISIT)[0].wraps}
            == {done["root"]}
            != {wrap.root for wrap in before[0].wraps}
        )
        await desk.get(f"/looks/{await desk.look()}/{INIT}")


async def test_a_chain_that_lost_lines_the_log_has_takes_no_more(desk: Desk) -> None:
    async with desk.open():
        await desk.look()
        await desk.look()
    journal = desk.studio.settings.data / "custody" / "journal"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    async with desk.open():
        assert (await desk.ask(f"/visits/{VISIT}/looks", SEE, 503))["code"] == "log_unavailable"


async def test_an_export_takes_its_keys_along_after_both_people_are_in_a_checkpoint(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered: list[bool] = []
    real = Mint.secrets

    async def watched(mint: Mint, held: Any) -> dict[str, bytes]:
        kinds = [json.loads(line)["type"] for line in desk.custody._path.read_bytes().splitlines()]
        covered.append(desk.notary._site.covers(CUSTODY, len(kinds)) and kinds[-2:] == ["ask", "export"])
        return await real(mint, held)

    monkeypatch.setattr(Mint, "secrets", watched)
    identity, recipient = new_identity(bytes(range(32)))
    bundle, people = f"/visits/{VISIT}/bundle", LEE | {"second": KIM["who"]}
    async with desk.open():
        assert (await desk.ask(bundle, LEE | {"second": LEE["who"]}, 409))["code"] == "same_person"
        assert (await desk.ask(bundle, people | {"recipient": "age1x"}, 400))["code"] == "recipient_invalid"
        assert covered == []
        plain = await desk.ask(bundle, people, 200)
        sealed = await desk.ask(bundle, people | {"recipient": recipient}, 200)
    assert covered == [True, True]
    with zipfile.ZipFile(io.BytesIO(sealed)) as archive:
        envelope = archive.read(f"{VISIT}.keys.age")
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        archive.extractall(tmp_path / "out")
    folder, keys = tmp_path / "out" / VISIT, tmp_path / "out" / f"{VISIT}.keys.json"
    assert read_keys(open_envelope(envelope, identity)) == read_keys(keys.read_bytes())
    # The bundle is evidence with its keys beside it, and both verifiers say so.
    verdict = verify_directory(folder)
    assert (verdict.broken, verdict.complete) == ([], True)
    shell = run(["sh", folder / "verify.sh", folder], capture_output=True, text=True, check=False)
    assert shell.returncode == 0, shell.stdout
    (written,) = open_bundle(folder, read_keys(keys.read_bytes()), tmp_path / "plain")
    assert written.path.read_bytes()[:4] == bytes.fromhex("1a45dfa3")


async def test_a_derived_copy_is_on_the_chain_by_its_hash(desk: Desk) -> None:
    made = SEE | {"bytes": 7, "sha256": "ab" * 32, "redacted": 2}
    async with desk.open():
        assert await desk.ask(f"/visits/{VISIT}/copies", made, 201) == {"seq": 0}
        await desk.ask(f"/visits/{VISIT}/copies", made | {"sha256": "ab"}, 400)
    async with desk.open():  # another life reads the chain again
        assert (await desk.ask(f"/visits/{VISIT}/copies", made, 201))["seq"] == 1


async def test_of_two_second_people_at_once_one_comes_too_late_and_the_chain_holds(desk: Desk) -> None:
    async with desk.open():
        looks, held = desk._looks(Holdings(desk.studio.store)), await Holdings(desk.studio.store).recording(VISIT)
        assert held is not None
        assert await looks.keys(held, Person("p-lee", "auditor", "case"), None) is None
        both = [looks.keys(held, Person(who, "administrator", "agreed"), None) for who in ("p-kim", "p-pat")]
        said = await asyncio.gather(*both, return_exceptions=True)
    assert {type(one) for one in said} == {bytes, SecondPerson}
    async with desk.open():  # another life reads the chain again
        await desk.look()
