"""The audit door: recordings over HTTP, read only, on the Unix socket `audit.sock`. Signaling's API stands in front of it.

| | |
|---|---|
| `GET /healthz` | `{"ok": true}` |
| `GET /visits?after=V&limit=N` | `{"visits": [facts], "next": V or null}`, by visit id, at most 200 |
| `GET /visits/{visit}` | `Facts`, as below |
| `GET /visits/{visit}/files` | `{"visit", "closed", "files": [{"name", "size"}]}` |
| `GET /visits/{visit}/files/{name}` | an object, or a range of it; media that is not sealed only with `?look=` |

Objects are as stored: sealed, where they are. What opens, hands out, keeps or destroys content is in
`recorder.audit.look_door`.

AUDITDOOR-1  Whoever can open the socket may ask for everything: who that is, is the API's to decide and to write down.
AUDITDOOR-3  No media can be seen before the look is on the log: what is not sealed is given out for a look alone (403
             `look_needed`).
AUDITDOOR-2  What is said of a recording is what its records say, unverified: judging is for the verifier in the auditor's
             own hands.

Errors are `{"code", "message"}`: 404 `visit_unknown`, `object_missing`; 416 `range_wrong`; 503 and the store's own code.
Of content: 403 `look_needed`; 404 `look_unknown`; 409 `on_hold`, `retention_runs`, `still_recorded`, `same_person`,
`seal_broken`; 410 `content_shredded`, `key_destroyed`, `key_missing`; 503 `log_unavailable`, `kms_unreachable`; 400
`body_wrong`, `recipient_invalid`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from aiohttp import web

from recorder.audit.door import HOLDINGS, held_of, json_answer, part_of, problem, problems, send
from recorder.audit.look_door import add_look_routes, may_see
from recorder.audit.looks import Looks
from recorder.bundle.archive import receipt_of, signer
from recorder.evidence import records as r
from recorder.evidence.coverage import count, overlapping
from recorder.evidence.ledger import StreamLedger
from recorder.evidence.receipt import parse_receipt
from recorder.store.holdings import Held, Holdings, SpoolReader
from recorder.store.objects import ObjectMissing, ObjectStore

MAX_LISTED = 200
MAX_GAPS = 1000


class GapFacts(msgspec.Struct, frozen=True):
    """A declared gap."""

    from_ms: int
    to_ms: int
    cause: str


class StreamFacts(msgspec.Struct, frozen=True):
    """One stream. `coverage`: milliseconds by what became of them, as far as recorded; at most 1 000 gaps are listed."""

    stream: str
    parts: int
    segments: int
    bytes: int
    sealed_to_ms: int
    coverage: r.Coverage
    gaps: list[GapFacts]


class Facts(msgspec.Struct, frozen=True):
    """A recording as its records tell it. Times are ISO 8601 UTC; `closed`, `reason`, `end_ms` are null while it grows."""

    visit: str
    opened: str | None
    closed: str | None
    reason: str | None
    end_ms: int | None
    origin: str | None
    key: str | None
    records: int
    objects: int
    bytes: int
    recovered: int
    streams: list[StreamFacts]


def make_audit_app(
    store: ObjectStore, spool_reader: SpoolReader | None = None, looks: Callable[[Holdings], Looks] | None = None
) -> web.Application:
    """The application. `spool_reader` shows what is not stored yet: live recordings (`recorder.store.holdings.SpoolFolder`).

    `looks` makes what opens sealed recordings over these holdings; without it their content is shown to nobody.
    """
    app = web.Application(middlewares=[problems])
    app[HOLDINGS] = holdings = Holdings(store, spool_reader)
    add_look_routes(app, looks(holdings) if looks is not None else None)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/visits", _visits)
    app.router.add_get("/visits/{visit}", _visit)
    app.router.add_get("/visits/{visit}/files", _files)
    app.router.add_get("/visits/{visit}/files/{name:.+}", _file)
    app.router.add_get("/visits/{visit}/receipt", _receipt)
    return app


@asynccontextmanager
async def audit_door(app: web.Application, socket: Path) -> AsyncIterator[None]:
    """Serve the application on a socket that only this user can open, while the context lasts."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        _clear(socket)  # left by a recorder that was killed
        await web.UnixSite(runner, socket).start()
        os.chmod(socket, 0o600)
        yield
    finally:
        await runner.cleanup()
        _clear(socket)


def _clear(socket: Path) -> None:
    with suppress(FileNotFoundError):
        socket.unlink()


# ---- handlers


async def _healthz(_request: web.Request) -> web.Response:
    return json_answer({"ok": True})


async def _visits(request: web.Request) -> web.Response:
    holdings = request.app[HOLDINGS]
    after, limit = request.query.get("after", ""), request.query.get("limit", "50")
    if not limit.isascii() or not limit.isdecimal():
        raise problem(web.HTTPBadRequest, "limit_wrong", "limit is a number")
    names = [name for name in await holdings.visits() if name > after]
    page = names[: max(1, min(int(limit[:6]), MAX_LISTED))]
    held = [await holdings.recording(name) for name in page]
    more = page[-1] if len(page) < len(names) else None
    return json_answer({"visits": [_facts(one) for one in held if one is not None], "next": more})


async def _visit(request: web.Request) -> web.Response:
    return json_answer(_facts(await held_of(request)))


async def _files(request: web.Request) -> web.Response:
    held = await held_of(request)
    files = [{"name": name, "size": size} for name, size in held.sizes.items()]
    return json_answer({"visit": held.visit, "closed": held.closed, "files": files})


async def _file(request: web.Request) -> web.StreamResponse:
    held = await held_of(request)
    name = request.match_info["name"]
    size = held.sizes.get(name)
    if size is None:
        raise ObjectMissing("no such object")
    may_see(request, held, name)
    response, start, end = part_of(request, name, size)
    known = held.ledger.expected.get(name)
    if known is not None:
        response.etag = known.sha256
    pieces = request.app[HOLDINGS].stream(held.visit, name, start, end)
    return await send(request, response, pieces)


async def _receipt(request: web.Request) -> web.Response:
    receipt = await receipt_of(request.app[HOLDINGS], await held_of(request))
    if receipt is None:
        raise problem(web.HTTPNotFound, "receipt_pending", "the log does not have the end of this visit yet")
    return json_answer({"receipt": receipt.decode(), "short": parse_receipt(receipt).short})


# ---- what is said of a recording


def _facts(held: Held) -> Facts:
    ledger = held.ledger
    origin, key = signer(held)
    return Facts(
        visit=held.visit,
        opened=ledger.opened_at,
        closed=ledger.closed_at,
        reason=ledger.closed.reason if ledger.closed else None,
        end_ms=ledger.closed.end_ms if ledger.closed else None,
        origin=origin,
        key=key,
        records=held.records,
        objects=len(held.sizes),
        bytes=sum(held.sizes.values()),
        recovered=ledger.recovered,
        streams=[_stream_facts(name, stream) for name, stream in sorted(ledger.streams.items())],
    )


def _stream_facts(name: str, stream: StreamLedger) -> StreamFacts:
    sound = not (overlapping(stream.present) or overlapping(stream.lost))
    gaps = sorted(stream.lost)[:MAX_GAPS]
    return StreamFacts(
        stream=name,
        parts=stream.parts,
        segments=stream.segments,
        bytes=stream.bytes,
        sealed_to_ms=max((span.to_ms for span in stream.present), default=0),
        coverage=count(stream.present, stream.lost)
        if sound
        else r.Coverage(network=0, off=0, present=0, recorder=0, withdrawn=0, worker=0),
        gaps=[GapFacts(gap.from_ms, gap.to_ms, gap.cause) for gap in gaps],
    )
