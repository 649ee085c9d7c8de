"""Where staff sign in: our side of OpenID Connect (`/auth/…`), and the built-in issuer's (`/oidc/…`).

SIGNIN-1  An attempt is a cookie of the browser that began it: nobody is signed in by another's link.
SIGNIN-2  A session's token travels behind `#`, as every token of a link does: no server, proxy or log sees it.
SIGNIN-3  Passwords are tried two at once, and failures are counted per source and per login (KNOWN-1); past the limit nobody
          is let in there for a while, right or wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from config.clock import iso
from config.pieces import TooMuch, whole
from config.pinned import pinned
from config.secrets import secret_key, secret_text
from config.settings import Settings
from signaling.api.auth import Failures
from signaling.api.bodies import FORM_WITHIN_S, whole_body
from signaling.api.problems import MediaTypeWrong, RequestInvalid
from signaling.api.sign_in_page import form_page, refused_page
from signaling.api.sources import source_of
from signaling.ports import Clock, Pseudonyms
from signaling.staff.access import Asker
from signaling.staff.access_store import SqlAccess
from signaling.staff.issuer import BuiltInIssuer, IssuerRefused, issuer_keys
from signaling.staff.known import GOOD_FOR_S, counted_as, mark
from signaling.staff.oidc import (
    ATTEMPT_S,
    BUILT_IN,
    Client,
    IssuerAway,
    OidcError,
    SignIn,
    SignInRefused,
    staff_name,
)
from signaling.staff.staff_accounts import StaffAccounts

SESSION = timedelta(hours=8)
COOKIE = "teleconsult_attempt"
KNOWN = "teleconsult_known"
MOST_BYTES = 256 << 10
FORM_BYTES = 16 << 10
FORM_FIELDS = 32
ANSWER_S = 10.0

log = logging.getLogger(__name__)


def attach_signing_in(
    app: web.Application, settings: Settings, access: SqlAccess, pseudonyms: Pseudonyms, clock: Clock
) -> IssuerDoor:
    """Staff sign in at the configured issuer, or at our own."""
    issuer = settings.oidc_issuer or f"{settings.base_url}/oidc"
    callback = f"{settings.base_url}/auth/callback"
    secret_at = settings.oidc_client_secret_file
    if settings.oidc_issuer is None:
        keys = issuer_keys(settings.keys / "issuer.pem")
        built_in = BuiltInIssuer(issuer, settings.oidc_client_id, callback, keys, clock)
        accounts, known = StaffAccounts(settings.data / "staff.json"), secret_key(settings.keys / "known.key")
        IssuerPages(built_in, accounts, known, clock).attach(app)
        here = settings.url_at("127.0.0.1" if settings.everywhere else settings.host)
        certificate = None if settings.tls == "off" else settings.tls_cert
        door = IssuerDoor(issuer, f"{here}/oidc", certificate)
    else:
        door = IssuerDoor(issuer)
    client = Client(
        issuer,
        settings.oidc_client_id,
        callback,
        None if secret_at is None else secret_text(secret_at),
        settings.oidc_roles_claim,
        settings.oidc_doctor_claim,
    )
    sign_in = SignIn(client, door.get, door.post, clock)
    SigningIn(sign_in, settings.oidc_issuer or BUILT_IN, access, pseudonyms, settings.base_url, clock).attach(app)
    return door


class IssuerDoor:
    """How the relying party reaches its issuer: the built-in one past any proxy, at our own address."""

    def __init__(self, issuer: str, here: str | None = None, certificate: Path | None = None) -> None:
        """`certificate` is the one that `here` shows; it is read anew each time, as it may be renewed."""
        self._issuer, self._here = issuer, here
        self._certificate = certificate
        self._session: ClientSession | None = None

    async def get(self, url: str) -> bytes:
        """See `signaling.staff.oidc.Get`."""
        return await self._ask("GET", url, None)

    async def post(self, url: str, form: Mapping[str, str]) -> bytes:
        """See `signaling.staff.oidc.Post`."""
        return await self._ask("POST", url, form)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None) -> bytes:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=ANSWER_S))
        if self._here is not None and url.startswith(self._issuer):
            url = self._here + url[len(self._issuer) :]
        try:
            trusted = True if self._certificate is None else pinned(self._certificate)
            async with self._session.request(method, url, data=form, allow_redirects=False, ssl=trusted) as answer:
                if method == "POST" and answer.status in (400, 401):
                    raise SignInRefused("code_refused", "the issuer does not know this code")
                if answer.status != 200:
                    raise IssuerAway(f"the issuer answered {answer.status}")
                return await whole(answer.content.read, MOST_BYTES)
        except TooMuch as error:
            raise IssuerAway("the issuer says too much") from error
        except (ClientError, OSError, TimeoutError) as error:
            raise IssuerAway("the issuer does not answer") from error


class SigningIn:
    """`/auth/login`, `/auth/callback`."""

    def __init__(
        self, sign_in: SignIn, issuer: str, sessions: SqlAccess, pseudonyms: Pseudonyms, base_url: str, clock: Clock
    ) -> None:
        self._sign_in = sign_in
        self._issuer = issuer
        self._sessions = sessions
        self._pseudonyms = pseudonyms
        self._base_url = base_url
        self._clock = clock

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/auth/login", self.login, name="login")
        app.router.add_get("/auth/callback", self.callback, name="loginCallback")

    async def login(self, _request: web.Request) -> web.Response:
        """To the issuer."""
        try:
            where, attempt = await self._sign_in.begin()
        except IssuerAway as error:
            return refused_page(error.code, 503)
        answer = web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})
        secure = self._base_url.startswith("https:")
        answer.set_cookie(COOKIE, attempt, max_age=ATTEMPT_S, path="/", httponly=True, secure=secure, samesite="Lax")
        return answer

    async def callback(self, request: web.Request) -> web.Response:
        """Back from the issuer, with a code; on to the desk, with a session."""
        state, code = request.query.get("state", ""), request.query.get("code", "")
        try:
            brought = request.cookies.get(COOKIE, "")  # SIGNIN-1
            staff = await self._sign_in.complete(brought, state, code, request.query.get("iss"))
        except IssuerAway as error:
            return refused_page(error.code, 503)
        except OidcError as error:
            log.info("sign in refused", extra={"code": error.code})
            return refused_page(error.code, 403)
        who = staff_name(staff.role, self._pseudonyms, self._issuer, staff.subject)
        asker = Asker(who, staff.role, staff.doctor)
        now = datetime.fromtimestamp(self._clock(), UTC)
        token = await self._sessions.begin(asker, iso(now), iso(now + SESSION))
        headers = {"Location": f"{self._base_url}/a/#{token}", "Cache-Control": "no-store"}  # SIGNIN-2
        answer = web.Response(status=303, headers=headers)
        answer.del_cookie(COOKIE, path="/")
        return answer


class IssuerPages:
    """The built-in issuer over HTTP: `/oidc/…`."""

    def __init__(self, issuer: BuiltInIssuer, accounts: StaffAccounts, known: bytes, clock: Clock) -> None:
        """`known` is the secret of the marks of browsers (`signaling.staff.known`)."""
        self._issuer = issuer
        self._accounts = accounts
        self._known = known
        self._sources, self._logins = Failures(clock), Failures(clock, per_s=1 / 30, burst=10)
        self._at_once = asyncio.Semaphore(2)

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/oidc/.well-known/openid-configuration", self.document, name="oidcDocument")
        app.router.add_get("/oidc/jwks", self.keys, name="oidcKeys")
        app.router.add_get("/oidc/authorize", self.ask, name="oidcAuthorize")
        app.router.add_post("/oidc/authorize", self.check, name="oidcPassword")
        app.router.add_post("/oidc/token", self.token, name="oidcToken")

    async def document(self, _request: web.Request) -> web.Response:
        """Discovery."""
        return web.json_response(self._issuer.document())

    async def keys(self, _request: web.Request) -> web.Response:
        """ISSUER-3."""
        return web.json_response(self._issuer.keys())

    async def ask(self, request: web.Request) -> web.Response:
        """The form."""
        said = dict(request.query)
        try:
            self._issuer.wanted(said)
        except IssuerRefused as error:
            return web.json_response({"error": error.code}, status=400)
        return form_page(said, None)

    async def check(self, request: web.Request) -> web.Response:
        """A login and a password."""
        form = await _form(request)
        try:
            wanted = self._issuer.wanted(form)
        except IssuerRefused as error:
            return web.json_response({"error": error.code}, status=400)
        login, source = form.get("login", "").strip().lower()[:64], source_of(request)
        counted = counted_as(login, request.cookies.get(KNOWN, ""), self._known)
        async with self._at_once:  # who waited here is asked again: meanwhile others may have failed
            if not (self._sources.open(source) and self._logins.open(counted)):  # SIGNIN-3
                return form_page(form, "太多次没对上,请过几分钟再试 · Too many tries. Please wait a few minutes", 429)
            account = await asyncio.to_thread(self._accounts.check, login, form.get("password", "")[:256])
            if account is None:
                self._sources.count(source)
                self._logins.count(counted)
        if account is None:
            return form_page(form, "账号或密码不对 · Login or password is not right", 403)
        where = self._issuer.redirect(account, wanted)
        answer = web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})
        secure = self._issuer.issuer.startswith("https:")
        carried = mark(login, self._known)
        answer.set_cookie(KNOWN, carried, max_age=GOOD_FOR_S, path="/", httponly=True, secure=secure, samesite="Lax")
        return answer

    async def token(self, request: web.Request) -> web.Response:
        """The code's token."""
        form = await _form(request)
        try:
            token = self._issuer.token(form)
        except IssuerRefused as error:
            return web.json_response({"error": error.code}, status=400, headers={"Cache-Control": "no-store"})
        said = {"access_token": "none", "token_type": "Bearer", "expires_in": 0, "id_token": token}
        return web.json_response(said, headers={"Cache-Control": "no-store"})


async def _form(request: web.Request) -> dict[str, str]:
    raw = await whole_body(request, FORM_BYTES, FORM_WITHIN_S)
    if request.content_type != "application/x-www-form-urlencoded":
        raise MediaTypeWrong("the body must be a form")
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS))
    except ValueError as error:
        raise RequestInvalid("the body is no form") from error
