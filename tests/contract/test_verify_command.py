"""`teleconsult verify` and `inventory`, as its user meets it: each way it can end has its own exit code (FORMAT.md §9)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from random import Random

import pytest

from recorder.evidence.layout import MANIFEST, MANIFEST_PROOF, PROOF
from recorder.evidence.manifest import make_manifest, visit_hash
from recorder.evidence.receipt import make_receipt, parse_receipt
from tests.authority import make_authority
from tests.bundles import honest_visit, write_bundle
from tests.estate import estate
from tests.stamps import ALONE, stamped_visit
from tests.system import teleconsult


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(honest_visit(Random(3)), tmp_path / "bundle")


async def test_a_trust_list_that_cannot_be_used_ends_with_three_and_one_line(bundle: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(bytes(range(256)))
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 1 << 42)
    for named in (noise, tmp_path, tmp_path / "nowhere", huge):
        code, out, err = await teleconsult("verify", str(bundle), "--trust", str(named))
        assert (code, out, len(err.splitlines())) == (3, "", 1), err
    for words in (
        ("verify", str(bundle), "--timestamp-roots"),
        ("inventory", str(tmp_path), "--head"),
        ("open", str(bundle), "--key"),
    ):
        code, out, err = await teleconsult(*words, str(huge))
        assert (code, out, len(err.splitlines())) == ({"verify": 3, "inventory": 2, "open": 1}[words[0]], "", 1), err
    code, _, err = await teleconsult("verify", str(bundle), TELECONSULT_TRUST=str(tmp_path / "nowhere"))
    assert (code, len(err.splitlines())) == (3, 1)


async def test_a_wrong_call_is_told_from_what_is_no_bundle(tmp_path: Path) -> None:
    for words in (("verify",), ("verify", "--no-such"), ("no-such",), ("serve", "--port", "x")):
        assert (await teleconsult(*words))[0] == 64
    assert (await teleconsult("verify", str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)))[0] == 2


async def test_an_inventory_names_a_visit_that_was_taken_away(tmp_path: Path) -> None:
    store = write_bundle(estate(Random(2), 3), tmp_path / "store")
    assert (await teleconsult("inventory", str(store)))[0] == 0
    shutil.rmtree(store / "recordings" / "visit-1")
    code, out, _ = await teleconsult("inventory", str(store), "--json")
    assert (code, json.loads(out)["whole"], json.loads(out)["broken"][0]["rule"]) == (1, False, "INV-3")
    single = next((store / "recordings").rglob("init.*"))
    code, out, err = await teleconsult("verify", str(single))
    assert (code, out, "no evidence" in err) == (2, "", True)
    head = tmp_path / "head"
    for no_checkpoint in (b"", b"one line\n\n\xe2\x80\x94 a AAAAAAA=\n", b"{}"):
        head.write_bytes(no_checkpoint)
        code, out, err = await teleconsult("inventory", str(store), "--head", str(head))
        assert (code, out, len(err.splitlines())) == (2, "", 1)
    code, out, err = await teleconsult("inventory", str(tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)


async def test_receipts_manifests_and_required_timestamps(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "authority")
    visit = stamped_visit(authority)
    visit.manifest("another")
    folder = write_bundle({"bundle.json": b"{}", **visit.objects}, tmp_path / "day" / "visit")
    receipt, short, day = tmp_path / "receipt", tmp_path / "short", tmp_path / "day.jsonl"
    receipt.write_bytes(make_receipt(visit.objects[PROOF], visit.lines[-1], ALONE.public_keys[0], []))
    short.write_text(parse_receipt(receipt.read_bytes()).short)
    day.write_bytes(visit.objects[MANIFEST])
    day.with_suffix(".tlog-proof").write_bytes(visit.objects[MANIFEST_PROOF])
    nobody = {"TELECONSULT_TRUST": "", "XDG_CONFIG_HOME": str(tmp_path)}
    roots = str(authority / "ca.crt")
    demands = ("--timestamp-roots", roots, "--require-timestamps")
    assert (await teleconsult("verify", str(folder), *demands, "--receipt", str(receipt), **nobody))[0] == 0
    for form in (receipt, short):
        assert (await teleconsult("verify", "--receipt", str(form), **nobody))[0] == 0
        assert (await teleconsult("verify", str(folder), "--receipt", str(form), **nobody))[0] == 0
    code, out, _ = await teleconsult("verify", "--manifest", str(day), str(folder.parent), "--json", **nobody)
    told = json.loads(out)
    assert (code, told["found"], told["visits"], told["proven"]) == (1, 1, 2, True)
    assert told["broken"] == [{"rule": "MANIFEST-3", "where": visit_hash("another")}]
    assert (told["key"], told["trusted"]) == (ALONE.fingerprint, None)
    forged, empty = tmp_path / "forged.jsonl", tmp_path / "empty"
    forged.write_bytes(
        make_manifest("hospital.example/teleconsult/0123456789abcdef", "2026-05-04", visit.at, None, []).encoded
    )
    forged.with_suffix(".tlog-proof").write_bytes(visit.objects[MANIFEST_PROOF])
    empty.mkdir()
    for bundles in (empty, folder.parent):  # a list of no visits, which no log has
        code, out, _ = await teleconsult("verify", "--manifest", str(forged), str(bundles), "--json", **nobody)
        assert (code, json.loads(out)["broken"]) == (1, [{"rule": "MANIFEST-1", "where": "forged.jsonl"}])
    rewritten = write_bundle({"bundle.json": b"{}", **stamped_visit(authority).objects}, tmp_path / "rewritten")
    for form in (receipt, short):
        code, out, _ = await teleconsult("verify", str(rewritten), "--receipt", str(form), "--json", **nobody)
        assert (code, json.loads(out)["broken"][0]["rule"]) == (1, "RECEIPT-2")
    receipt.write_bytes(receipt.read_bytes().replace(b"\nindex ", b"\nindex 1", 1))
    code, out, _ = await teleconsult("verify", "--receipt", str(receipt), "--json", **nobody)
    assert (code, json.loads(out)["broken"][0]["rule"]) == (1, "LOG-3")
    assert (await teleconsult("verify", str(folder), "--require-timestamps"))[0] == 64
    assert (await teleconsult("verify", "--manifest", str(day)))[0] == 64
    assert (await teleconsult("verify", str(folder), "--timestamp-roots", str(short), **nobody))[0] == 3
