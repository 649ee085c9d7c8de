"""The sign-in page of the built-in issuer, and what is shown where nobody was signed in: no script, both languages."""

from __future__ import annotations

import html
from collections.abc import Mapping

from aiohttp import web

from signaling.plain_page import HEADERS, plain_page

FIELDS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
"""Of the authorization request: carried through the form."""

_NO_ROLE = "您的账号还没有这里的权限，请找管理员 · Your account has no role here. Please ask an administrator"
_REFUSED = {
    "state_unknown": "登录隔得太久，或换了窗口，请再试一次 · It took too long, or began in another window. Try again",
    "role_missing": _NO_ROLE,
    "doctor_missing": _NO_ROLE,
    "issuer_unavailable": "登录服务现在不通，请过一会儿再试 · Sign-in does not answer now. Please try again in a while",
}


def form_page(said: Mapping[str, str], wrong: str | None, status: int = 200) -> web.Response:
    """Login and password, for this authorization request."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(said.get(name, ""), quote=True)}">' for name in FIELDS
    )
    alert = "" if wrong is None else f'<p role="alert">{html.escape(wrong)}</p>'
    return _page(
        f'{alert}<form method="post" action="authorize">{hidden}'
        '<label for="login">账号 · Login</label><input id="login" name="login" autocomplete="username" required>'
        '<label for="password">密码 · Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required>'
        "<button>登录 · Sign in</button></form>",
        status,
    )


def refused_page(code: str, status: int) -> web.Response:
    """Nobody is signed in, and what to do about it; the code is for whoever is asked for help."""
    said = html.escape(_REFUSED.get(code, "没能登录，请再试一次 · You are not signed in. Please try again"))
    return _page(
        f'<p role="alert">{said} <small>({html.escape(code)})</small></p>'
        '<a class="go" href="login">再试一次 · Try again</a>',
        status,
    )


def _page(body: str, status: int) -> web.Response:
    text = plain_page("登录 · Sign in", body)
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
