"""Cameras in VP9 layers: from page to page and into the recording, and back to VP8 for who cannot decode them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.pages import Visit, moving
from tests.browser.proven import proven
from tests.browser.remote import Browser, Driver, Page
from tests.browser.test_visit import export, verdict
from tests.patience import PATIENCE_S
from tests.recordings import complaints, parts, records

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NO_VP9 = """
if (/Firefox/.test(navigator.userAgent)) {
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (...given) {
    const made = add.apply(this, given);
    if (made.direction === 'recvonly' && made.receiver.track.kind === 'video') {
      made.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter((each) => !/VP9/.test(each.mimeType)));
    }
    return made;
  };
}
"""
CODEC = """
const rows = await window.__teleconsult.stats();
const picture = rows.filter((row) => row.type === 'inbound-rtp' && row.kind === 'video').pop();
return rows.find((row) => row.id === picture?.codecId)?.mimeType;
"""


async def decodes(page: Page, codec: str) -> None:
    """Wait until the picture that comes is of this codec, and moves."""
    seen = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while seen != f"video/{codec}":
                await asyncio.sleep(0.2)
                seen = await page.eval(CODEC)
    except TimeoutError:
        raise AssertionError(f"the picture is {seen}") from None
    await moving(page)


async def test_vp9_in_layers_is_seen_recorded_and_given_up_for_who_cannot_decode_it(
    held: Driver, doctors: Browser, patients: Browser, firefox: Browser, tmp_path: Path
) -> None:
    async with proven(tmp_path / "data", TELECONSULT_CAMERA_CODEC="VP9") as system:
        visit = await Visit.live(system, doctors, patients)
        await asyncio.gather(decodes(visit.doctor, "VP9"), decodes(visit.patient, "VP9"))
        await asyncio.sleep(5)  # both have the best by now, and send it alone
        await visit.end()
        await visit.system.until(visit.id, "ended")
        bundle = await export(system, visit.id, tmp_path)
        found = await verdict(system, bundle)
        assert (found["intact"], found["complete"], found["broken"]) == (True, True, [])
        made = [track for each in records(bundle) if each["type"] == "part" for track in each["body"]["tracks"]]
        assert {track["codec"] for track in made} == {"opus", "VP9"}
        files = parts(bundle, tmp_path, system.data)
        assert {file.path.name: complaints(file.path) for file in files} == {file.path.name: "" for file in files}

        visit = await Visit.live(system, doctors, firefox, before_load=NO_VP9)
        await asyncio.gather(decodes(visit.doctor, "VP8"), decodes(visit.patient, "VP8"))
        await visit.end()
    await held.tidy()
