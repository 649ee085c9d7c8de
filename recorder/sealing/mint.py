"""Makes data keys, has them wrapped, and opens them again for whoever may look.

MINT-1  Recording waits for no key store. A few keys lie ready, wrapped by it; when they are gone and it does not answer, a
        new key is kept by this machine itself (`local`) and by the escrow key, where there is one, and wrapped when the
        store is back. Meanwhile `kms_unreachable` stands on the record of every live visit.
MINT-2  While a visit is being recorded its keys are also kept by this machine, so that after a crash the draft of the open
        segment can be read at once (DRAFT-1). When the visit is closed and the store has its keys, that copy is destroyed.
        Until then whoever takes this machine's whole disk can read those visits.
MINT-3  An unwrapped key is given out only for one that is named, and only if it is the key of that name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import msgspec

from config.clock import random_bytes
from recorder.sealing.data_key import HeldKey, Wrap, commitment, is_of
from recorder.sealing.keyring import Keyring, KeyringDamaged
from recorder.sealing.kms import KeyDestroyed, Kms, KmsAway, KmsError, Wrapped
from recorder.sealing.seal import DATA_KEY, Suite
from recorder.sealing.stream_seal import StreamSeal

READY = 8
"""Keys that lie ready: a hospital's ward begins a handful of streams a second at most."""
KMS_S = 3.0
TIDY_S = 5.0

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Escrow(Protocol):
    """Wraps for somebody who is not here: only their offline key opens it."""

    root: str

    def wrap(self, secret: bytes, context: bytes) -> bytes:
        """The wrapped key."""
        ...


class Mint:
    """One owner; `begin` is quick, what speaks to the key store is a coroutine."""

    def __init__(
        self,
        suite: Suite | None,
        keyring: Keyring,
        kms: Kms,
        local: Kms,
        escrow: Escrow | None = None,
        tell: Callable[[str, bool], None] = lambda *_: None,
    ) -> None:
        """`suite`: None where streams are not sealed. `tell(code, over)` hears that the key store fails, or works again."""
        self.keyring = keyring
        self._suite = suite
        self._kms, self._local, self._escrow = kms, local, escrow
        if suite is not None and not local.roots():
            local.rotate()  # now, while a disk that takes nothing can still be said
        self._tell = tell
        self._ready: list[tuple[HeldKey, bytes]] = []
        self._untidy: set[str] = set()
        self._recording: set[str] = set()
        self._away = False
        # A key store may hang: then this thread does, and nothing else.
        self._thread = ThreadPoolExecutor(1, "kms")
        self._busy = False

    @property
    def seals(self) -> bool:
        """Whether streams are sealed."""
        return self._suite is not None

    # ---- recording

    def visit(self, visit: str) -> VisitKeys:
        """The keys of a visit that is being recorded."""
        self._recording.add(visit)
        return VisitKeys(visit, self)

    def closed(self, visit: str) -> None:
        """Nothing more of it is recorded here (MINT-2)."""
        self._recording.discard(visit)
        self._untidy.add(visit)

    def make(self, stream: str) -> tuple[HeldKey, bytes]:
        """A key for a stream, kept by the key store if one lies ready, and by this machine."""
        held, secret = self._ready.pop() if self._ready else self._new()
        try:
            held = held.with_wrap(Wrap("local", *self._local.wrap(secret, context_of(held.key))))
        except (KmsError, OSError) as error:
            if not held.wraps:
                raise
            log.error("key not kept here", extra={"error": type(error).__name__})
        return msgspec.structs.replace(held, stream=stream), secret

    def local_secret(self, held: HeldKey) -> bytes | None:
        """A key as this machine keeps it; None if it does not."""
        wrap = held.wrapped_by("local")
        try:
            return self._checked(held, self._local, wrap) if wrap is not None else None
        except KmsError:
            return None

    def _new(self) -> tuple[HeldKey, bytes]:
        assert self._suite is not None, "asked only where streams are sealed"
        secret = random_bytes(DATA_KEY)
        held = HeldKey(commitment(secret), self._suite, ())
        if self._escrow is not None:
            held = held.with_wrap(Wrap("escrow", self._escrow.root, self._escrow.wrap(secret, context_of(held.key))))
        return held, secret

    # ---- opening

    async def secrets(self, held: Iterable[HeldKey]) -> dict[str, bytes]:
        """The keys themselves, by name (MINT-3). Raises `KeyDestroyed`, `WrapBroken`, `KmsAway`."""
        return {one.key: await self._secret(one) for one in held}

    async def _secret(self, held: HeldKey) -> bytes:
        if (kept := await asyncio.to_thread(self.local_secret, held)) is not None:
            return kept
        wrap = held.wrapped_by("kms")
        if wrap is None:
            raise KeyDestroyed("no key store that can be asked has this key")
        return await self._ask(lambda: self._checked(held, self._kms, wrap))

    def _checked(self, held: HeldKey, kms: Kms, wrap: Wrap) -> bytes:
        secret = kms.unwrap(Wrapped(wrap.root, wrap.blob), context_of(held.key))
        if not is_of(held.key, secret):
            raise KeyDestroyed("what the key store gave is not the key of this name")
        return secret

    # ---- in the background

    async def run(self) -> None:
        """Until cancelled."""
        self._untidy.update(await asyncio.to_thread(self.keyring.live))
        while True:
            await self.round()
            await asyncio.sleep(TIDY_S if self._away or not self.seals or len(self._ready) >= READY else 0.05)

    async def round(self) -> None:
        """Have keys ready, and what this machine keeps for visits that are over wrapped by the key store."""
        try:
            while self._suite is not None and len(self._ready) < READY:
                held, secret = self._new()
                wrapped = await self._ask(lambda s=secret, h=held: self._kms.wrap(s, context_of(h.key)))  # type: ignore[misc]
                self._ready.append((held.with_wrap(Wrap("kms", *wrapped)), secret))
            for visit in sorted(self._untidy - self._recording):
                await self._tidy(visit)
                self._untidy.discard(visit)
        except KmsError as error:
            self._state(away=True, why=error.code)
        except (OSError, KeyringDamaged) as error:
            log.error("keyring failed", extra={"error": type(error).__name__})
        else:
            self._state(away=False)

    async def rewrap(self, visits: Iterable[str] | None = None) -> int:
        """Wrap keys again under the newest root key; how many visits. Raises as `secrets`, and `OSError`."""
        newest = (await self._ask(self._kms.roots))[-1:]
        count = 0
        for visit in visits if visits is not None else await asyncio.to_thread(self.keyring.visits):
            if await self._wrap(visit, lambda held: [w.root for w in held.wraps if w.kind == "kms"] != newest):
                count += 1
        return count

    async def rotate(self) -> str:
        """A new root key, under which everything to come is wrapped; its id. Raises `KmsAway`."""
        root = await self._ask(self._kms.rotate)
        self._ready.clear()
        return root

    async def old_roots(self) -> list[str]:
        """Every root key but the newest. Raises `KmsAway`."""
        return (await self._ask(self._kms.roots))[:-1]

    async def destroy(self, roots: Iterable[str]) -> None:
        """Destroy these root keys; nothing may be wrapped under them alone any more (`rewrap`). Raises `KmsAway`."""
        for root in roots:
            await self._ask(lambda root=root: self._kms.destroy(root))  # type: ignore[misc]

    async def _tidy(self, visit: str) -> None:
        await self._wrap(visit, lambda held: held.wrapped_by("kms") is None)
        await asyncio.to_thread(
            self.keyring.change, visit, lambda held: held.without("local") if held.wrapped_by("kms") else held
        )

    async def _wrap(self, visit: str, wants: Callable[[HeldKey], bool]) -> bool:
        """Wrap those keys of a visit that want it under the newest root key; whether there were any."""
        wanting = [held for held in await asyncio.to_thread(self.keyring.keys, visit) if wants(held)]
        wraps: dict[str, Wrap] = {}
        for held in wanting:
            secret = await self._secret(held)
            wrapped = await self._ask(lambda s=secret, h=held: self._kms.wrap(s, context_of(h.key)))  # type: ignore[misc]
            wraps[held.key] = Wrap("kms", *wrapped)
        if wraps:
            await asyncio.to_thread(
                self.keyring.change, visit, lambda held: held.with_wrap(wraps[held.key]) if held.key in wraps else held
            )
        return bool(wraps)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        if self._busy:
            raise KmsAway("the key store still owes an answer")
        self._busy = True
        asked = self._thread.submit(question)
        asked.add_done_callback(self._answered)
        try:
            # `wait_for` of Python 3.11 forgets that it was cancelled as the answer came.
            async with asyncio.timeout(KMS_S):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            raise KmsAway("the key store does not answer") from None

    def _answered(self, _asked: object) -> None:
        self._busy = False

    def _state(self, away: bool, why: str = "") -> None:
        if away != self._away:
            self._away = away
            log.warning("key store", extra={"away": away, "reason": why})
            self._tell("kms_unreachable", not away)


class VisitKeys:
    """The keys of one visit, as its recording uses them."""

    def __init__(self, visit: str, mint: Mint) -> None:
        self.sealing = mint.seals
        self._visit = visit
        self._mint = mint
        self._new: list[HeldKey] = []

    def begin(self, stream: str) -> StreamSeal:
        """A stream under a new key, which is durable after `commit`."""
        held, secret = self._mint.make(stream)
        self._new.append(held)
        return StreamSeal(self._visit, held, secret, random_bytes)

    def commit(self) -> None:
        """Make new keys durable (RING-1). Blocks. Raises `OSError`: then call it again."""
        if self._new:
            self._mint.keyring.add(self._visit, self._new)
            self._new.clear()

    def resume(self, key: str) -> StreamSeal | None:
        """The seal of an earlier life of the recorder; None if this machine cannot open it any more. Blocks."""
        held = next((one for one in self._mint.keyring.keys(self._visit) if one.key == key), None)
        secret = self._mint.local_secret(held) if held is not None else None
        return StreamSeal(self._visit, held, secret, random_bytes) if held is not None and secret is not None else None


def context_of(key: str) -> bytes:
    """What a wrap is bound to (KMS-3)."""
    return f"teleconsult-data-key\0{key}".encode()
