"""Makes checkpoints of the recorder's log, has them cosigned, publishes them, and hands out proofs.

NOTARY-1  While records come, a checkpoint follows within a second or two; a witness that is slow or away delays no checkpoint
          by more than its time limit, and no recording at all.
NOTARY-2  A visit's proof is made once: against a checkpoint that covers its closing record and has the local witness's and
          `quorum` outside cosignatures. Until then it waits, and the visit stays in the spool.
NOTARY-4  Once a day is over, its manifest (`recorder.log.day_book`) becomes a leaf and goes to the store with its proof.
NOTARY-3  Tiles and checkpoints (C2SP tlog-tiles, without entries) go to the store when a visit is proven, and every minute
          while the log grows. What the store does not take goes the next time; what an earlier life put there stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from config.clock import monotonic_s
from recorder.evidence.checkpoint import Note, NoteKey, NoteSignature
from recorder.evidence.proof import LogProof
from recorder.evidence.tiles import TILE, tile_name, tiles
from recorder.evidence.witnessing import Submission, WitnessRefused
from recorder.log.day_book import Day, DayBook
from recorder.log.site_log import SiteLog
from recorder.log.stamping import Stamp, Stamping
from recorder.log.witness_book import WitnessBook
from recorder.log.witness_client import Consistency, WitnessSilent
from recorder.store.objects import ObjectExists, ObjectStore, StoreError

PERIOD_S = 1.0
PUBLISH_S = 60.0

log = logging.getLogger(__name__)


class Cosigner(Protocol):
    """A witness, here or elsewhere."""

    key: NoteKey

    async def cosign(self, note: Note, size: int, consistency: Consistency) -> NoteSignature:
        """Its signature. Raises `WitnessSilent`."""
        ...


class LocalWitness:
    """The recorder's own witness: it keeps an accident from forking the log. Against its owner it proves nothing."""

    def __init__(self, book: WitnessBook, log_key: NoteKey) -> None:
        self.key = book.key
        self._book = book
        self._known = (log_key,)
        self._old = 0

    async def cosign(self, note: Note, size: int, consistency: Consistency) -> NoteSignature:
        """Its signature on this checkpoint. Raises `WitnessSilent`."""
        return await asyncio.to_thread(self._cosign, note, size, consistency)

    def _cosign(self, note: Note, size: int, consistency: Consistency) -> NoteSignature:
        for _ in range(2):
            try:
                proof = consistency(self._old) if self._old else []
                signature = self._book.add(Submission(self._old, tuple(proof), note).encoded, self._known)
            except WitnessRefused as refused:
                if refused.seen is None or refused.seen > size:
                    raise WitnessSilent(str(refused), refused.status) from None
                self._old = refused.seen
            except OSError as error:
                raise WitnessSilent(type(error).__name__) from None
            else:
                self._old = size
                return signature
        raise WitnessSilent("another tree was seen", 409)


class _Wanted(NamedTuple):
    records: int
    witnesses: frozenset[str]
    then: Callable[[bytes], None]


class Notary:
    """The log's keeper. One owner."""

    def __init__(
        self,
        site: SiteLog,
        local: Cosigner,
        witnesses: Sequence[Cosigner],
        quorum: int,
        store: ObjectStore,
        tell: Callable[[str, bool], None],
        stamping: Stamping | None = None,
        days: DayBook | None = None,
    ) -> None:
        """`tell(code, over)` hears that the log or a witness fails, or works again."""
        self._stamping = stamping
        self._days = days
        self._site = site
        self._local = local
        self._witnesses = tuple(witnesses)
        self._quorum = quorum
        self._store = store
        self._tell = tell
        self._wanted: dict[str, _Wanted] = {}
        self._failing: set[str] = set()
        self._cosigned = -1
        self._published = site.published
        self._publish_at = 0.0
        self._lock = asyncio.Lock()
        self.before_publishing: Callable[[ObjectStore], Awaitable[None]] | None = None
        """Gives the store what a checkpoint covers and no recording holds (LOGGED-2)."""

    @property
    def witness_keys(self) -> list[str]:
        """The verifier keys that a recording names in `open`."""
        return [witness.key.vkey for witness in (self._local, *self._witnesses)]

    def take(self, visit: str, seq: int, lines: Sequence[bytes]) -> None:
        """Records that are durable in their visit's journal (TREE-1)."""
        self._site.take(visit, seq, lines)

    def prove(self, visit: str, records: int, witnesses: Iterable[str], then: Callable[[bytes], None]) -> None:
        """Call `then` with the proof of the visit's last record, once there is one (NOTARY-2).

        `witnesses`: those its `open` names; no other may stand in its proof (LOG-4).
        """
        self._wanted[visit] = _Wanted(records, frozenset(witnesses), then)

    def follow(self, visit: str, then: Callable[[Stamp], None]) -> None:
        """The visit is open: `then` is given a stamp now, and every minute until `stamp_end` (where authorities are set)."""
        if self._stamping is not None:
            self._stamping.follow(visit, then)

    def stamp_end(self, visit: str, records: int, then: Callable[[Stamp | None], None]) -> None:
        """The visit is closed: call `then` with the stamp of its end; with None if there will be none."""
        if self._stamping is None:
            then(None)
        else:
            self._stamping.end(visit, records, then)

    async def time(self) -> datetime | None:
        """What time an authority says that it is; None where none is set. Raises `NoTimestamp`."""
        return await self._stamping.time() if self._stamping is not None else None

    def forget(self, visit: str) -> None:
        """The visit is closed, and proven and stamped as far as it ever will be."""
        self._site.forget(visit)
        if self._stamping is not None:
            self._stamping.forget(visit)

    def taken(self, visit: str) -> int:
        """How many records of a visit are in the log, or will be next."""
        return self._site.taken(visit)

    def keep_only(self, visits: Iterable[str]) -> None:
        """These visits go on or wait for their proof; nothing more is asked about any other."""
        self._site.keep_only([*visits, *(self._days.unproven() if self._days is not None else ())])

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(PERIOD_S)

    async def round(self) -> None:
        """Write what came, sign, have it cosigned, prove, publish."""
        async with self._lock:
            await self._round()

    async def cover(self, visit: str, records: int) -> bool:
        """Sign a checkpoint over so many records of a visit, cosigned or not; whether it is durable."""
        async with self._lock:
            await self._sign()
            return self._site.covers(visit, records)

    async def _sign(self) -> bool:
        """Write what came, and sign. False: the disk did not take it."""
        try:
            wrote = await asyncio.to_thread(self._site.write)
            if (wrote or self._cosigned < 0) and self._site.size:
                await asyncio.to_thread(self._site.checkpoint)
                self._cosigned = -1
        except OSError as error:
            self._state("log_failed", False, type(error).__name__)
            return False
        self._state("log_failed", True)
        return True

    async def _round(self) -> None:
        if not await self._sign():
            return
        note = self._site.note
        if note is None:
            return
        if self._stamping is not None:
            self._stamping.look()
        if self._cosigned < 0 or (self._wanted and self._cosigned < self._quorum):
            await self._cosign(note)
        proven = self._prove() if self._cosigned >= self._quorum else False
        if self._days is not None:
            await self._keep_days(self._days)
        if proven or monotonic_s() >= self._publish_at:
            self._publish_at = monotonic_s() + PUBLISH_S
            await self._publish()

    async def _cosign(self, note: Note) -> None:
        signed = self._site.signed
        assert signed is not None
        bare = Note(note.text, note.signatures[:1])
        asked = (self._local, *self._witnesses)
        answers = await asyncio.gather(
            *(witness.cosign(bare, signed.size, self._site.consistency) for witness in asked), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, NoteSignature):
                bare = bare.with_signature(answer)
            elif not isinstance(answer, WitnessSilent):
                raise answer
        refused = any(isinstance(answer, WitnessSilent) and answer.refuses is not None for answer in answers)
        self._state("witness_refuses", not refused)
        outside = sum(isinstance(answer, NoteSignature) for answer in answers[1:])
        self._state("witness_unreachable", outside >= self._quorum)
        self._cosigned = outside if isinstance(answers[0], NoteSignature) else -1
        await asyncio.to_thread(self._site.keep, bare)

    def _prove(self) -> bool:
        done = False
        for visit, wanted in list(self._wanted.items()):
            proof = self._site.proof(visit, wanted.records)
            if proof is not None:
                del self._wanted[visit]
                wanted.then(LogProof(proof.index, proof.path, self._only(wanted.witnesses, proof.note)).encoded)
                done = True
        return done

    async def _keep_days(self, days: DayBook) -> None:
        """Write the manifest of each day that is over, make it a leaf, and store it with its proof (NOTARY-4)."""
        try:
            for day in await asyncio.to_thread(days.finish, self._site.key.name):
                await self._keep_day(days, day)
        except (StoreError, OSError) as error:
            log.warning("manifest not stored", extra={"code": getattr(error, "code", type(error).__name__)})

    async def _keep_day(self, days: DayBook, day: Day) -> None:
        name = f"manifests/{self._site.key.name.rpartition('/')[2]}/{day.name}"
        try:
            # In the store before it is in the log, so that the log never names what nobody has (INV-3).
            await self._put(f"{name}.jsonl", day.content)
        except ObjectExists:  # of a folder set back: what is there stands, and must not hold up every day to come
            log.error("manifest of this day is there already", extra={"day": day.name})
            await asyncio.to_thread(days.proven, day)
            return
        self._site.take(day.leaf, 0, [day.content])
        proof = self._site.proof(day.leaf, 1)
        if proof is None or self._cosigned < self._quorum:
            return
        await self._publish()  # INV-4: what is proven stands in the tiles
        with contextlib.suppress(ObjectExists):  # an earlier life's, which ended before it knew
            await self._put(f"{name}.tlog-proof", proof.encoded)
        await asyncio.to_thread(days.proven, day)
        self._site.forget(day.leaf)

    def _only(self, witnesses: frozenset[str], note: Note) -> Note:
        keys = {(one.key.name, one.key.hint): one.key.vkey for one in (self._local, *self._witnesses)}
        log_signature, *others = note.signatures
        kept = [one for one in others if keys.get((one.name, one.hint)) in witnesses]
        return Note(note.text, (log_signature, *kept))

    async def _publish(self) -> None:
        signed, note = self._site.signed, self._site.note
        if signed is None or note is None or signed.size <= self._published:
            return
        root = f"log/{self._site.key.name.rpartition('/')[2]}"
        try:
            if self.before_publishing is not None:
                await self.before_publishing(self._store)
            for level, number, width in tiles(self._published, signed.size):
                name = f"{root}/tile/{level}/{tile_name(number)}" + (f".p/{width}" if width < TILE else "")
                await self._put(name, await asyncio.to_thread(self._site.tile, level, number, width))
            with contextlib.suppress(ObjectExists):  # an earlier life's, of the same tree, cosigned at another second
                await self._put(f"{root}/checkpoint/{signed.size:012d}", note.encoded)
            await asyncio.to_thread(self._site.remember_published, signed.size)
        except (StoreError, OSError) as error:  # NOTARY-3
            log.warning("log not published", extra={"code": getattr(error, "code", type(error).__name__)})
            return
        self._published = signed.size

    async def _put(self, name: str, data: bytes) -> None:
        await self._store.put(name, data, hashlib.sha256(data).hexdigest())

    def _state(self, code: str, good: bool, why: str = "") -> None:
        if good == (code in self._failing):
            (self._failing.discard if good else self._failing.add)(code)
            log.warning("log state", extra={"code": code, "over": good, "reason": why})
            self._tell(code, good)
