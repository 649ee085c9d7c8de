"""The audit door's routes to what recordings show: looks, holds, shredding, keys.

```
POST /visits/{visit}/looks    {who, role, purpose, streams?, from_ms?, to_ms?}
                              201 {look, seq, seconds, sealed}: it is on the log, and only now the keys are open
GET  /looks/{look}            {seconds}: how long it is still open
GET  /looks/{look}/{name}     the content of an `init` or segment that the look names, or a range of it
POST /visits/{visit}/copies   {who, role, purpose, bytes, sha256, redacted}: a derived copy was made; 201 {seq}
GET  /visits/{visit}/keeping  {held, shredded, sealed, kept_until}
POST /visits/{visit}/hold     {on, who, role, reason}; the same answer
POST /visits/{visit}/shred    {who, role, reason}; 202 {state: asked}, and for another person 200 {state: shredded}
POST /visits/{visit}/bundle   {who, role, reason, second, recipient?}: all of it as a ZIP file, for `who`, with whom
                              `second` has agreed; beside the bundle the file of its keys (LOOK-5)
POST /visits/{visit}/keys     {who, role, reason, recipient?}; 202 {state: asked}, and for another person the file of data
                              keys; with `recipient` (an age recipient) an age file
POST /keys/rotate             {who, destroy?}; {root, visits, destroyed}: a new root key, everything wrapped again
```
`who` is a pseudonym: it goes on the log. Both people of a pair within a day.

The API has decided who may; this door puts it on the log first and opens, keeps or destroys then (`recorder.audit.looks`).
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from config.clock import monotonic_s
from recorder.audit.door import HOLDINGS, held_of, json_answer, part_of, problem, send
from recorder.audit.looks import LOOK_S, Looks, LookUnknown, Person
from recorder.bundle.archive import zipped
from recorder.evidence.custody import Derived
from recorder.evidence.layout import is_stream
from recorder.store.holdings import Held

LOOKS = web.AppKey("looks", Looks)

Word = Annotated[str, Meta(min_length=1, max_length=1024)]


class BeginLook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to see what. No `streams`: all there are; no `to_ms`: to the end."""

    who: Word
    role: Word
    purpose: Word
    streams: list[str] | None = None
    from_ms: Annotated[int, Meta(ge=0)] = 0
    to_ms: Annotated[int, Meta(ge=0)] | None = None


class Copied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A derived copy, and for whom."""

    who: Word
    role: Word
    purpose: Word
    bytes: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    redacted: Annotated[int, Meta(ge=0)]


class SetHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold, or hold no more."""

    on: bool
    who: Word
    role: Word
    reason: Word


class Agree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of two people."""

    who: Word
    role: Word
    reason: Word
    recipient: str | None = None


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two people, as the API heard them: who takes it, and who agreed."""

    who: Word
    role: Word
    reason: Word
    second: Word
    recipient: str | None = None


class Rotate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`destroy`: the old root keys go when everything is wrapped under the new one."""

    who: Word
    destroy: bool = False


Body = TypeVar("Body")


def add_look_routes(app: web.Application, looks: Looks | None) -> None:
    """Add them."""
    if looks is not None:
        app[LOOKS] = looks
    app.router.add_post("/visits/{visit}/looks", _begin)
    app.router.add_get("/looks/{look}", _open)
    app.router.add_get("/looks/{look}/{name:.+}", _content)
    app.router.add_post("/visits/{visit}/copies", _copied)
    app.router.add_get("/visits/{visit}/keeping", _keeping)
    app.router.add_post("/visits/{visit}/hold", _hold)
    app.router.add_post("/visits/{visit}/shred", _shred)
    app.router.add_post("/visits/{visit}/keys", _keys)
    app.router.add_post("/visits/{visit}/bundle", _bundle)
    app.router.add_post("/keys/rotate", _rotate)


def may_see(request: web.Request, held: Held, name: str) -> None:
    """Refuse media that is not sealed, unless it is for an open look (AUDITDOOR-3). Raises `LookUnknown`."""
    known = held.ledger.expected.get(name)
    if not name.startswith("streams/") or (known is not None and known.key is not None):
        return
    look = request.query.get("look")
    if look is None:
        raise problem(web.HTTPForbidden, "look_needed", "this is not sealed: whoever has it sees it")
    if _looks(request).look(look).visit != held.visit:
        raise LookUnknown("this look is of another visit")


async def _begin(request: web.Request) -> web.Response:
    looks, held = _looks(request), await held_of(request)
    asked = await _body(request, BeginLook)
    streams = asked.streams if asked.streams is not None else sorted(held.ledger.streams)
    if not all(map(is_stream, streams)):
        raise problem(web.HTTPBadRequest, "body_wrong", "streams are names of streams")
    look = await looks.begin(held, Person(asked.who, asked.role, asked.purpose), streams, asked.from_ms, asked.to_ms)
    sealed = any(known.key is not None for known in held.ledger.expected.values())
    return json_answer({"look": look.id, "seq": look.seq, "seconds": int(LOOK_S), "sealed": sealed}, 201)


async def _open(request: web.Request) -> web.Response:
    look = _looks(request).look(request.match_info["look"])
    return json_answer({"seconds": int(look.until - monotonic_s())})


async def _content(request: web.Request) -> web.StreamResponse:
    looks, name = _looks(request), request.match_info["name"]
    look = looks.look(request.match_info["look"])
    held = await held_of(request, look.visit)
    size = looks.size(held, look, name)
    response, start, end = part_of(request, name, size)
    return await send(request, response, looks.content(held, look, name, start, end))


async def _copied(request: web.Request) -> web.Response:
    looks, held, made = _looks(request), await held_of(request), await _body(request, Copied)
    line = Derived(made.who, made.role, made.purpose, made.bytes, made.sha256, made.redacted)
    return json_answer({"seq": await looks.copied(held, line)}, 201)


async def _keeping(request: web.Request) -> web.Response:
    looks, held = _looks(request), await held_of(request)
    until = looks.kept_until(held)
    said = {
        "held": await looks.is_held(held.visit),
        "shredded": await looks.is_shredded(held.visit),
        "sealed": any(known.key is not None for known in held.ledger.expected.values()),
        "kept_until": None if until is None else until.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    return json_answer(said)


async def _hold(request: web.Request) -> web.Response:
    looks, held, asked = _looks(request), await held_of(request), await _body(request, SetHold)
    await looks.hold(held, asked.on, Person(asked.who, asked.role, asked.reason))
    return await _keeping(request)


async def _shred(request: web.Request) -> web.Response:
    looks, held, asked = _looks(request), await held_of(request), await _body(request, Agree)
    done = await looks.shred(held, Person(asked.who, asked.role, asked.reason))
    return json_answer({"state": "shredded" if done else "asked"}, 200 if done else 202)


async def _keys(request: web.Request) -> web.Response:
    looks, held, asked = _looks(request), await held_of(request), await _body(request, Agree)
    content = await looks.keys(held, Person(asked.who, asked.role, asked.reason), asked.recipient)
    if content is None:
        return json_answer({"state": "asked"}, 202)
    return web.Response(body=content, content_type="application/octet-stream")


async def _bundle(request: web.Request) -> web.StreamResponse:
    looks, held, asked = _looks(request), await held_of(request), await _body(request, HandOver)
    first = Person(asked.who, asked.role, asked.reason)
    keys = await looks.hand_over(held, first, asked.second, asked.recipient)
    ending = "json" if asked.recipient is None else "age"
    beside = {} if keys is None else {f"{held.visit}.keys.{ending}": keys}
    response = web.StreamResponse()
    response.content_type = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{held.visit}.zip"'
    return await send(request, response, zipped(request.app[HOLDINGS], held, beside))


async def _rotate(request: web.Request) -> web.Response:
    looks, asked = _looks(request), await _body(request, Rotate)
    root, visits, destroyed = await looks.rotate(asked.who, asked.destroy)
    return json_answer({"root": root, "visits": visits, "destroyed": destroyed})


def _looks(request: web.Request) -> Looks:
    looks = request.app.get(LOOKS)
    if looks is None:
        raise problem(web.HTTPServiceUnavailable, "log_unavailable", "this door opens nothing")
    return looks


async def _body(request: web.Request, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.MsgspecError:
        raise problem(web.HTTPBadRequest, "body_wrong", "this body cannot be read") from None
