"""Notices to patients (SMS, WeChat template, mail): an outbox, and one small door that a file or a webhook stands behind.

NOTICE-1  A notice is written in the transaction of what it tells. It is tried again (1 s doubling to 1 h) until the door has
          taken it, under one id: whoever is behind the door keeps ids, and nobody is told twice. After 24 h it is given up,
          a reminder when its slot begins, is moved or is cancelled; what has a link, once the visit is over.
NOTICE-2  The link is made when the notice is sent: no table and no backup holds it. No log holds an address or a link.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.clock import now_iso, parse_iso, random_name
from signaling.law.standing import seconds
from signaling.outbound.webhooks import again_after_s, signature
from signaling.ports import Clock, StoreAway
from signaling.sql.database import reading, writing
from signaling.sql.tables import notices

Kind = Literal["booked", "moved", "cancelled", "reminder"]
LOOK_EVERY_S = 1.0
AT_ONCE = 20
GIVEN_UP_AFTER_S = 24 * 3600.0
ANSWER_WITHIN_S = 10.0
_SEEN = r"[^@\u0000-\u0020\u007f-\u00a0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2060\u3000\ufeff]"
"""A character of a mail address, written out: `\\s` is another thing in Python than in a JSON schema (ECMA-262)."""

log = logging.getLogger(__name__)


class Addresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a patient can be told, each in the form its channel has."""

    sms: Annotated[str, msgspec.Meta(pattern=r"\A\+?[0-9]{5,20}\Z")] | None = None
    wechat: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")] | None = None
    mail: Annotated[str, msgspec.Meta(pattern=rf"\A{_SEEN}{{1,64}}@{_SEEN}{{1,190}}\Z")] | None = None
    language: Literal["zh", "en"] = "zh"


class Notice(msgspec.Struct, frozen=True):
    """What goes through the door. `template` is for WeChat and SMS providers, `text` is ready to be read."""

    id: str
    channel: str
    address: str
    language: str
    template: str
    starts: str | None
    link: str | None
    text: str


class Door(Protocol):
    """Takes a notice, or raises `DoorShut`: it will be tried again."""

    async def send(self, notice: Notice) -> None:
        """Returns once it was taken."""
        ...


class DoorShut(Exception):
    """The notice was not taken."""

    code = "notice_not_taken"


class FileDoor:
    """One JSON line a notice, on the disk when `send` returns: for development, and for a hospital that reads files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, notice: Notice) -> None:
        """See the port."""
        await asyncio.to_thread(self._append, msgspec.json.encode(notice) + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise DoorShut(str(error.errno)) from None


class WebhookDoor:
    """POST, signed after the Standard Webhooks specification; any 2xx is the receipt."""

    def __init__(self, url: str, key: bytes, clock: Clock) -> None:
        self._url = url
        self._key = key
        self._clock = clock

    async def send(self, notice: Notice) -> None:
        """See the port."""
        body, now = msgspec.json.encode({"type": "notice", "data": notice}), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": notice.id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._key, notice.id, now, body),
        }
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=ANSWER_WITHIN_S)) as http,
                http.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise DoorShut(str(answer.status))
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            raise DoorShut(type(error).__name__) from None


async def write(db: AsyncConnection, visit: str, kind: Kind, starts: str | None, contact: Addresses | None) -> None:
    """NOTICE-1: within the caller's transaction, one a channel."""
    for channel in ("sms", "wechat", "mail"):
        address = None if contact is None else getattr(contact, channel)
        if contact is not None and address is not None:
            said = {"id": f"ntc_{random_name(16)}", "visit": visit, "at": now_iso(), "kind": kind, "starts": starts}
            said |= {"channel": channel, "address": address, "language": contact.language, "state": "waiting"}
            await db.execute(insert(notices).values(said | {"tries": 0, "due": 0.0}))


class LastTold(NamedTuple):
    """Where a patient was last told of an appointment, and when."""

    contact: Addresses
    at: str


async def last_told(db: AsyncConnection, visit: str) -> LastTold | None:
    """Of each channel the newest address; None if the patient left none."""
    mine = and_(notices.c.visit == visit, notices.c.kind.in_(("booked", "moved")))
    rows = list(await db.execute(select(notices).where(mine).order_by(notices.c.at)))
    if not rows:
        return None
    addresses = {row.channel: row.address for row in rows}
    return LastTold(Addresses(**addresses, language=rows[-1].language), rows[-1].at)


async def take_back(db: AsyncConnection, visit: str) -> None:
    """Within the caller's transaction: a reminder that was not sent yet is of a slot that no longer is."""
    waiting = and_(notices.c.visit == visit, notices.c.kind == "reminder", notices.c.state == "waiting")
    await db.execute(update(notices).where(waiting).values(state="given_up"))


def local(starts: str, zone: tzinfo, language: str) -> str:
    """A slot as people say it, in the clinic's own time: `5月4日（周一）17:00`, `Mon 4 May, 17:00`."""
    at = parse_iso(starts).astimezone(zone)
    day, clock = at.weekday(), f"{at:%H:%M}"
    if language == "zh":
        return f"{at.month}月{at.day}日（周{'一二三四五六日'[day]}）{clock}"
    return f"{_DAYS[day]} {at.day} {_MONTHS[at.month - 1]}, {clock}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

WORDS: dict[tuple[str, str], str] = {
    ("booked", "zh"): "您已预约 {starts} 的视频看诊。到时请打开：{link}",
    ("moved", "zh"): "您的视频看诊改到 {starts}。到时请打开：{link}",
    ("cancelled", "zh"): "您 {starts} 的视频看诊已取消。如有急病请打 120。",
    ("reminder", "zh"): "提醒您：{starts} 有视频看诊。到时请打开：{link}",
    ("booked", "en"): "Your video visit is booked for {starts}. Open this link then: {link}",
    ("moved", "en"): "Your video visit was moved to {starts}. Open this link then: {link}",
    ("reminder", "en"): "A reminder: your video visit is at {starts}. Open this link then: {link}",
    ("cancelled", "en"): "Your video visit of {starts} is cancelled. In an emergency call 120.",
}


class NoticeSender:
    """See the module. `link_of` makes the patient's link of a visit, or None if it is over."""

    def __init__(
        self,
        engine: AsyncEngine,
        door: Door,
        link_of: Callable[[str], Awaitable[str | None]],
        clock: Clock,
        chance: Callable[[], float],
        pace: float = 1.0,
        zone: tzinfo = UTC,
    ) -> None:
        self._engine = engine
        self._door = door
        self._link_of = link_of
        self._clock = clock
        self._chance = chance
        self._pace = pace
        self._zone = zone

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                await self.look()
            except StoreAway as error:
                log.warning("notices wait", extra={"code": error.code})
            await asyncio.sleep(LOOK_EVERY_S * self._pace)

    async def look(self) -> int:
        """Try all that are due, in order; how many were taken."""
        due = and_(notices.c.state == "waiting", notices.c.due <= self._clock())
        async with reading(self._engine) as db:
            rows = list(await db.execute(select(notices).where(due).order_by(notices.c.at).limit(AT_ONCE)))
        return sum([await self._try(row) for row in rows])

    async def _try(self, row: Any) -> bool:
        link = None if row.kind == "cancelled" else await self._link_of(row.visit)
        over = row.kind != "cancelled" and link is None
        if over or (row.kind == "reminder" and self._clock() >= seconds(row.starts)):
            await self._set(row.id, state="given_up")  # the visit is over, or the slot has come
            return False
        starts = "" if row.starts is None else local(row.starts, self._zone, row.language)
        text = WORDS[row.kind, row.language].format(starts=starts, link=link or "")
        try:
            await self._door.send(
                Notice(row.id, row.channel, row.address, row.language, f"visit.{row.kind}", row.starts, link, text)
            )
        except DoorShut as shut:
            late = self._clock() - seconds(row.at) >= GIVEN_UP_AFTER_S
            again_at = self._clock() + again_after_s(row.tries, self._chance()) * self._pace
            await self._set(row.id, tries=row.tries + 1, due=again_at, state="given_up" if late else "waiting")
            log.log(
                logging.ERROR if late else logging.INFO, "notice not taken", extra={"notice": row.id, "code": shut.code}
            )
            return False
        await self._set(row.id, state="done")
        return True

    async def _set(self, notice: str, **values: Any) -> None:
        async with writing(self._engine) as db:
            await db.execute(update(notices).where(notices.c.id == notice).values(**values))
