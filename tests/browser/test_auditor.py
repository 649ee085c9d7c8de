"""The auditor's page: list, both streams in step, a verdict reached in the browser, and an administrator's grants."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from pathlib import Path

import pytest

from recorder.bundle.directory import verify_directory
from recorder.sealing.key_file import read_keys
from recorder.sealing.opened import open_bundle
from signaling.staff.staff_accounts import StaffAccounts
from tests.browser.axe import clean, clean_in_every_dress
from tests.browser.keyboard import keyed
from tests.browser.pages import DESK, Visit, act, played, recording_closed, screen, still
from tests.browser.remote import Browser, Page
from tests.system import System, teleconsult

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DRIFT_MS = 40
BEGINNING_MS = 80
"""Apart by no more than two frames from the first moment both run, and by one once they run."""
WATCHED = """
const videos = [...document.querySelectorAll('video')].slice(0, 2);
const seen = [];
let end = performance.now() + 60000;
while (performance.now() < end) {
  const [a, b] = videos;
  const run = videos.every((video) => !video.paused && !video.seeking && video.readyState > 2);
  if (run && seen.length === 0) end = performance.now() + 4000;
  if (run) seen.push(Math.round(Math.abs(a.currentTime - b.currentTime) * 1000));
  await new Promise((then) => setTimeout(then, 100));
}
return seen;
"""


async def recorded(system: System, doctors: Browser, patients: Browser, words: str | None = None) -> Visit:
    """A visit of a few seconds, ended and stored; the doctor mutes in it for a while, and writes these words."""
    visit = await Visit.live(system, doctors, patients)
    await asyncio.sleep(3)
    if words is not None:
        await act(visit.doctor, "chat")
        await visit.doctor.wait("return document.querySelector('[data-chat] textarea') !== null")
        await visit.doctor.type("[data-chat] textarea", words)
        await act(visit.doctor, "send")
        await visit.doctor.wait("return document.querySelector('[data-message]') !== null")
        await visit.doctor.press("F2")
    await asyncio.sleep(3)
    await visit.end()
    await system.until(visit.id, "ended")
    await recording_closed(system, visit.id)
    return visit


BLINKS = """
const real = window.fetch;
const missed = new Set();
window.fetch = async (where, how) => {
  const name = String(where);
  if (!/\\/media\\/.*seg-/.test(name) || missed.has(name)) return real(where, how);
  missed.add(name);
  throw new TypeError('Failed to fetch');
};
"""
"""A network on which every piece of a stream is lost once."""


async def opened(visit: Visit, browser: Browser, network: str = "") -> Page:
    """The recording's page, its verdict reached."""
    page = await browser.blank(**DESK)
    await page.before_load(network)
    await page.goto(visit.links["auditor"])
    await screen(page, "list")
    await keyed(page, "open")
    await screen(page, "recording")
    await page.wait("return document.querySelector('[data-verdict=\"done\"]') !== null")
    return page


KEEP = """
const made = URL.createObjectURL;
window.kept = null;
URL.createObjectURL = (blob) => { if (blob.type !== 'image/jpeg') window.kept = blob; return made.call(URL, blob); };
"""
"""What the page saves is kept, too, for the test to read."""
SAVED = """
const bytes = new Uint8Array(await window.kept.arrayBuffer());
let text = '';
for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
return btoa(text);
"""
CHOOSE = """
const files = new DataTransfer();
files.items.add(new File([window.chosen ?? window.kept], 'export.zip', { type: 'application/zip' }));
const field = document.querySelector('[data-local=zip]');
field.files = files.files;
field.dispatchEvent(new Event('change', { bubbles: true }));
"""
TAKEN = "window.chosen = new Blob([Uint8Array.from(atob('%s'), (letter) => letter.charCodeAt(0))])"
PASSWORD = "correct horse battery"


async def saved(page: Page) -> bytes:
    """The last file the page saved."""
    await page.wait("return window.kept !== null")
    return base64.b64decode(await page.eval(SAVED))


async def receipts(visit: Visit, folder: Path) -> tuple[Path, Path]:
    """What the patient takes home: the file, and the line of the code."""
    await visit.patient.wait("return document.querySelector('[data-receipt=made]') !== null")
    await visit.patient.eval(KEEP)
    await act(visit.patient, "receipt")
    whole, short = folder / "receipt.tlog-proof", folder / "receipt.txt"
    whole.write_bytes(await saved(visit.patient))
    short.write_text(await visit.patient.eval("return document.querySelector('[data-qr]').dataset.qr"))
    return whole, short


async def signed_in(system: System, browser: Browser, login: str) -> Page:
    """Somebody's list, after their password."""
    page = await browser.open(f"{system.url}/auth/login", **DESK)
    await page.type("[name=login]", login)
    await page.type("[name=password]", PASSWORD)
    await page.press("Enter")
    await screen(page, "list")
    return page


async def granted(system: System, browser: Browser, visit: Visit) -> None:
    """An administrator lets an auditor see one visit for a case, and takes it back; nobody else's page shows the form."""
    accounts = StaffAccounts(system.data / "staff.json")
    accounts.add("boss", PASSWORD, "administrator")
    accounts.add("lee", PASSWORD, "auditor")
    auditor = await signed_in(system, browser, "lee")
    assert await auditor.eval("return document.querySelector('[data-grants], tbody') === null")
    await auditor.wait("return document.querySelector('[data-viewer]') !== null")
    code = (await auditor.eval("return document.querySelector('[data-viewer]').innerText")).split()[-1]
    admin = await signed_in(system, browser, "boss")
    await admin.wait(f"return document.querySelector('#people option[value=\"{code}\"]') !== null")
    await keyed(admin, "choose")
    await admin.type("[data-why=grant] [name=who]", code)
    await admin.type("[data-why=grant] [name=case]", "2026-017")
    await clean_in_every_dress(admin)
    closed = await browser.open(f"{system.url}/a/", **DESK)
    await screen(closed, "closed")
    await clean_in_every_dress(closed)
    await closed.goto(f"{system.url}/a/#not.a.token")
    await closed.wait("return /过期|expired/.test(document.querySelector('[data-page=closed] h1').textContent)")
    await closed.wait("return document.querySelector('[data-act=sign-in]') !== null")
    await admin.front()
    await admin.eval("document.querySelector('[data-why=grant] [name=case]').focus()")
    await admin.press("Enter")
    await admin.wait("return document.querySelector('[data-grant=inforce]')?.innerText.includes('2026-017')")
    await auditor.reload()
    await keyed(auditor, "open")
    await screen(auditor, "recording")
    assert await auditor.eval("return document.querySelector('[data-page]').dataset.visit") == visit.id
    await keyed(admin, "revoke")
    await keyed(admin, "revoke-sure")
    await admin.wait("return document.querySelector('[data-grant=revoked]') !== null")
    await auditor.reload()
    await auditor.wait("return document.querySelector('[data-page=list]') && !document.querySelector('tbody')")


async def test_an_auditor_sees_hears_and_proves_a_visit(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    others = set((system.data / "copies").glob("*.webm"))
    visit = await recorded(system, doctors, patients, "三天后复诊")
    whole, short = await receipts(visit, tmp_path)
    page = await opened(visit, doctors, BLINKS)
    verdict = await page.eval("return {...document.querySelector('[data-verdict]').dataset}")
    said = await page.eval("return document.querySelector('[data-verdict]').innerText")
    assert (verdict["intact"], verdict["complete"]) == ("true", "true"), said
    assert visit.id[:4] in await page.eval("return document.body.innerText")
    assert await page.eval("return document.querySelectorAll('.cover rect.present').length") >= 2
    assert await page.eval("return document.querySelectorAll('.cover rect.muted').length") == 1
    for seat in ("patient", "doctor"):
        leg = await page.eval(f"return document.querySelector('[data-leg={seat}]').innerText")
        assert "VP8" in leg
        assert "直接连接" in leg or "direct" in leg
    await clean_in_every_dress(page)

    await keyed(page, "play")
    drifts = await page.eval(WATCHED)
    assert len(drifts) >= 10
    assert max(drifts) <= BEGINNING_MS, drifts
    assert sorted(drifts[len(drifts) // 2 :])[len(drifts) // 4] <= DRIFT_MS, drifts
    await page.press("Space")
    await still(page)
    before = await page.eval("return Number(document.querySelector('.transport').dataset.at)")
    await page.press("ArrowLeft")
    await page.wait(f"return Number(document.querySelector('.transport').dataset.at) < {before}")

    shown = await page.eval("return document.body.innerText")
    assert "王桂英" not in shown
    assert "三天后复诊" not in shown
    assert await page.eval("return document.querySelector('.whose').innerText.includes('auditor-')")
    await keyed(page, "reason-open")
    await page.wait("return document.querySelector('[data-why=reason]') !== null")
    await page.type("[data-why=reason] [name=reason]", "投诉 2026-017")
    await keyed(page, "reason")
    await page.wait("return document.querySelector('[data-names]')?.innerText.includes('王桂英')")
    await page.wait("return document.querySelector('[data-kept]')?.dataset.same === 'true'")
    assert "三天后复诊" in await page.eval("return document.querySelector('[data-kept]').innerText")

    await keyed(page, "export-open")
    await page.wait("return document.querySelector('[data-why=export]') !== null")
    await page.type("[data-why=export] [name=reason]", "法院调取 12")
    await keyed(page, "export")
    await page.wait("return document.querySelector('[data-export=asked]') !== null")
    (export,) = [each for each in (await system.api("GET", "/exports"))["exports"] if each["visit"] == visit.id]
    await system.api("POST", f"/exports/{export['id']}/decision", json={"approve": True})
    await page.wait("return document.querySelector('[data-export=approved]') !== null")
    await page.eval(KEEP)
    await keyed(page, "download")
    await page.wait("return document.querySelector('[data-export=taken]') !== null")
    await clean(page)
    archive = await saved(page)
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    bundle = tmp_path / visit.id
    assert verify_directory(bundle).broken == []
    opened_files = open_bundle(bundle, read_keys((tmp_path / f"{visit.id}.keys.json").read_bytes()), tmp_path / "plain")
    assert {file.stream for file in opened_files} == {"patient", "doctor"}
    for receipt in (whole, short):
        code, out, err = await teleconsult("verify", str(bundle), "--receipt", str(receipt))
        assert code == 0, out + err
    journal = [json.loads(line) for line in (system.data / "custody" / "journal").read_text().splitlines()]
    assert [line["type"] for line in journal][-2:] == ["ask", "export"]

    await keyed(page, "copy-open")
    await page.wait("return document.querySelector('[data-why=copy]') !== null")
    await page.type("[data-why=copy] [name=reason]", "患者要一份")
    await keyed(page, "cut")
    for field, time in (("from", "00:02"), ("to", "00:01")):
        await page.eval(f"document.querySelector('[data-cut] [name={field}]').select()")
        await page.type(f"[data-cut] [name={field}]", time)
    await keyed(page, "copy")
    assert await page.eval("return document.querySelector('[data-cut] [name=to]').matches(':invalid')")
    await page.eval("document.querySelector('[data-cut] [name=to]').select()")
    await page.type("[data-cut] [name=to]", "00:04")
    await clean(page)
    await keyed(page, "copy")
    await page.wait("return document.querySelector('[data-copy=ready][data-redacted=\"1\"]') !== null")
    (copy,) = set((system.data / "copies").glob("*.webm")) - others
    assert copy.stat().st_size > 50_000
    journal = [json.loads(line) for line in (system.data / "custody" / "journal").read_text().splitlines()]
    assert (journal[-1]["type"], journal[-1]["body"]["redacted"]) == ("copy", 1)

    await page.eval("window.chosen = null")
    await keyed(page, "back")
    await screen(page, "list")
    await page.eval(TAKEN % base64.b64encode(archive).decode())
    await page.eval(CHOOSE)
    await page.wait("return document.querySelector('[data-verdict=\"done\"]')?.dataset.complete === 'true'")
    await page.wait("return document.querySelector('[data-vouched]')?.dataset.vouched === 'own'")
    assert await page.eval("return document.querySelector('[data-act=export-open], [data-why]') === null")
    await keyed(page, "play")
    await played(page, 0.3)
    await clean(page)
    await keyed(page, "back")
    await screen(page, "list")
    await page.wait("return document.activeElement.tagName === 'H1'")
    await page.type("[data-find]", "no-such-visit")
    await page.wait("return document.querySelector('[data-find]').value === 'no-such-visit'")
    await page.wait("return document.querySelector('table') === null")
    await page.eval("document.querySelector('[data-find]').select()")
    await page.type("[data-find]", visit.id[:6])
    await page.wait("return document.querySelectorAll('tbody tr').length === 1")
    await clean(page)
    log = (await system.api("GET", "/accesses", params={"limit": "200"}))["accesses"]
    looked = [line["what"] for line in log if line["outcome"] == "allowed"]
    assert (
        looked.index("recording")
        < looked.index("play streams/patient")
        < looked.index("reason")
        < looked.index("names")
    )
    await granted(system, patients, visit)


async def test_one_flipped_byte_is_named_in_the_browser(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await recorded(system, doctors, patients)
    store = system.data / "store" / "recordings" / visit.id
    system.spoilt.add(visit.id)
    victim = sorted(store.glob("streams/patient/part-001/seg-*.webm"))[0]
    victim.chmod(0o600)
    data = bytearray(victim.read_bytes())
    data[-20] ^= 1  # in the seal of its last piece: those before it are on their way by then
    victim.write_bytes(data)
    page = await opened(visit, doctors)
    verdict = await page.eval("return {...document.querySelector('[data-verdict]').dataset}")
    assert verdict["intact"] == "false"
    assert "SEG-2" in await page.eval("return document.querySelector('[data-broken]').innerText")
    shown = "return getComputedStyle(document.querySelector('[data-stream=patient] ~ .%s')).display"
    await page.wait((shown + " !== 'none'") % "shut")
    assert await page.eval(shown % "none") == "none"  # there is a picture, and it cannot be opened
    # What cannot be opened is said in its place, and nobody waits for it: the other stream goes on.
    await act(page, "play")
    await page.wait("return document.querySelector('video[data-stream=doctor]').currentTime > 1")
    await act(page, "play")
    await page.eval("document.querySelector('[data-act=back5]').click()")
    await page.wait("return !document.querySelector('video[data-stream=patient]').hasAttribute('data-here')")
