"""The web client's pages and assets, as built into `web_client/dist`.

PAGE-1  The files are read once into a table from address to content: an address that is not in the table is nobody's,
        so no path a caller writes ever reaches the file system.
PAGE-2  Pages are always asked for again; assets carry their hash in their name and may be kept for ever.
PAGE-3  Pages may run our own script and style only, be framed by nobody, and use camera, microphone and screen. Only the
        doctor's may hold a frame, of the hospital's own page (`slot_origin`) and of nothing else.
PAGE-4  What compresses is sent compressed: as `.br` or `.gz` beside the file if the build made them, else gzipped here.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from signaling.plain_page import FRONT, HEADERS, plain_page

ROLES = {"p": "patient", "d": "doctor", "g": "guest", "a": "auditor", "c": "check", "o": "coordinator"}
DIST = Path(__file__).parent.parent / "web_client" / "dist"
MAX_FILE = 8 << 20

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_COMPRESSIBLE = ("text/", "application/json", "image/svg+xml", "application/manifest+json")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; worker-src 'self'; manifest-src 'self'; connect-src {connect}; frame-src {frame}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_PERMISSIONS = (
    "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=(), serial=(), hid=()"
)

_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Teleconsult</title>
<h1>The web client is not built</h1>
<p>The server runs, but its pages are missing. Run <code>make build</code> (or <code>npm ci &amp;&amp; npm run build</code>
in <code>web_client</code>; Node 20.19 or newer), then reload this page.</p>
<p lang="zh">网页端尚未构建。请运行 <code>make build</code> 后刷新本页。</p></html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the client, in every encoding it is offered in."""

    kind: str
    etag: str
    plain: bytes
    encoded: dict[str, bytes]
    cache: str

    def best(self, accepted: str) -> tuple[str | None, bytes]:
        """The smallest encoding the client takes."""
        taken = {one.split(";")[0].strip() for one in accepted.split(",") if "q=0" not in one.replace("q=0.", "")}
        for encoding in ("br", "gzip"):
            if encoding in taken and encoding in self.encoded:
                return encoding, self.encoded[encoding]
        return None, self.plain


class Pages:
    """Serves `/p/`, `/d/`, `/g/`, `/a/`, `/c/` (also `/check`), the guides, and what they load."""

    def __init__(self, base_url: str, dist: Path = DIST, slot_origin: str | None = None) -> None:
        """`slot_origin` is the only one that a frame of the doctor's page may show."""
        self._dist = dist
        self._files = dict(_read_all(dist))
        self._page_headers = _page_headers(base_url, "'none'")
        self._doctor_headers = _page_headers(base_url, slot_origin or "'none'")

    def attach(self, app: web.Application) -> None:
        """Add the routes; `/p` goes to `/p/` (browsers keep the fragment)."""
        app.router.add_get("/", self._front, name="frontPage")
        for letter, role in ROLES.items():
            app.router.add_get(f"/{letter}", _add_slash, name=f"{role}Redirect")
            app.router.add_get(f"/{letter}/", self._page, name=f"{role}Page")
        app.router.add_get("/guides/{name:(?:patient|doctor)-(?:zh|en)}", self._guide, name="guide")
        app.router.add_get("/check", _to_check, name="checkByName")
        app.router.add_get("/{path:(?:[pdgaco]/|assets/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}}", self._file, name="asset")

    async def _front(self, _request: web.Request) -> web.Response:
        return web.Response(text=plain_page("云诊室 · Teleconsult", FRONT), content_type="text/html", headers=HEADERS)

    async def _page(self, request: web.Request) -> web.Response:
        name = f"{request.path.strip('/')}/index.html"
        if name not in self._files:
            self._files = dict(_read_all(self._dist))  # it may have been built meanwhile
        file = self._files.get(name)
        if file is None:
            return web.Response(text=_NOT_BUILT, status=503, content_type="text/html", headers=self._page_headers)
        return _send(request, file, self._doctor_headers if name.startswith("d/") else self._page_headers)

    async def _guide(self, request: web.Request) -> web.Response:
        file = self._files.get(f"guides/{request.match_info['name']}.html")
        if file is None:
            raise web.HTTPNotFound
        return _send(request, file, self._page_headers)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["path"])  # PAGE-1
        if file is None or file.kind == "text/html":
            raise web.HTTPNotFound
        return _send(request, file, {})


async def _to_check(request: web.Request) -> web.Response:
    asked = f"?{request.query_string}" if request.query_string else ""
    return web.Response(status=308, headers={"Location": f"c/{asked}"})


async def _add_slash(request: web.Request) -> web.Response:
    # Relative, so that it holds below any path a proxy puts us under.
    return web.Response(status=308, headers={"Location": f"{request.path.rsplit('/', 1)[-1]}/"})


def _send(request: web.Request, file: File, headers: dict[str, str]) -> web.Response:
    said = headers | {
        "Cache-Control": file.cache,
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if file.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=said)
    encoding, body = file.best(request.headers.get("Accept-Encoding", ""))
    if encoding is not None:
        said["Content-Encoding"] = encoding
    charset = "utf-8" if file.kind.startswith("text/") else None
    return web.Response(body=body, content_type=file.kind, charset=charset, headers=said)


def _page_headers(base_url: str, frame: str) -> dict[str, str]:
    base = urlsplit(base_url)
    # Older Safari does not count WebSockets as 'self'.
    socket = f"{'wss' if base.scheme == 'https' else 'ws'}://{base.netloc}"
    return {
        "Content-Security-Policy": _POLICY.format(connect=f"'self' {socket}", frame=frame),  # PAGE-3
        "Permissions-Policy": _PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Origin-Agent-Cluster": "?1",  # a busy page of the same site in the slot would hold ours up
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _read_all(dist: Path) -> Iterator[tuple[str, File]]:
    if not dist.is_dir():
        return
    for path in sorted(dist.rglob("*")):
        encodings = path.suffix in (".gz", ".br", ".map")
        if path.is_file() and not path.is_symlink() and not encodings and path.stat().st_size <= MAX_FILE:
            yield path.relative_to(dist).as_posix(), _read(path, in_assets="assets" in path.relative_to(dist).parts)


def _read(path: Path, in_assets: bool) -> File:
    plain = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    encoded = {}
    for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
        beside = path.with_name(path.name + suffix)
        if beside.is_file():
            encoded[encoding] = beside.read_bytes()
    if "gzip" not in encoded and kind.startswith(_COMPRESSIBLE) and len(plain) > 512:
        encoded["gzip"] = gzip.compress(plain, 6, mtime=0)
    etag = f'"{hashlib.sha256(plain).hexdigest()[:20]}"'
    return File(kind, etag, plain, encoded, _FOR_EVER if in_assets else _ASK_AGAIN)
