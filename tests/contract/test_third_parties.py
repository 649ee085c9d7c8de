"""What others say of a recording, end to end: a real recorder, a real time-stamp authority, and ones that fail or lie."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web

from recorder import control
from recorder.bundle.archive import receipt_of
from recorder.bundle.directory import verify_directory
from recorder.bundle.export import export_visit
from recorder.bundle.held_against import judge_day, with_receipt
from recorder.bundle.inventory import StoreFolder
from recorder.evidence.findings import Broken
from recorder.evidence.inventory import take_inventory
from recorder.evidence.layout import CLOSE_STAMP, PROOF
from recorder.evidence.manifest import parse_manifest
from recorder.evidence.receipt import parse_receipt
from recorder.evidence.token import roots_in
from recorder.evidence.trust import Trust
from recorder.sealing.opened import open_bundle
from recorder.store.holdings import Holdings, SpoolFolder
from tests.authority import make_authority, reply_to, served
from tests.patience import until
from tests.recordings import bodies, secrets
from tests.tapping import VISIT, Studio, clip
from tests.unit.test_anchors import service

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("other"))


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.post("/", handler)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


async def stored(studio: Studio, *names: str) -> None:
    await until(lambda: all((studio.root / name).is_file() for name in names))


def trusting(authority: Path) -> Trust:
    return Trust(roots=tuple(roots_in((authority / "ca.crt").read_bytes())), timestamps_required=True)


async def receipt_in(studio: Studio) -> bytes:
    """What the audit door would give."""
    holdings = Holdings(studio.store, SpoolFolder(studio.settings.data / "spool"))
    held = await holdings.recording(VISIT)
    assert held is not None
    receipt = await receipt_of(holdings, held)
    assert receipt is not None
    return receipt


def count_store(studio: Studio) -> list[Broken]:
    return take_inventory(StoreFolder(studio.settings.data / "store")).broken


async def visit(studio: Studio, seconds: int = 3, **said: int) -> None:
    """A short visit, which ends when what others answer is on its record: so many records of each kind."""
    async with studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", clip("VP8", seconds=seconds))
        detail = {
            "loss_up_permille": 12,
            "loss_down_permille": 30,
            "rtt_ms": 80,
            "bitrate_up_bps": 1,
            "bitrate_down_bps": 2,
        }
        note = {"event": "quality", "seat": "patient", "detail": detail}
        await studio.link.ask(control.Note(VISIT, "q", "event", note))
        for kind, times in said.items():
            await studio.said(kind, times)
        await studio.end()
        last = [news for news in studio.news if isinstance(news, control.Alive)][-1]
        assert [one.state for one in last.streams] == ["ended"]
        assert last.streams[0].sealed_to_ms >= seconds * 1000 - 100


async def _numbered(request: web.Request) -> web.Response:
    """An evidence service elsewhere, over HTTP."""
    return web.json_response({"reference": f"n-{(await request.json())['sha256'][:8]}"}, status=201)


async def test_a_visit_is_stamped_anchored_certified_and_in_the_days_manifest(authority: Path, tmp_path: Path) -> None:
    async with served(authority) as url, service(_numbered) as notary:
        said = tmp_path / "deposits"
        studio = Studio(
            tmp_path,
            log=True,
            timestamp_urls=("http://127.0.0.1:9/", url),
            timestamp_roots=authority / "ca.crt",
            anchors=(f"file:{said}", notary),
        )
        async with studio.running():
            await visit(studio, anchor=2, stamp=1)
            await stored(studio, PROOF, CLOSE_STAMP)
            days = studio.recorder.days
            assert days is not None
            await until(lambda: len(said.read_text().splitlines()) == 2)
            receipt = await receipt_in(studio)
            days._clock = lambda: datetime.now(UTC) + timedelta(days=1)
            manifests = studio.settings.data / "store" / "manifests"
            await until(lambda: any(manifests.glob("*/*.tlog-proof")))
            found = list(manifests.glob("*/*.tlog-proof"))
    assert count_store(studio) == []
    bundle = (await export_visit(studio.store, VISIT, tmp_path / "day" / "bundle", trust_file=tmp_path / "trust")).path
    verdict = verify_directory(bundle, trusting(authority))
    assert (verdict.broken, verdict.complete, verdict.timestamped) == ([], True, "trusted")
    assert verdict.manifest == f"{datetime.now(UTC):%Y-%m-%d}"
    assert parse_receipt(receipt).hash == verdict.summary.last
    assert with_receipt(verdict, parse_receipt(receipt), bundle) == verdict
    assert judge_day(found[0].with_suffix(".jsonl"), bundle.parent, Trust()).whole
    opened = open_bundle(bundle, secrets(studio.settings.data, VISIT), tmp_path / "plain")
    assert [(one.stream, one.part) for one in opened] == [("patient", 1)]
    shutil.rmtree(bundle)
    assert [one.rule for one in judge_day(found[0].with_suffix(".jsonl"), bundle.parent, Trust()).broken] == [
        "MANIFEST-1",  # who could prove it is gone, too
        "MANIFEST-3",
    ]
    assert verdict.closed_at is not None
    assert len(verdict.timestamps) >= 2
    anchored = {one["service"]: one["reference"] for one in bodies(studio.root, "anchor")}
    assert anchored == {"deposits": "1", notary.split("/")[2]: f"n-{verdict.summary.first[:8]}"}
    measured = verdict.quality["patient"].measured
    assert measured["codecs"] == "VP8 opus"
    assert (measured["rtt_ms"], measured["loss_down_permille_worst"], measured["samples"]) == (80, 30, 1)
    assert measured["lost"] == 0
    assert isinstance(measured["packets"], int)
    assert measured["packets"] > 100
    manifest = parse_manifest(found[0].with_suffix(".jsonl").read_bytes())
    entry = manifest.entry(VISIT)
    assert entry is not None
    assert (entry.close, entry.records) == (verdict.summary.last, verdict.summary.records)
    assert {one.reference for one in entry.anchors} == {"2", f"n-{(verdict.summary.last or '')[:8]}"}
    assert sha256(b"").hexdigest() not in said.read_text()


async def test_no_authority_stops_a_recording_and_the_record_says_so(
    other: Path, authority: Path, tmp_path: Path
) -> None:
    lies: list[str] = []

    async def lying(asked: web.Request) -> web.Response:
        query = await asked.read()
        kind = ("nonce", "imprint", "other")[len(lies) % 3]
        lies.append(kind)
        if kind == "nonce":
            query = query[:-8] + bytes(5) + query[-3:]
        elif kind == "imprint":
            at = query.index(b"\x04\x20") + 2
            query = query[:at] + bytes(32) + query[at + 32 :]
        folder = other if kind == "other" else authority
        reply = await asyncio.to_thread(reply_to, folder, query)
        return web.Response(body=reply, content_type="application/timestamp-reply")

    async def hanging(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with answering(lying) as liar, answering(hanging) as hung:
        urls = (liar, liar, liar, hung)
        studio = Studio(tmp_path, log=True, timestamp_urls=urls, timestamp_roots=authority / "ca.crt")
        async with studio.running():
            stamping = studio.recorder.notary._stamping  # type: ignore[union-attr]
            assert stamping is not None
            stamping._authorities._timeout_s = 0.5
            await visit(studio, degraded=1)
            await stored(studio, PROOF)
            assert set(lies) == {"nonce", "imprint", "other"}
            assert not (studio.root / CLOSE_STAMP).exists()
    verdict = verify_directory(studio.root)
    assert (verdict.broken, verdict.complete, verdict.timestamped) == ([], True, "none")
    assert {"code": "timestamp_unavailable", "over": False} in bodies(studio.root, "degraded")
    assert [one.rule for one in verify_directory(studio.root, trusting(authority)).broken] == ["STAMP-5"]


async def test_the_end_is_stamped_by_a_later_life_and_nothing_is_made_twice(authority: Path, tmp_path: Path) -> None:
    studio = Studio(tmp_path, log=True, timestamp_urls=("http://127.0.0.1:9/",))
    async with studio.running():
        await visit(studio)
        await stored(studio, PROOF)
    proof = (studio.root / PROOF).read_bytes()
    async with served(authority) as url:
        studio = Studio(tmp_path, log=True, timestamp_urls=(url,))
        async with studio.running():
            await stored(studio, CLOSE_STAMP)
            await until(lambda: not (studio.settings.data / "spool" / VISIT).exists())
            assert not [news for news in studio.news if isinstance(news, control.Degraded) and not news.over]
    assert (studio.root / PROOF).read_bytes() == proof
    verdict = verify_directory(studio.root, trusting(authority))
    assert [one.rule for one in verdict.broken] == []
    assert len(verdict.timestamps) == 1
