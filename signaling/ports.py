"""Signaling's doors out: what an actor needs of SQL, the media workers and the recorder, and nothing more.

`store`, `workers` implement them; tests use fakes that pass the same contract suite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from signaling.law.asked import RxConfirmed
from signaling.law.captions import Caption
from signaling.law.facts import Doctor, GuestKind, Phase, Pulse, Role, Seat, VisitFacts
from signaling.law.messages import Draft, Message, Photo


class Page(msgspec.Struct, frozen=True):
    """One page of visits, newest first; `next` is the cursor of the next one."""

    visits: list[VisitFacts]
    next: str | None


class IdempotencyConflict(Exception):
    """The same idempotency key came with another body."""

    code = "idempotency_conflict"


class StoreAway(Exception):
    """The database does not answer, or cannot now. What was asked may or may not have happened."""

    code = "store_unavailable"


class Claims(msgspec.Struct, frozen=True):
    """What a verified token says. `visit` is None for an auditor who may see every visit."""

    role: Role
    visit: str | None
    subject: str
    expires: int
    links_epoch: int = 0
    seat: str | None = None
    """A guest's."""


class Access(msgspec.Struct, frozen=True):
    """One line of the access log. `outcome`: `allowed`, or the code of the refusal; `granted_by`: by which grant."""

    at: str
    who: str
    role: str
    visit: str | None
    what: str
    outcome: str = "allowed"
    granted_by: str | None = None
    purpose: str | None = None


class VisitStore(Protocol):
    """Durable visits. Every write is committed when the call returns. Every call may raise `StoreAway`."""

    async def create(self, facts: VisitFacts, idempotency_key: str | None, body_sha256: str) -> VisitFacts:
        """Store a new visit, or return what the same key and body made before. Raises `IdempotencyConflict`."""
        ...

    async def load(self, visit: str) -> VisitFacts | None:
        """One visit."""
        ...

    async def save(self, facts: VisitFacts) -> None:
        """Replace a visit's facts. An older `seq` never overwrites a newer one."""
        ...

    async def revoke_links(self, visit: str) -> int | None:
        """Make every token issued so far for this visit worthless; the new links epoch, None if the visit is unknown.

        `save` never takes it back: a visit keeps the greatest links epoch it ever had.
        """
        ...

    async def page(self, limit: int, cursor: str | None, phase: Phase | None = None) -> Page:
        """Newest first."""
        ...

    async def open_visits(self) -> list[VisitFacts]:
        """All that are waiting, live, or have `log_open` or `rx_due`: what a start-up takes up again."""
        ...

    async def queue_of(self, doctor: str) -> list[VisitFacts]:
        """A doctor's waiting and live visits, longest wait first, at most 200."""
        ...

    async def past_of(self, doctor: str, limit: int) -> list[VisitFacts]:
        """A doctor's last visits that went live and ended, newest first."""
        ...

    async def doctors(self) -> list[Doctor]:
        """Those of the last 500 visits, each as last written, by department and name."""
        ...

    async def log_access(self, access: Access, reason: str | None = None) -> None:
        """Append to the access log, with the reason that was given for it."""
        ...


class MessageStore(Protocol):
    """Durable messages. Every write is committed when the call returns. Every call may raise `StoreAway`."""

    async def append(self, visit: str, seat: str, draft: Draft, at: str, nonce: str) -> Message:
        """Store a message under the visit's next number, or return what the same seat and id made before.

        Raises `MessageConflict`, `MessagesFull`, `PhotoUnknown`.
        """
        ...

    async def after(self, visit: str, seq: int) -> list[Message]:
        """The next messages, at most `messages.PAGE`, in order."""
        ...

    async def last(self, visit: str) -> int:
        """The newest message's number, 0 if there is none."""
        ...

    async def unnoted(self, visit: str) -> list[Message]:
        """Those that are not known to be on the evidence log, in order."""
        ...

    async def noted(self, visit: str, seq: int) -> None:
        """This one is."""
        ...

    async def keep_photo(self, visit: str, seat: str, photo: Photo, at: str) -> Photo:
        """Register a photo, or return the one of the same bytes in this visit. Raises `PhotosFull`."""
        ...

    async def photo(self, photo: str) -> tuple[str, Photo] | None:
        """(visit, photo)."""
        ...


class PhotoFiles(Protocol):
    """Where photos lie. Every call may raise `StoreAway`."""

    async def put(self, visit: str, photo: str, data: bytes) -> None:
        """Keep a photo; durable when the call returns."""
        ...

    async def get(self, visit: str, photo: str) -> bytes | None:
        """Its bytes."""
        ...

    async def drop(self, visit: str, photo: str) -> None:
        """Forget a photo that got no name; fine if it is gone."""
        ...


class Tokens(Protocol):
    """Signed links."""

    def issue(
        self,
        role: Role,
        visit: str | None,
        subject: str,
        lifetime_s: int,
        links_epoch: int = 0,
        seat: str | None = None,
    ) -> str:
        """A token for one role in one visit; a guest's names its seat."""
        ...

    def verify(self, token: str) -> Claims:
        """The claims. Raises `TokenError` with code `token_invalid` or `token_expired` (signaling.tokens)."""
        ...


class IceServers(Protocol):
    """Where clients find STUN and TURN."""

    def issue(self, visit: str, seat: str, lasts_s: int = ..., /) -> tuple[list[dict[str, Any]], int]:
        """RTCIceServer dictionaries with short-lived credentials, and how many seconds those are good for."""
        ...


Clock = Callable[[], float]
"""Seconds since 1970-01-01 UTC."""

Pseudonyms = Callable[[Role, str], str]
"""(role, the hospital's id of a person) → the keyed pseudonym that stands for them in evidence."""


class Visits(Protocol):
    """The running visits: what the HTTP API may ask of them (`signaling.live.actor` implements it)."""

    async def end(self, visit: str, reason: Literal["completed", "cancelled"]) -> VisitFacts:
        """End a visit for the hospital. Raises `KeyError` if unknown; ending an ended visit returns it unchanged."""
        ...

    async def invite(self, visit: str, kind: GuestKind) -> tuple[Seat, VisitFacts]:
        """Give a guest the next free seat. Raises `KeyError` if the visit is unknown, `EventRefused` if it takes none."""
        ...

    def created(self, facts: VisitFacts) -> None:
        """A visit was created (and is stored)."""
        ...

    async def confirm(self, visit: str, given: RxConfirmed) -> VisitFacts:
        """What the hospital's server says of a prescription; durable when it returns. Raises `KeyError`, `EventRefused`."""
        ...

    async def caption(self, visit: str, said: Caption) -> int:
        """Show what is being said to who is in the live visit; to how many it was sent. Raises `KeyError`, `EventRefused`."""
        ...

    async def transfer(self, visit: str, doctor: str, by: Literal["doctor", "hospital"]) -> VisitFacts:
        """Give a patient to another doctor (SIG-33): the new visit. Raises `KeyError`, `EventRefused`."""
        ...

    async def reschedule(self, visit: str, starts: str, expires: str) -> VisitFacts:
        """Its appointment was moved. Raises `KeyError`, `EventRefused`."""
        ...

    def here(self) -> frozenset[str]:
        """The doctors who look at their desks now."""
        ...

    def pulse(self, visit: str) -> Pulse | None:
        """How the seats of a running visit fare; None if it is not running here."""
        ...

    async def links_revoked(self, visit: str, links_epoch: int) -> None:
        """Tokens under a smaller epoch are worthless (stored already): close their sockets with `bye` `token_revoked`."""
        ...
