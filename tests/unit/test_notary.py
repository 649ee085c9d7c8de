"""Checkpoints, cosignatures, proofs and tiles, with a real log, real witnesses and a store that fails."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from config.clock import iso
from recorder.evidence.checkpoint import Note, NoteSignature, cosigned_at, parse_checkpoint, parse_note
from recorder.evidence.proof import check_proof, parse_proof
from recorder.evidence.tiles import tile_name, tiles
from recorder.evidence.tree import Tree
from recorder.log.day_book import DayBook
from recorder.log.notary import LocalWitness, Notary
from recorder.log.site_log import SiteLog
from recorder.log.witness_book import WitnessBook
from recorder.log.witness_client import Consistency, WitnessSilent
from recorder.store.objects import ObjectExists, Stored, StoreUnavailable
from tests.bundles import ORIGIN, RECORDER, keys_of


class Kept:
    """A store's `put`, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False

    async def put(self, name: str, data: bytes, digest: str) -> Stored:
        if self.away:
            raise StoreUnavailable("away")
        assert sha256(data).hexdigest() == digest
        if self.objects.setdefault(name, data) != data:
            raise ObjectExists(name)
        return Stored(None)


class Outside(LocalWitness):
    """A witness elsewhere that may be away."""

    away = False

    async def cosign(self, note: Note, size: int, consistency: Consistency) -> NoteSignature:
        if self.away:
            raise WitnessSilent("away")
        return await super().cosign(note, size, consistency)


class Office:
    """A log with a notary, a local witness and one outside."""

    def __init__(self, folder: Path, quorum: int = 0) -> None:
        self.site = SiteLog(folder / "log", ORIGIN, RECORDER)
        local = WitnessBook(folder / "local", f"{self.site.key.name}/witness", keys_of("local", sm2=False))
        outside = WitnessBook(folder / "outside", "witness.example", keys_of("outside", sm2=False))
        self.outside = Outside(outside, self.site.key)
        self.store = Kept()
        self.days = DayBook(folder / "days", lambda: self.now)
        self.now = datetime(2026, 5, 4, 12, tzinfo=UTC)
        self.told: list[tuple[str, bool]] = []
        self.local = LocalWitness(local, self.site.key)
        self.notary = Notary(
            self.site,
            self.local,
            [self.outside],
            quorum,
            self.store,  # type: ignore[arg-type]
            lambda code, over: self.told.append((code, over)),
            days=self.days,
        )
        self.proofs: dict[str, bytes] = {}
        self.named = self.notary.witness_keys

    def visit(self, name: str, records: int) -> list[bytes]:
        lines = [f"{name} {n}".encode() for n in range(records)]
        self.notary.take(name, 0, lines)
        self.notary.prove(name, records, self.named, lambda proof: self.proofs.__setitem__(name, proof))
        return lines


async def test_a_closed_visit_is_proven_and_cosigned(tmp_path: Path) -> None:
    office = Office(tmp_path, quorum=1)
    lines = office.visit("a", 7)
    await office.notary.round()
    proof = parse_proof(office.proofs["a"])
    check_proof(proof, lines[-1], office.site.key)
    assert all(cosigned_at(proof.note, witness.key) for witness in (office.local, office.outside))
    assert office.told == []


async def test_only_witnesses_that_the_recording_names_stand_in_its_proof(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.named = office.named[1:]
    office.visit("a", 7)
    await office.notary.round()
    note = parse_proof(office.proofs["a"]).note
    assert [signature.name for signature in note.signatures] == [office.site.key.name, "witness.example"]


async def test_a_proof_waits_for_the_quorum_and_the_log_does_not(tmp_path: Path) -> None:
    office = Office(tmp_path, quorum=1)
    office.outside.away = True
    office.visit("a", 7)
    await office.notary.round()
    office.visit("b", 3)
    await office.notary.round()
    assert office.proofs == {}
    assert office.site.signed is not None
    assert office.site.signed.size == 10
    office.outside.away = False
    await office.notary.round()
    assert office.proofs.keys() == {"a", "b"}
    assert office.told == [("witness_unreachable", False), ("witness_unreachable", True)]


async def test_a_log_that_was_set_back_gets_no_cosignature(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.visit("a", 7)
    await office.notary.round()
    office.site.close()
    for file in (tmp_path / "log").iterdir():
        file.unlink()
    office = Office(tmp_path)
    office.visit("b", 9)
    await office.notary.round()
    assert office.proofs == {}
    assert ("witness_refuses", False) in office.told


async def test_a_stranger_rebuilds_the_tree_from_the_store(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for n in range(40):
        office.visit(f"v{n}", 17)
        office.store.away = n % 3 == 0
        await office.notary.round()
    office.store.away = False
    office.visit("last", 1)
    await office.notary.round()
    newest = max(name for name in office.store.objects if "/checkpoint/" in name)
    root = newest.partition("/checkpoint/")[0]
    checkpoint = parse_checkpoint(parse_note(office.store.objects[newest]).text)
    assert checkpoint.size == 40 * 17 + 1
    tree = Tree()
    for level, number, width in tiles(0, checkpoint.size):
        name = f"{root}/tile/{level}/{tile_name(number)}" + (f".p/{width}" if width < 256 else "")
        tile = office.store.objects[name]
        for at in range(0, len(tile) if level == 0 else 0, 32):
            tree.append(tile[at : at + 32])
        assert level == 0 or tile == b"".join(tree.row(8 * level, 256 * number, width))
    assert tree.root() == checkpoint.root
    assert base64.b64encode(tree.root()).decode() in office.store.objects[newest].decode()


@pytest.mark.parametrize(("number", "name"), [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")])
def test_tiles_are_named_as_c2sp_names_them(number: int, name: str) -> None:
    assert tile_name(number) == name


def test_only_new_tiles_are_published() -> None:
    assert list(tiles(0, 300)) == [(0, 0, 256), (0, 1, 44), (1, 0, 1)]
    assert list(tiles(300, 301)) == [(0, 1, 45)]
    assert list(tiles(301, 301)) == []


async def test_a_restart_publishes_nothing_twice_and_no_error(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.visit("a", 7)
    await office.notary.round()
    before = dict(office.store.objects)
    office.site.close()
    (tmp_path / "log" / "published").unlink()  # it died before it could remember
    again = Office(tmp_path)
    again.store.objects.update(before)
    await again.notary.round()
    assert again.site.published == 7
    again.visit("b", 5)
    await again.notary.round()
    assert again.store.objects.keys() > before.keys()
    assert again.site.published == 12


async def test_a_death_at_midnight_holds_no_later_day_up(tmp_path: Path) -> None:
    office = Office(tmp_path)
    root = f"manifests/{office.site.key.name.rpartition('/')[2]}"
    office.visit("a", 7)
    await office.notary.round()
    office.days.opened("a", "aa" * 32, iso(office.now))
    office.now += timedelta(days=1)
    # What a life leaves that ended after the proof was stored and before it knew: the proof, against an older checkpoint.
    office.store.objects[f"{root}/2026-05-04.tlog-proof"] = b"of an older checkpoint"
    await office.notary.round()
    assert office.days.unproven() == ["manifest 2026-05-04"]
    await office.notary.round()
    assert office.days.unproven() == []
    # And what one leaves whose folder was set back: another list of the same day.
    office.store.objects[f"{root}/2026-05-05.jsonl"] = b"another\n"
    office.now += timedelta(days=2)
    office.days.opened("b", "bb" * 32, iso(office.now))
    office.now += timedelta(days=1)
    await office.notary.round()
    await office.notary.round()
    assert office.days.unproven() == []
    assert office.store.objects[f"{root}/2026-05-05.jsonl"] == b"another\n"
    assert f"{root}/2026-05-07.tlog-proof" in office.store.objects
