"""Messages between the seats of a visit, and the line by which the evidence log remembers one (PROTOCOL.md §8). Pure."""

from __future__ import annotations

import hashlib
import json

import msgspec

MOST_MESSAGES = 2_000
MOST_PHOTOS = 60
PAGE = 100


class Photo(msgspec.Struct, frozen=True):
    """A stored photo; `sha256` (hex) is of the stored bytes, sides are in pixels."""

    id: str
    media: str
    bytes: int
    width: int
    height: int
    sha256: str


class Draft(msgspec.Struct, frozen=True):
    """What a client asks to be sent: exactly one of text and photo, under an id of its own choice."""

    id: str
    text: str | None = None
    photo: str | None = None


class Message(msgspec.Struct, frozen=True):
    """A message as stored. `nonce` keeps a guessable text from being guessed by its hash."""

    visit: str
    seq: int
    id: str
    seat: str
    at: str
    nonce: str
    text: str | None = None
    photo: Photo | None = None

    @property
    def state(self) -> str:
        """What the log calls it."""
        return "text" if self.photo is None else "photo"


class MessageRefused(Exception):
    """A message that is not stored: `MessageConflict`, `MessagesFull`, `PhotoUnknown`, `PhotosFull`."""

    code = "internal"


class MessageConflict(MessageRefused):
    """The seat used this id for something else before."""

    code = "message_conflict"


class MessagesFull(MessageRefused):
    """2 000 in one visit."""

    code = "messages_full"


class PhotoUnknown(MessageRefused):
    """No such photo in this visit."""

    code = "photo_unknown"


class PhotosFull(MessageRefused):
    """60 in one visit."""

    code = "photos_full"


def says(message: Message, draft: Draft) -> bool:
    """Whether a stored message is what this draft asks for."""
    photo = None if message.photo is None else message.photo.id
    return (message.id, message.text, photo) == (draft.id, draft.text, draft.photo)


def sha256(message: Message) -> str:
    """SIG-20, in hex."""
    what = json.dumps(message.text, ensure_ascii=False) if message.photo is None else message.photo.sha256
    lines = ("teleconsult message 1", message.visit, message.seq, message.seat, message.at, message.nonce, what)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
