"""Staff sign in at the built-in issuer over real HTTP: form, code, token, session; and what does not sign anybody in."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import unused_port

from config.secrets import SecretError
from signaling.api.signing_in import IssuerDoor, IssuerPages, SigningIn
from signaling.pseudonyms import KeyedPseudonyms
from signaling.staff.access_store import SqlAccess
from signaling.staff.issuer import BuiltInIssuer, issuer_keys
from signaling.staff.oidc import Client, SignIn
from signaling.staff.staff_accounts import AccountRefused, StaffAccounts
from tests.http_api import open_store

PASSWORD = "a long password"


@dataclass
class Site:
    """A running sign-in."""

    base: str
    accounts: StaffAccounts
    access: SqlAccess
    keys: Path


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    base = f"http://127.0.0.1:{(port := unused_port())}"
    accounts, keys = StaffAccounts(folder / "staff.json"), folder / "issuer.pem"
    await asyncio.to_thread(accounts.add, "li.min", PASSWORD, "doctor", "d-1")
    await asyncio.to_thread(accounts.add, "wang", PASSWORD, "auditor")
    async with open_store(folder) as store:
        access, app = SqlAccess(store.engine), web.Application()
        issuer, callback = f"{base}/oidc", f"{base}/auth/callback"
        built_in = BuiltInIssuer(issuer, "teleconsult", callback, issuer_keys(keys), time.time)
        IssuerPages(built_in, accounts, bytes(32), time.time).attach(app)
        door = IssuerDoor(issuer)
        sign_in = SignIn(Client(issuer, "teleconsult", callback), door.get, door.post, time.time)
        SigningIn(sign_in, issuer, access, KeyedPseudonyms(bytes(32)), base, time.time).attach(app)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield Site(base, accounts, access, keys)
        finally:
            await door.close()
            await runner.cleanup()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as running:
        yield running


def browser() -> ClientSession:
    return ClientSession(cookie_jar=CookieJar(unsafe=True))


async def form_of(session: ClientSession, base: str) -> dict[str, str]:
    async with session.get(f"{base}/auth/login") as page:
        assert page.status == 200
        assert "script" not in page.headers["Content-Security-Policy"]
        text = await page.text()
    return {n: html.unescape(v) for n, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)}


async def submitted(session: ClientSession, base: str, form: dict[str, str], **more: str) -> tuple[int, str]:
    said = form | {"login": "wang", "password": PASSWORD} | more
    async with session.post(f"{base}/oidc/authorize", data=said, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", await answer.text())


async def back(session: ClientSession, where: str) -> tuple[int, str]:
    async with session.get(where, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", await answer.text())


async def test_a_person_signs_in_and_has_a_session_of_their_role(here: Site) -> None:
    async with browser() as session:
        status, where = await submitted(session, here.base, await form_of(session, here.base), login="li.min")
        assert (status, where.startswith(f"{here.base}/auth/callback?code=")) == (303, True)
        status, desk = await back(session, where)
        assert (status, desk.startswith(f"{here.base}/a/#staff_")) == (303, True)
        asker = await here.access.session(desk.partition("#")[2], "2026-01-01T00:00:00.000Z")
        assert asker is not None
        assert not isinstance(asker, str)
        assert (asker.role, asker.doctor) == ("doctor", "d-1")
        assert "li" not in asker.who.removeprefix("doctor-")[:3] or len(asker.who) > 20
        assert (await back(session, where))[0] == 403  # a code is good once
    async with browser() as session:  # the same person again is the same in every log
        _, where = await submitted(session, here.base, await form_of(session, here.base), login="li.min")
        again = await here.access.session((await back(session, where))[1].partition("#")[2], "2026-01-01T00:00:00.000Z")
        assert again == asker


async def test_of_many_wrong_passwords_at_once_no_more_are_tried_than_one_after_another(here: Site) -> None:
    async with browser() as session:
        form = await form_of(session, here.base)
        tried = await asyncio.gather(*(submitted(session, here.base, form, password=f"guess {n}") for n in range(30)))
    statuses = [status for status, _ in tried]
    assert 10 <= statuses.count(403) <= 11  # ten, and one that was under way when the tenth failed
    assert statuses.count(429) == 30 - statuses.count(403)


async def test_who_guesses_an_accounts_password_elsewhere_does_not_keep_its_owner_out(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = iter("ab" * 30)
    monkeypatch.setattr("signaling.api.signing_in.source_of", lambda _request: next(callers))
    async with browser() as own, browser() as other:
        form = await form_of(own, here.base)
        assert (await submitted(own, here.base, form))[0] == 303
        guessed = [(await submitted(other, here.base, form, password="x"))[0] for _ in range(12)]
        assert guessed == [403] * 10 + [429] * 2
        assert (await submitted(other, here.base, form))[0] == 429
        assert (await submitted(own, here.base, form))[0] == 303
        tried = [(await submitted(own, here.base, form, password="x"))[0] for _ in range(12)]
        assert tried == [403] * 10 + [429] * 2  # the mark gives no more tries than anybody has


async def test_wrong_passwords_are_refused_alike_and_then_slowed_down(here: Site) -> None:
    async with browser() as session:
        form = await form_of(session, here.base)
        for more in ({"password": "wrong password"}, {"login": "nobody"}):
            status, page = await submitted(session, here.base, form, **more)
            assert status == 403
            assert "Login or password is not right" in page
        statuses = [(await submitted(session, here.base, form, password="x"))[0] for _ in range(12)]
        assert statuses[:9] == [403] * 9
        assert statuses[-1] == 429
        assert (await submitted(session, here.base, form))[0] == 429  # of this login, right ones too, for a while
        assert (await submitted(session, here.base, form, login="li.min"))[0] == 303


async def test_nobody_is_signed_in_by_anothers_link_or_a_changed_request(here: Site) -> None:
    async with browser() as thief, browser() as victim:
        form = await form_of(thief, here.base)
        _, where = await submitted(thief, here.base, form)
        status, page = await back(victim, where)
        assert (status, "state_unknown" in page) == (403, True)
        for name, value in (
            ("redirect_uri", "https://evil.example/"),
            ("client_id", "other"),
            ("code_challenge_method", "plain"),
            ("nonce", ""),
            ("response_type", "token"),
        ):
            assert (await submitted(thief, here.base, form, **{name: value}))[0] == 400
        # Another's verifier does not redeem the code.
        _, where = await submitted(thief, here.base, form, code_challenge="x" * 43)
        assert "code_refused" in (await back(thief, where))[1]


async def test_a_rotated_key_signs_and_the_old_ones_tokens_still_hold(here: Site, tmp_path: Path) -> None:
    async with ClientSession() as session, session.get(f"{here.base}/oidc/jwks") as answer:
        (published,) = (await answer.json())["keys"]
    new = tmp_path / "new.pem"
    issuer_keys(new)
    here.keys.write_bytes(new.read_bytes() + here.keys.read_bytes())
    rotated = BuiltInIssuer("i", "c", "r", issuer_keys(here.keys), time.time)
    kids = [one["kid"] for one in rotated.keys()["keys"]]
    assert len(kids) == 2
    assert kids[1] == published["kid"]
    assert all("d" not in one for one in rotated.keys()["keys"])


async def test_accounts_are_kept_without_passwords_and_refused_by_name(here: Site, tmp_path: Path) -> None:
    text = (tmp_path / "staff.json").read_text()
    assert PASSWORD not in text
    assert (tmp_path / "staff.json").stat().st_mode & 0o077 == 0
    wrong: list[tuple[Any, ...]] = [
        ("wang", PASSWORD, "auditor", None),
        ("new", "short", "auditor", None),
        ("new", PASSWORD, "doctor", None),
        ("new", PASSWORD, "auditor", "d-1"),
        ("王", PASSWORD, "auditor", None),
    ]
    for one in wrong:
        with pytest.raises(AccountRefused):
            here.accounts.add(*one)
    (tmp_path / "staff.json").chmod(0o644)
    with pytest.raises(SecretError):
        StaffAccounts(tmp_path / "staff.json").all()


async def test_accounts_that_are_made_at_once_are_all_there(tmp_path: Path) -> None:
    path, logins = tmp_path / "staff.json", [f"person{n}" for n in range(6)]
    await asyncio.gather(*(asyncio.to_thread(StaffAccounts(path).add, each, PASSWORD, "auditor") for each in logins))
    assert sorted(one.login for one in StaffAccounts(path).all()) == logins
