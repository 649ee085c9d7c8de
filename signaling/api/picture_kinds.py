"""Photos and portraits over the HTTP API."""

from __future__ import annotations

import msgspec

from signaling.api.kinds import Id
from signaling.law.messages import Photo


class StoredPhoto(msgspec.Struct, frozen=True):
    """A photo as kept: sides in pixels, `bytes` and `sha256` (hex) of what is stored."""

    id: Id
    media: str
    bytes: int
    width: int
    height: int
    sha256: str

    @classmethod
    def of(cls, photo: Photo) -> StoredPhoto:
        """From the stored facts."""
        return cls(**{name: getattr(photo, name) for name in cls.__struct_fields__})


class KeptPicture(msgspec.Struct, frozen=True):
    """A portrait, as a visit's `doctor.picture` names it."""

    picture: Id
    width: int
    height: int
