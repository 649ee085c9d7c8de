"""The notary that the settings ask for: the log, a witness of our own, those elsewhere, and who tells the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiohttp
from cryptography.x509 import Certificate

from config.settings import Settings
from recorder.evidence.checkpoint import NoteInvalid, NoteKey, parse_vkey
from recorder.evidence.sign import Signer
from recorder.evidence.token import roots_in
from recorder.log.day_book import DayBook
from recorder.log.keys import load_or_create
from recorder.log.notary import LocalWitness, Notary
from recorder.log.site_log import LogDamaged, SiteLog
from recorder.log.stamping import Stamping
from recorder.log.timestamps import Authorities
from recorder.log.witness_book import WitnessBook
from recorder.log.witness_client import WitnessClient
from recorder.store.objects import ObjectStore

log = logging.getLogger(__name__)


@asynccontextmanager
async def notary_for(
    settings: Settings,
    origin: str,
    signer: Signer,
    store: ObjectStore,
    tell: Callable[[str, bool], None],
    days: DayBook | None = None,
) -> AsyncIterator[Notary | None]:
    """The notary, while the context lasts; None if the log cannot be continued: then nothing is proven, and it is said.

    Raises `SystemExit` for a witness that cannot be one.
    """
    elsewhere = [witness_in(word) for word in settings.witnesses]
    roots = await asyncio.to_thread(_roots, settings)
    try:
        site = await asyncio.to_thread(SiteLog, settings.data / "log", origin, signer)
    except (LogDamaged, OSError) as error:
        log.error("log cannot be continued", extra={"error": str(error)})
        yield None
        return
    log.info("log", extra={"key": site.key.vkey, "leaves": site.size})
    own = await asyncio.to_thread(load_or_create, settings.keys / "local-witness.pem")
    book = await asyncio.to_thread(WitnessBook, settings.data / "local-witness", f"{site.key.name}/witness", own)
    async with aiohttp.ClientSession() as session:
        clients = [WitnessClient(url, key, session) for url, key in elsewhere]
        stamping = _stamping(settings, site, signer, session, roots, tell)
        # The log's files stay open until the process ends: a thread may still be writing.
        yield Notary(site, LocalWitness(book, site.key), clients, settings.witness_quorum, store, tell, stamping, days)
        if stamping is not None:
            await stamping.close()


def day_book_for(settings: Settings) -> DayBook | None:
    """The book of days; None if its folder cannot be used: then there are no manifests, and it is said."""
    try:
        return DayBook(settings.data / "log" / "days")
    except OSError as error:
        log.error("no manifests", extra={"error": str(error)})
        return None


def _stamping(
    settings: Settings,
    site: SiteLog,
    signer: Signer,
    session: aiohttp.ClientSession,
    roots: Sequence[Certificate],
    tell: Callable[[str, bool], None],
) -> Stamping | None:
    if not settings.timestamp_urls:
        return None
    authorities = Authorities(settings.timestamp_urls, session, roots=roots)
    return Stamping(site, authorities, lambda message: signer.sign(message)[0].sig, tell)


def _roots(settings: Settings) -> list[Certificate]:
    if settings.timestamp_roots is None:
        return []
    try:
        return roots_in(settings.timestamp_roots.read_bytes())
    except (OSError, ValueError) as error:
        raise SystemExit(f"timestamp_roots: {settings.timestamp_roots} has no certificates: {error}") from None


def witness_in(word: str) -> tuple[str, NoteKey]:
    """The URL and the key of a setting `URL KEY`. Raises `SystemExit` with what is wrong."""
    url, _, vkey = word.partition(" ")
    try:
        key = parse_vkey(vkey.strip())
    except NoteInvalid:
        raise SystemExit(f"witnesses: {word!r} is not `URL KEY`") from None
    if key.kind != "cosignature" or not url.startswith(("http://", "https://")):
        raise SystemExit(f"witnesses: {word!r} is not `URL KEY` of a witness")
    return url, key
