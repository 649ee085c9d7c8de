"""The recorder's audit door with a real log behind it, so that what it shows can be looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from recorder.audit.looks import Looks
from recorder.audit.routes import audit_door, make_audit_app
from recorder.log.custody import Custody
from recorder.log.notary import LocalWitness, Notary
from recorder.log.site_log import SiteLog
from recorder.log.witness_book import WitnessBook
from recorder.sealing.keyring import Keyring
from recorder.sealing.kms import FileKms
from recorder.sealing.mint import Mint
from recorder.store.folder import FolderStore
from recorder.store.holdings import SpoolFolder
from recorder.store.objects import ObjectStore
from tests.bundles import ORIGIN, RECORDER, keys_of


@asynccontextmanager
async def recorder_door(
    folder: Path, store: ObjectStore | None = None, spool: Path | None = None
) -> AsyncIterator[Custody]:
    """The door over `store` (`folder`/store), at `folder`/audit.sock; its custody chain."""
    store = store or FolderStore(folder / "store")
    site = SiteLog(folder / "log", ORIGIN, RECORDER)
    book = WitnessBook(folder / "witness", f"{site.key.name}/witness", keys_of("witness"))
    notary = Notary(site, LocalWitness(book, site.key), [], 0, store, lambda *_: None)
    custody = Custody(folder / "custody", RECORDER.fingerprint[:16], notary)
    mint = Mint(None, Keyring(folder / "keyring"), FileKms(folder / "kms"), FileKms(folder / "local"))
    unstored = SpoolFolder(spool) if spool is not None else None
    app = make_audit_app(store, unstored, lambda holdings: Looks(holdings, custody, mint, lambda: None))
    try:
        async with audit_door(app, folder / "audit.sock"):
            yield custody
    finally:
        site.close()
