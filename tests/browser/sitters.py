"""The two who sit for the README's picture, drawn and moving a little, as files for Chromium's fake camera.

Nobody's real face belongs in a README, and the clip of the tests (`faces.py`) is 144 lines of one man in a car.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.browser.faces import Face, talking_face
from tests.browser.remote import Browser

DRAWINGS = Path(__file__).parent / "drawings"
WIDTH, HEIGHT = 640, 480
SWAY = 8
"""Pixels that they move to each side; the drawings are as much larger."""
FRAMES = 126
"""2π × 20: the sway ends where it began."""


async def sitter(browser: Browser, name: str, folder: Path) -> Face:
    """The drawing of this name as a camera, and speech as a microphone."""
    still, video = folder / f"{name}.png", folder / f"{name}.mjpeg"
    page = await browser.blank(width=WIDTH + 2 * SWAY, height=HEIGHT + 2 * SWAY)
    drawing = json.dumps((DRAWINGS / f"{name}.svg").read_text())
    await page.eval(f"document.body.style.margin = 0; document.body.innerHTML = {drawing}")
    await page.screenshot(still)
    await page.close()
    moving = f"crop={WIDTH}:{HEIGHT}:{SWAY}+{SWAY}*sin(n/20):{SWAY}+{SWAY // 2}*sin(n/10)"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-loop", "1", "-framerate", "25", "-i", str(still)]
    command += ["-vf", moving, "-frames:v", str(FRAMES), "-pix_fmt", "yuvj420p", "-q:v", "2", str(video)]
    subprocess.run(command, check=True)
    return Face(video, talking_face().audio)
