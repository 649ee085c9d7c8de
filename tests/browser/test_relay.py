"""A network that lets nothing through but the relay."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.browser.pages import Visit, moving, rms_dbfs
from tests.browser.proven import proven
from tests.browser.remote import Browser
from tests.browser.test_visit import SPEECH_DBFS, export, verdict
from tests.system import free_port

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RELAY_ONLY = """
const Native = window.RTCPeerConnection;
window.RTCPeerConnection = function (configuration) {
  return new Native({ ...configuration, iceTransportPolicy: 'relay' });
};
window.RTCPeerConnection.prototype = Native.prototype;
window.RTCPeerConnection.generateCertificate = Native.generateCertificate;
"""
_LOCAL = """
const rows = await window.__teleconsult.stats();
const pair = rows.find((row) => row.type === 'candidate-pair' && row.nominated && row.state === 'succeeded');
return rows.find((row) => row.id === pair?.localCandidateId)?.candidateType ?? null;
"""


async def test_a_visit_goes_through_the_relay_alone(doctors: Browser, patients: Browser, tmp_path: Path) -> None:
    assert shutil.which("turnserver"), "coturn is missing: make test installs it"
    async with proven(tmp_path / "data", "--turn", TELECONSULT_TURN_PORT=str(free_port())) as system:
        visit = await Visit.waiting(system, doctors, patients, before_load=RELAY_ONLY)
        await visit.admit()
        assert min(await asyncio.gather(rms_dbfs(visit.doctor), rms_dbfs(visit.patient))) > SPEECH_DBFS
        assert await visit.doctor.eval(_LOCAL) == "relay"
        assert await visit.patient.eval(_LOCAL) == "relay"
        await moving(visit.patient)
        await visit.end()
        assert (await verdict(system, await export(system, visit.id, tmp_path)))["complete"] is True
