"""Takes the README's picture, a desk and a phone in one visit, as they are: `python -m tests.browser.portrait FILE.png`.

The prescribing page is the sample that `make run` brings; the two who see each other are drawn (`sitters.py`). It is taken
once both pages say that all is well, nothing is missing in the recording and the phone has had the doctor's best picture for
a while; a machine too busy for that is asked again, and then gives none.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.pages import DESK, PHONE, act, patient_waits, picture
from tests.browser.remote import Browser, BrowserError, Page, driver
from tests.browser.sitters import HEIGHT, sitter
from tests.system import System, running

PATIENT = {
    "id": "p-1",
    "name": "王桂英",
    "age": 68,
    "sex": "female",
    "complaint": "头晕三天，晨起明显，自测血压 168/95",
}
SUMMARY = {
    "allergies": [{"substance": "青霉素", "reaction": "皮疹", "severity": "severe"}],
    "conditions": [{"name": "高血压", "since": "2015 年"}],
    "medication": [{"name": "厄贝沙坦片 150 mg", "dosage": "每日 1 次"}],
}
WAITING = (
    {"id": "p-2", "name": "赵建国", "age": 74, "sex": "male", "complaint": "膝盖痛，复诊"},
    {"id": "p-3", "name": "刘小芳", "age": 61, "sex": "female", "complaint": "续方，糖尿病"},
)
WITHIN_S = 40
TRIES = 5
WATCH = f"""
window.best = 0;
setInterval(() => {{ best = document.querySelector('[data-video=doctor]').videoHeight < {HEIGHT} ? 0 : best + 1; }}, 200);
"""
SETTLED = "return window.best > 25"
"""The picture has been whole for five seconds: a keyframe's blocks have long been painted over."""
WELL = "return ['画面和声音都清楚', '%s'].every((each) => document.body.innerText.includes(each))"
PAPER, GAP = "0xe4e9e5", 32
SHEET = (
    f"[0]pad=iw+{GAP * 3 + 360}:ih+{GAP * 2}:{GAP}:{GAP}:color={PAPER}[paper];"
    f"[paper][1]overlay=main_w-overlay_w-{GAP}:(main_h-overlay_h)/2,scale=1422:-1"
)


def _in_chinese(link: str) -> str:
    return link.replace("/#", "/?lang=zh#")


async def _waits(system: System, browser: Browser, patient: dict[str, object]) -> tuple[dict[str, str], Page]:
    made = await system.visit(patient=patient, summary=SUMMARY)
    page = await browser.open(_in_chinese(made["links"]["patient"]), **PHONE)
    await patient_waits(page)
    return made["links"], page


async def _take(folder: Path) -> tuple[Path, Path]:
    async with running(folder / "data", "--demo") as system, driver() as held:
        others = await held.browser("chromium")
        doctors = await held.browser("chromium", face=await sitter(others, "doctor", folder))
        patients = await held.browser("chromium", face=await sitter(others, "patient", folder))
        links, phone = await _waits(system, patients, PATIENT)
        desk = await doctors.open(_in_chinese(links["doctor"]), **DESK)
        await act(desk, "admit")
        await asyncio.gather(picture(desk, "patient"), picture(phone, "doctor"))
        for patient in WAITING:
            await _waits(system, others, patient)
        await act(desk, "prescribe")
        await desk.wait("return document.querySelector('iframe') !== null")
        await phone.eval(WATCH)
        await phone.wait(SETTLED, WITHIN_S)
        await asyncio.gather(desk.screenshot(folder / "desk.png"), phone.screenshot(folder / "phone.png"))
        for page, said in ((desk, "录像完整"), (phone, "正在录像")):
            if not await page.eval(WELL % said):
                raise BrowserError("something was slow, or went missing")
    return folder / "desk.png", folder / "phone.png"


def main() -> None:
    """Both pages, side by side on paper."""
    for left in reversed(range(TRIES)):
        with tempfile.TemporaryDirectory(prefix="tcp-") as folder:
            try:
                desk, phone = asyncio.run(_take(Path(folder)))
            except BrowserError:
                if left == 0:
                    raise
                continue
            command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(desk), "-i", str(phone)]
            subprocess.run([*command, "-filter_complex", SHEET, "-frames:v", "1", sys.argv[1]], check=True)
            return


if __name__ == "__main__":
    main()
