"""Pages that need no script, in both languages: sign-in, the front, and an address that leads nowhere.

They wear the clients' own colours, by day and by night, and allow one style sheet, their own, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import html

_STYLE = """
:root { color-scheme: light dark; --paper: #f4f6f3; --surface: #fff; --line: #d3dbd6; --edge: #6b7a74; --ink: #14211d;
  --ink-2: #44544e; --accent: #0b6156; --on-accent: #fff; --bad: #b0261d; --bad-soft: #fce9e6; --focus: #1546c0 }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1715; --surface: #18231f; --line: #2d3b36; --edge: #7f9189;
  --ink: #e9f0ed; --ink-2: #b5c4bd; --accent: #6fd3bf; --on-accent: #05231d; --bad: #ff9d92; --bad-soft: #3a1916;
  --focus: #9db8ff } }
body { margin: 0; padding: 0 16px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 "PingFang SC", "HarmonyOS Sans SC", "MiSans", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif }
main { box-sizing: border-box; max-width: 420px; margin: 10vh auto 24px; padding: 28px; background: var(--surface);
  border: 1px solid var(--line); border-radius: 14px; overflow-wrap: anywhere }
h1 { font-size: 22px; line-height: 1.3; margin: 0 0 16px }
p { margin: 0 0 12px }
p:lang(en) { color: var(--ink-2) }
label { display: block; margin: 12px 0 4px; color: var(--ink-2) }
input, button, .go { box-sizing: border-box; width: 100%; min-height: 48px; border-radius: 10px; font: inherit }
input { border: 1px solid var(--edge); padding: 0 12px; background: var(--surface); color: var(--ink) }
button, .go { display: block; margin-top: 20px; padding: 12px; border: 0; background: var(--accent); color: var(--on-accent);
  font-weight: 600; line-height: 24px; text-align: center; text-decoration: none; cursor: pointer }
.go { margin-top: 12px } .soft { background: var(--surface); color: var(--ink); border: 1px solid var(--edge); padding: 11px }
.call { background: var(--bad-soft); color: var(--bad) }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
p[role=alert] { background: var(--bad-soft); color: var(--bad); border-radius: 10px; padding: 8px 12px }
@media (forced-colors: active) { button, .go { border: 2px solid currentColor } }
"""
_STYLE_SHA256 = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    # `form-action` also judges where a form's answer leads: back to our own callback.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_SHA256}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
"""What a plain page is sent with."""

_CALL = '<a class="go call" href="tel:120">急救 120 · Call 120</a>'

FRONT = (
    '<p>请点开医院发给您的链接，就能看医生。</p><p lang="en">Please open the link your hospital sent you.</p>'
    '<a class="go" href="check">试一试网络和摄像头 · Try your connection</a>'
    '<a class="go soft" href="guides/patient-zh">怎么看诊（大字）</a>'
    '<a class="go soft" href="guides/patient-en" lang="en">How a visit goes (large print)</a>'
    '<a class="go soft" href="auth/login">医院工作人员登录 · Staff sign-in</a>' + _CALL
)
"""The body of the front page; its links are relative, and stand below any path a proxy puts us under."""

LOST = (
    "<p>地址可能少了一截。请从短信或公众号里再点一次医院发的链接，或打医院的电话。</p>"
    '<p lang="en">A part of the address may be missing. Please tap the link in your message again, or phone the hospital.</p>'
    + _CALL
)
"""The body of what a browser is shown where there is nothing."""


def plain_page(heading: str, body: str) -> str:
    """The whole document; `heading` is text, `body` is markup."""
    said = html.escape(heading)
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{said}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{said}</h1>{body}</main></body></html>"
    )
