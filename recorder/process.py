"""The recorder as a process: its doors, its signals, and a store that has proved itself.

PROCESS-1  It ends on SIGTERM, on SIGINT, and when its supervisor is gone.
PROCESS-2  A store that does not keep its promises ends it before anything is kept; one that is away proves itself before its
           first object.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys

from config import logs
from config.clock import utc_now
from config.settings import Settings
from recorder.audit.keeping import Keeping
from recorder.audit.look_door import LOOKS
from recorder.audit.looks import Looks
from recorder.audit.routes import audit_door, make_audit_app
from recorder.live.service import Recorder
from recorder.log.anchors import anchors_for
from recorder.log.custody import Custody
from recorder.log.keys import load_or_create
from recorder.log.notary_settings import day_book_for, notary_for
from recorder.store.holdings import Holdings, SpoolFolder
from recorder.store.named import open_store
from recorder.store.objects import ObjectStore, StoreRefused, StoreUnavailable
from recorder.store.retention import kept_by

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """The process: until SIGTERM, SIGINT, or the supervisor is gone."""
    logs.setup("recorder", settings.log_level, settings.log_json)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    assert settings.run is not None, "run is set by the front door"
    store = await proven(settings)
    signer = load_or_create(settings.keys / "recorder-ed25519.pem")
    recorder = Recorder(settings, signer, store)
    recorder.days = day_book_for(settings)
    async with (
        anchors_for(settings.anchors, recorder.degraded) as recorder.anchors,
        notary_for(settings, recorder.origin, signer, store, recorder.degraded, recorder.days) as recorder.notary,
    ):
        recorder.recover()
        # Packets and frames are lists of tuples without cycles: looking through them finds nothing (0.9 µs a packet).
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 10, 50)
        await _until_stopped(settings, store, recorder)
    await store.close()


async def _until_stopped(settings: Settings, store: ObjectStore, recorder: Recorder) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("TELECONSULT_SUPERVISED") == "1":
        loop.add_reader(sys.stdin.fileno(), _stop_at_eof, stop)
    await recorder.intake.listen(settings.socket("tap"))
    door = settings.socket("recorder")
    await asyncio.to_thread(door.unlink, missing_ok=True)
    server = await asyncio.start_unix_server(recorder.door.serve, door)
    await asyncio.to_thread(door.chmod, 0o600)
    running = asyncio.create_task(recorder.run())
    stopping = asyncio.create_task(stop.wait())
    custody = await asyncio.to_thread(
        Custody, settings.data / "custody", recorder.fingerprint[:16], recorder.notary, utc_now
    )
    if recorder.notary is not None:
        recorder.notary.before_publishing = custody.publish

    promised = kept_by(settings.jurisdiction, settings.keep_media_days, settings.keep_evidence_days)
    keeping = await asyncio.to_thread(Keeping, settings.data / "custody" / "promised.json", promised)

    def looks_at(holdings: Holdings) -> Looks:
        time = recorder.notary.time if recorder.notary is not None else None
        return Looks(holdings, custody, recorder.mint, keeping.longest, time)

    audit = make_audit_app(store, SpoolFolder(settings.data / "spool"), looks_at)
    await audit[LOOKS].finish_shredding()
    door_file = settings.data / "audit.door"  # where `teleconsult keys` finds us
    await asyncio.to_thread(door_file.write_text, str(settings.socket("audit").absolute()))
    async with audit_door(audit, settings.socket("audit")):
        log.info("recorder ready")
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.close()
    if running.done():
        running.result()
    await recorder.stop()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def proven(settings: Settings) -> ObjectStore:
    """The store; one that does not keep its promises ends the process before anything is kept."""
    try:
        store = open_store(settings)
        log.info("store", extra={"store": settings.store, "limits": store.limits})
        await store.prove()
    except StoreRefused as error:
        raise SystemExit(f"the store is refused: {error}") from None
    except StoreUnavailable as error:
        # It proves itself before the first object goes there; until then everything waits in the spool.
        log.warning("store away at start", extra={"code": error.code})
    return store


def _stop_at_eof(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        stop.set()
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
