"""The sign-in page of the built-in issuer, and what is shown where nobody was signed in: no script, both languages."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping

from aiohttp import web

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

_STYLE = """
:root { color-scheme: light }
body { margin: 0; background: #f4f6f3; color: #14211d; font: 16px/1.5 "PingFang SC", "Noto Sans CJK SC", sans-serif }
main { max-width: 360px; margin: 12vh auto; background: #fff; border: 1px solid #d3dbd6; border-radius: 14px; padding: 28px }
h1 { font-size: 22px; margin: 0 0 16px }
label { display: block; margin: 12px 0 4px; color: #44544e }
input, button, .go { box-sizing: border-box; width: 100%; min-height: 48px; border-radius: 10px; font: inherit }
input { border: 1px solid #6b7a74; padding: 0 12px }
button, .go { display: block; margin-top: 20px; border: 0; background: #0b6156; color: #fff; font-weight: 600 }
.go { text-align: center; line-height: 48px; text-decoration: none }
:focus-visible { outline: 3px solid #1546c0; outline-offset: 2px }
p[role=alert] { background: #fce9e6; color: #b0261d; border-radius: 10px; padding: 8px 12px; margin: 0 }
"""
_STYLE_SHA256 = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    # `form-action` also judges where a form's answer leads: back to our own callback.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_SHA256}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
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
    """Nobody is signed in, and what to do about it."""
    said = f'<p role="alert">没能登录 · You are not signed in ({html.escape(code)})</p>'
    return _page(f'{said}<a class="go" href="login">再试一次 · Try again</a>', status)


def _page(body: str, status: int) -> web.Response:
    text = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>登录 · Sign in</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>登录 · Sign in</h1>{body}</main></body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)
