"""The recorder's audit door with a real log behind it, so that what it shows can be looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from recorder.audit import audit_door, make_audit_app
from recorder.custody import Custody
from recorder.keyring import Keyring
from recorder.kms import FileKms
from recorder.looks import Looks
from recorder.mint import Mint
from recorder.notary import LocalWitness, Notary
from recorder.site_log import SiteLog
from recorder.store_folder import FolderStore
from recorder.witness_book import WitnessBook
from tests.bundles import ORIGIN, RECORDER, keys_of


@asynccontextmanager
async def recorder_door(folder: Path) -> AsyncIterator[Custody]:
    """The door over `folder`/store, at `folder`/audit.sock; its custody chain."""
    store = FolderStore(folder / "store")
    site = SiteLog(folder / "log", ORIGIN, RECORDER)
    book = WitnessBook(folder / "witness", f"{site.key.name}/witness", keys_of("witness"))
    notary = Notary(site, LocalWitness(book, site.key), [], 0, store, lambda *_: None)
    custody = Custody(folder / "custody", RECORDER.fingerprint[:16], notary)
    mint = Mint(None, Keyring(folder / "keyring"), FileKms(folder / "kms"), FileKms(folder / "local"))
    app = make_audit_app(store, None, lambda holdings: Looks(holdings, custody, mint, lambda: None))
    try:
        async with audit_door(app, folder / "audit.sock"):
            yield custody
    finally:
        site.close()
