"""Data keys: ready before they are needed, kept when the key store is away, wrapped when it is back."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from recorder.sealing import mint as minting
from recorder.sealing.envelope import new_identity
from recorder.sealing.escrow import AgeEscrow, open_escrow
from recorder.sealing.keyring import Keyring
from recorder.sealing.kms import FileKms, KeyDestroyed, KmsAway, Wrapped
from recorder.sealing.mint import READY, Mint, context_of

IDENTITY, RECIPIENT = new_identity(bytes(range(32)))


class FlakyKms(FileKms):
    """A folder of root keys behind a line that can be cut, or hang."""

    away = False
    hang: threading.Event | None = None

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        self._reached()
        return super().wrap(data_key, context)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        self._reached()
        return super().unwrap(wrapped, context)

    def _reached(self) -> None:
        if self.hang is not None:
            self.hang.wait()
        if self.away:
            raise KmsAway("cut")


class Bench:
    """A mint with its parts in reach."""

    def __init__(self, folder: Path, escrow: bool = False) -> None:
        self.kms, self.local = FlakyKms(folder / "kms"), FileKms(folder / "local")
        self.ring = Keyring(folder / "ring")
        self.told: list[tuple[str, bool]] = []
        keeper = AgeEscrow(RECIPIENT) if escrow else None
        self.mint = Mint("aes256gcm", self.ring, self.kms, self.local, keeper, lambda *said: self.told.append(said))

    def under(self, visit: str) -> list[set[str]]:
        return [{wrap.kind for wrap in held.wraps} for held in self.ring.keys(visit)]


async def test_a_key_is_kept_by_the_store_and_here_until_the_visit_is_closed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.mint.round()
    keys = bench.mint.visit("v1")
    seal = keys.begin("patient")
    assert bench.ring.keys("v1") == []
    keys.commit()
    assert bench.under("v1") == [{"kms", "local"}]
    assert {word.partition(":")[0] for word in seal.record.under} == {"kms", "local"}
    await bench.mint.round()
    assert bench.under("v1") == [{"kms", "local"}]  # still being recorded
    bench.mint.closed("v1")
    await bench.mint.round()
    assert bench.under("v1") == [{"kms"}]
    (secret,) = (await bench.mint.secrets(bench.ring.keys("v1"))).values()
    assert minting.commitment(secret) == seal.held.key
    assert bench.told == []


async def test_recording_goes_on_while_the_key_store_is_away_and_its_keys_are_wrapped_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path, escrow=True)
    bench.kms.away = True
    await bench.mint.round()
    keys = bench.mint.visit("v1")
    for stream in ("patient", "doctor"):
        keys.begin(stream)
    keys.commit()
    bench.mint.closed("v1")
    await bench.mint.round()
    assert bench.under("v1") == [{"escrow", "local"}] * 2
    assert bench.told == [("kms_unreachable", False)]
    bench.kms.away = False
    await bench.mint.round()
    assert bench.under("v1") == [{"escrow", "kms"}] * 2
    assert bench.told == [("kms_unreachable", False), ("kms_unreachable", True)]


async def test_a_burst_of_streams_beyond_what_lies_ready_is_kept_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.mint.round()
    keys = bench.mint.visit("v1")
    for number in range(READY + 3):
        keys.begin(f"s{number}")
    keys.commit()
    assert sum("kms" in kinds for kinds in bench.under("v1")) == READY
    bench.mint.closed("v1")
    await bench.mint.round()
    assert bench.under("v1") == [{"kms"}] * (READY + 3)


async def test_a_key_store_that_hangs_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minting, "KMS_S", 0.05)
    bench = Bench(tmp_path)
    bench.kms.hang = threading.Event()
    await bench.mint.round()
    await bench.mint.round()  # it still owes the first answer: not asked again
    bench.mint.visit("v1").begin("patient")
    assert bench.told == [("kms_unreachable", False)]
    bench.kms.hang.set()


async def test_a_later_life_takes_up_its_own_keys_without_the_key_store(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.mint.round()
    keys = bench.mint.visit("v1")
    seal = keys.begin("patient")
    keys.commit()
    draft = seal.draft("name").frame(b"content")
    later = Bench(tmp_path)
    later.kms.away = True
    again = later.mint.visit("v1").resume(seal.held.key)
    assert again is not None
    assert again.content_of("name", draft) == b"content"
    assert later.mint.visit("v1").resume("0" * 64) is None


async def test_rotating_rewraps_every_key_and_then_the_old_root_may_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.mint.round()
    for visit in ("v1", "v2"):
        keys = bench.mint.visit(visit)
        keys.begin("patient")
        keys.commit()
        bench.mint.closed(visit)
    await bench.mint.round()
    backup = bench.ring.keys("v1")
    root = await bench.mint.rotate()
    assert await bench.mint.rewrap() == 2
    assert {wrap.root for visit in ("v1", "v2") for held in bench.ring.keys(visit) for wrap in held.wraps} == {root}
    assert await bench.mint.rewrap() == 0
    before = await bench.mint.secrets(backup)
    (old,) = await bench.mint.old_roots()
    await bench.mint.destroy([old])
    assert await bench.mint.secrets(bench.ring.keys("v1")) == before
    with pytest.raises(KeyDestroyed):  # a copy of the keyring from before is worth nothing now
        await bench.mint.secrets(backup)


async def test_the_escrow_identity_opens_what_the_key_store_would(tmp_path: Path) -> None:
    bench = Bench(tmp_path, escrow=True)
    await bench.mint.round()
    keys = bench.mint.visit("v1")
    keys.begin("patient")
    keys.commit()
    (held,) = bench.ring.keys("v1")
    blob = next(wrap.blob for wrap in held.wraps if wrap.kind == "escrow")
    assert {held.key: open_escrow(blob, IDENTITY, context_of(held.key))} == await bench.mint.secrets([held])


async def test_a_shredded_key_is_opened_for_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.mint.round()
    keys = bench.mint.visit("v1")
    keys.begin("patient")
    keys.commit()
    held = bench.ring.keys("v1")
    bench.ring.shred("v1")
    assert bench.ring.keys("v1") == []
    orphan = [one.without("local").without("kms") for one in held]
    with pytest.raises(KeyDestroyed):
        await bench.mint.secrets(orphan)


async def test_a_mint_that_is_cancelled_as_an_answer_comes_ends(tmp_path: Path) -> None:
    mint, hang = Bench(tmp_path).mint, threading.Event()
    asking = asyncio.create_task(mint._ask(hang.wait))
    while not mint._busy:
        await asyncio.sleep(0)
    hang.set()
    mint._thread.submit(int).result()  # behind it: the answer is on its way to the loop now
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
