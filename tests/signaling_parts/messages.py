"""`ports.MessageStore` in memory."""

from __future__ import annotations

from signaling.law.messages import (
    MOST_MESSAGES,
    MOST_PHOTOS,
    PAGE,
    Draft,
    Message,
    MessageConflict,
    MessagesFull,
    Photo,
    PhotosFull,
    PhotoUnknown,
    says,
)
from signaling.ports import StoreAway


class MemoryMessages:
    """`ports.MessageStore` in memory: it outlives a server, as a database would."""

    def __init__(self) -> None:
        self.messages: dict[str, list[Message]] = {}
        self.photos: dict[str, tuple[str, Photo]] = {}
        self.on_log: set[tuple[str, int]] = set()
        self.away = False

    async def append(self, visit: str, seat: str, draft: Draft, at: str, nonce: str) -> Message:
        self._answer()
        mine = self.messages.setdefault(visit, [])
        before = next((each for each in mine if (each.seat, each.id) == (seat, draft.id)), None)
        if before is not None:
            if not says(before, draft):
                raise MessageConflict
            return before
        photo = None if draft.photo is None else self.photos.get(draft.photo, ("", None))
        if photo is not None and photo[0] != visit:
            raise PhotoUnknown
        if len(mine) >= MOST_MESSAGES:
            raise MessagesFull
        mine.append(Message(visit, len(mine) + 1, draft.id, seat, at, nonce, draft.text, photo and photo[1]))
        return mine[-1]

    async def after(self, visit: str, seq: int) -> list[Message]:
        self._answer()
        return self.messages.get(visit, [])[seq : seq + PAGE]

    async def last(self, visit: str) -> int:
        self._answer()
        return len(self.messages.get(visit, []))

    async def unnoted(self, visit: str) -> list[Message]:
        self._answer()
        return [each for each in self.messages.get(visit, []) if (visit, each.seq) not in self.on_log]

    async def noted(self, visit: str, seq: int) -> None:
        self._answer()
        self.on_log.add((visit, seq))

    async def keep_photo(self, visit: str, seat: str, photo: Photo, at: str) -> Photo:
        self._answer()
        mine = [kept for where, kept in self.photos.values() if where == visit]
        same = next((kept for kept in mine if kept.sha256 == photo.sha256), None)
        if same is None and len(mine) >= MOST_PHOTOS:
            raise PhotosFull
        if same is None:
            self.photos[photo.id] = (visit, photo)
        return same or photo

    async def photo(self, photo: str) -> tuple[str, Photo] | None:
        self._answer()
        return self.photos.get(photo)

    def _answer(self) -> None:
        if self.away:
            raise StoreAway("away")
