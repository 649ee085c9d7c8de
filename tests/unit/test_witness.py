"""The witness over HTTP: what it cosigns, what it refuses, and that a restart makes it forget nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from recorder.evidence.checkpoint import Checkpoint, Note, NoteInvalid, NoteKey, cosigned_at, parse_vkey, sign
from recorder.evidence.tree import Tree
from recorder.log.witness import make_witness_app
from recorder.log.witness_book import WitnessBook, open_book
from recorder.log.witness_client import WitnessClient, WitnessSilent
from tests.bundles import RECORDER, THIEF
from tests.estate import tree_of

LOG = NoteKey("log.example/one", RECORDER.public_keys[0])


def note_of(tree: Tree, signer: object = RECORDER) -> Note:
    text = Checkpoint(LOG.name, tree.size, tree.root()).text
    return Note(text, (sign(text, LOG, lambda message: signer.sign(message)[0].sig),))  # type: ignore[attr-defined]


def book(folder: Path) -> WitnessBook:
    folder.mkdir(exist_ok=True)
    (folder / "logs").write_text(f"# the logs we watch\n{LOG.vkey}  # the clinic's\n")
    return open_book(folder, "witness.example")


@asynccontextmanager
async def served(witness: WitnessBook) -> AsyncIterator[WitnessClient]:
    runner = web.AppRunner(make_witness_app(witness))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as session:
            yield WitnessClient(f"http://{host}:{port}", witness.key, session)
    finally:
        await runner.cleanup()


async def cosigned(client: WitnessClient, tree: Tree, signer: object = RECORDER) -> bool:
    note = note_of(tree, signer)
    signature = await client.cosign(note, tree.size, tree.consistency)
    return cosigned_at(note.with_signature(signature), client.key) is not None


async def test_a_log_that_grows_is_cosigned_each_time(tmp_path: Path) -> None:
    async with served(book(tmp_path)) as client:
        for size in (1, 5, 5, 300):
            assert await cosigned(client, tree_of(size))


async def test_after_restarts_on_both_sides_it_goes_on_where_it_was(tmp_path: Path) -> None:
    async with served(book(tmp_path)) as client:
        assert await cosigned(client, tree_of(5))
    async with served(book(tmp_path)) as client:  # a client that knows nothing is told the size
        assert await cosigned(client, tree_of(9))
        with pytest.raises(WitnessSilent) as caught:
            await cosigned(client, tree_of(12, "another story "))
        assert caught.value.refuses == 422


async def test_a_fork_and_a_rollback_are_refused(tmp_path: Path) -> None:
    async with served(book(tmp_path)) as client:
        assert await cosigned(client, tree_of(9))
        for tree in (tree_of(9, "another "), tree_of(4)):
            with pytest.raises(WitnessSilent):
                await cosigned(client, tree)
        assert await cosigned(client, tree_of(10))


async def test_a_stolen_name_an_unknown_log_and_junk_are_refused(tmp_path: Path) -> None:
    witness = book(tmp_path)
    async with served(witness) as client:
        with pytest.raises(WitnessSilent) as caught:
            await cosigned(client, tree_of(3), THIEF)
        assert caught.value.refuses == 403
        (tmp_path / "logs").write_text("")
        with pytest.raises(WitnessSilent) as caught:
            await cosigned(client, tree_of(3))
        assert caught.value.refuses == 404
        assert (await client._post(b"junk"))[0] == 400


async def test_a_witness_that_lost_its_memory_or_its_list_does_not_begin_anew(tmp_path: Path) -> None:
    witness = book(tmp_path)
    async with served(witness) as client:
        assert await cosigned(client, tree_of(3))
        next((tmp_path / "seen").iterdir()).write_bytes(b"damaged")
        with pytest.raises(WitnessSilent) as caught:
            await cosigned(client, tree_of(5))
        assert caught.value.refuses == 503


async def test_a_witness_that_is_away_is_silent() -> None:
    async with aiohttp.ClientSession() as session:
        client = WitnessClient("http://127.0.0.1:9", LOG, session)
        with pytest.raises(WitnessSilent) as caught:
            await cosigned(client, tree_of(1))
        assert caught.value.refuses is None


def test_a_keys_word_is_read_back_and_nothing_like_it(tmp_path: Path) -> None:
    for key in (LOG, book(tmp_path).key):
        assert parse_vkey(key.vkey) == key
        for word in (key.vkey[:-1], key.vkey + "A", key.vkey.replace("+", "-"), "x" + key.vkey, ""):
            with pytest.raises(NoteInvalid):
                parse_vkey(word)
