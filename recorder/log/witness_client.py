"""Asking a witness elsewhere to cosign a checkpoint (C2SP tlog-witness)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from config.pieces import TooMuch, whole
from recorder.evidence.checkpoint import Note, NoteInvalid, NoteKey, NoteSignature, cosigned_at, parse_note
from recorder.evidence.proof import decimal
from recorder.evidence.witnessing import Submission

TIMEOUT_S = 5.0

Consistency = Callable[[int], list[bytes]]
"""The proof that the checkpoint at hand grew from a size. Raises `IndexError`."""


class WitnessSilent(Exception):
    """No cosignature now: the witness is away, or refuses. `refuses` is its HTTP status, None if it is away."""

    code = "witness_silent"

    def __init__(self, why: str, refuses: int | None = None) -> None:
        super().__init__(why)
        self.refuses = refuses


class WitnessClient:
    """One witness elsewhere. It is told what it knows already: the size it cosigned last."""

    def __init__(self, url: str, key: NoteKey, session: aiohttp.ClientSession) -> None:
        """`url`: the submission prefix; `key`: the one its cosignatures must have."""
        self.key = key
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._session = session
        self._old = 0

    async def cosign(self, note: Note, size: int, consistency: Consistency) -> NoteSignature:
        """Its signature on this checkpoint of `size` leaves. Raises `WitnessSilent`."""
        for _ in range(2):
            if self._old > size:
                raise WitnessSilent("the witness saw a larger log", 409)
            proof = await asyncio.to_thread(consistency, self._old) if self._old else []
            status, body = await self._post(Submission(self._old, tuple(proof), note).encoded)
            if status == 200:
                self._old = size
                return self._signature(note, body)
            if status != 409:
                break
            self._old = self._told(body)
        raise WitnessSilent("the witness refuses", status)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        try:
            async with self._session.post(
                self._url, data=body, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), allow_redirects=False
            ) as answer:
                return answer.status, await whole(answer.content.read, 1 << 16)
        except (aiohttp.ClientError, TimeoutError, TooMuch) as error:
            raise WitnessSilent(type(error).__name__) from None

    def _signature(self, note: Note, body: bytes) -> NoteSignature:
        try:
            for signature in parse_note(f"{note.text}\n".encode() + body).signatures:
                if cosigned_at(Note(note.text, (signature,)), self.key) is not None:
                    return signature
        except NoteInvalid:
            pass
        raise WitnessSilent("not the witness's signature")

    def _told(self, body: bytes) -> int:
        try:
            return decimal(body.decode("ascii").removesuffix("\n"))
        except (UnicodeDecodeError, NoteInvalid):
            raise WitnessSilent("the witness's answer cannot be read", 409) from None
