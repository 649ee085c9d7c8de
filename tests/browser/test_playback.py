"""A part's file in a real browser: it plays from the first frame to the last, and goes where it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.browser.remote import Browser, Page
from tests.unit.test_muxer import jittered

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PLAY = """
const video = document.querySelector('video');
video.muted = true;
const heard = (name) => new Promise((done, failed) => {
  video.addEventListener(name, done, { once: true });
  video.addEventListener('error', () => failed(new Error(video.error.message)), { once: true });
});
const ready = heard('loadeddata');
await start(video);
await ready;
const ended = heard('ended');
await video.play();
await ended;
const end = video.currentTime;
const shown = video.getVideoPlaybackQuality().totalVideoFrames;
const found = heard('seeked');
video.currentTime = 3.5;
await found;
return { end, shown, duration: video.duration, at: video.currentTime, width: video.videoWidth };
"""
FROM_URL = "const start = async (video) => { video.src = '/%s'; };"
FROM_SOURCE = """
const start = async (video) => {
  const bytes = await (await fetch('/%s')).arrayBuffer();
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
  const buffer = source.addSourceBuffer('video/webm; codecs="%s,opus"');
  buffer.appendBuffer(bytes);
  await new Promise((done) => buffer.addEventListener('updateend', done, { once: true }));
  video.currentTime = buffer.buffered.start(0);
  source.endOfStream();
};
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server of a page with a picture and the files of two parts."""
    root = tmp_path_factory.mktemp("parts")
    for name, codec in (("part.webm", "VP8"), ("nine.webm", "VP9"), ("part.mkv", "H264")):
        await asyncio.to_thread((Path(root) / name).write_bytes, jittered(codec))
    app = web.Application()
    app.router.add_get("/", _page)
    app.router.add_static("/", root)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>part</title><video></video>", content_type="text/html")


async def played(browser: Browser, url: str, start: str) -> dict[str, Any]:
    page: Page = await browser.open(url)
    told: dict[str, Any] = await page.eval(start + PLAY)
    await page.close()
    return told


ALL = {
    "a webm in Chromium": ("chromium", FROM_URL % "part.webm", 6.0),
    "a Matroska in Chromium": ("chromium", FROM_URL % "part.mkv", 6.0),
    "bytes in Chromium": ("chromium", FROM_SOURCE % ("part.webm", "vp8"), 6.0),
    "bytes of VP9 in Chromium": ("chromium", FROM_SOURCE % ("nine.webm", "vp9"), 6.0),
    "VP9 in Firefox": ("firefox", FROM_URL % "nine.webm", 5.0),
    # Firefox counts a file from its first frame, which stands at 1.0 s.
    "a webm in Firefox": ("firefox", FROM_URL % "part.webm", 5.0),
}
"""What plays where, and where it ends, seconds."""


async def test_a_part_plays_to_its_end_and_seeks(patients: Browser, firefox: Browser, url: str) -> None:
    browsers = {"chromium": patients, "firefox": firefox}
    all_told = await asyncio.gather(*(played(browsers[kind], url, start) for kind, start, _ in ALL.values()))
    for (name, (_, _, end_s)), told in zip(ALL.items(), all_told, strict=True):
        assert told["end"] == pytest.approx(end_s, abs=0.1), name
        assert told["duration"] == pytest.approx(end_s, abs=0.1), name
        assert told["at"] == pytest.approx(3.5, abs=0.05), name
        assert told["width"] == 320, name
        assert told["shown"] > 50, name
