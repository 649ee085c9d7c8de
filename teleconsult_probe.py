"""`teleconsult probe`: a synthetic visit on a live deployment, from joining to a verified recording.

It uses what any client and any hospital may use: HTTP with the API key, Socket.IO with the links, media over UDP. It is
its own module because it stands outside: media must not know signaling, and no room needs a client of itself.

TRIAL-1  `join_ms`: from both opening their connections to both having decoded a remote picture and remote sound; consent
         and admission, which here take no thought, are part of it.
TRIAL-2  `delivered` and `delay_ms`: as `teleconsult_peer.Crossings` counts them, in both directions together, from the
         moment both are joined.
TRIAL-3  What fails is said in one line; what was measured until then is still told.
"""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import click
import msgspec

from recorder.bundle.directory import NotABundle, verify_directory
from teleconsult_peer import Crossings, Participant, PeerError, trusting

STEP_S = 15.0
RECORDING_S = 30.0
LAST_PACKETS_S = 0.5
ASK_AGAIN_S = 0.25

PEOPLE = {
    "doctor": {"id": "probe-doctor", "name": "Probe Doctor"},
    "patient": {"id": "probe-patient", "name": "Probe Patient"},
}


class Failed(Exception):
    """A step of the probe failed; the message says which, and what to look at."""

    code = "probe_failed"


class Found(msgspec.Struct, frozen=True):
    """The recorder's work, as the offline verifier judges it."""

    intact: bool
    complete: bool


class Report(msgspec.Struct):
    """What `--json` prints. A field is null where the probe did not get so far; `failed` then says why."""

    visit: str | None = None
    join_ms: float | None = None
    delivered: float | None = None
    delay_ms_p50: float | None = None
    delay_ms_p99: float | None = None
    packets: int = 0
    recording: Found | None = None
    failed: str | None = None

    @property
    def good(self) -> bool:
        """Whether everything that was asked of the deployment was done."""
        return self.failed is None and self.recording is not None and self.recording.intact and self.recording.complete


def run(url: str, api_key: str | None, key_file: Path, ca: Path | None, seconds: float, as_json: bool) -> int:
    """Probe, print, and return the exit code."""
    report = Report()
    tell: Callable[[str], None] = (lambda _: None) if as_json else (lambda text: click.echo(text, err=True))
    try:
        key = api_key or _read_key(key_file)
        asyncio.run(_probe(url.rstrip("/"), key, ca or _own_certificate(key_file), seconds, report, tell))
    except (Failed, PeerError) as error:
        report.failed = str(error)
    except (aiohttp.ClientError, OSError) as error:
        report.failed = f"{url} does not answer as it should: {error or type(error).__name__}"
    click.echo(json.dumps(msgspec.to_builtins(report)) if as_json else _in_words(report))
    return 0 if report.good else 1


async def _probe(
    url: str, key: str, ca: Path | None, seconds: float, report: Report, tell: Callable[[str], None]
) -> None:
    connector = aiohttp.TCPConnector(ssl=trusting(None if ca is None else str(ca)))
    timeout = aiohttp.ClientTimeout(total=RECORDING_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        made = await _json(http, "POST", f"{url}/api/v1/visits", key, json=PEOPLE)
        report.visit = made["id"]
        text = await _json(http, "GET", f"{url}/api/v1/consent?language=en")
        tell(f"visit {report.visit}: joining")
        await _hold(url, made["links"], text, http, seconds, report, tell)
        tell("waiting for the recording")
        report.recording = await _recording(url, http, made["links"]["auditor"], key, report.visit or "")


async def _hold(
    url: str,
    links: dict[str, str],
    text: dict[str, Any],
    http: aiohttp.ClientSession,
    seconds: float,
    report: Report,
    tell: Callable[[str], None],
) -> None:
    """Both people, from their first connection to the end of the visit."""
    up, down = Crossings(), Crossings()
    patient, doctor = Participant("patient", http, up, down), Participant("doctor", http, down, up)
    both = (patient, doctor)
    try:
        began = asyncio.get_running_loop().time()
        await _join(url, patient, doctor, links, text)
        await _together(*(one.meets(STEP_S) for one in both))
        report.join_ms = round((asyncio.get_running_loop().time() - began) * 1000, 1)
        tell(f"joined in {report.join_ms:.0f} ms; talking for {seconds:.0f} s")
        up.counting = down.counting = True
        await _together(*(one.lasts(seconds) for one in both))
        up.counting = down.counting = False
        await asyncio.sleep(LAST_PACKETS_S)
        _measure(up, down, report)
        for one in both:
            one.raise_failure()
        await doctor.ask("end", reason="completed")
        await doctor.until(lambda state: state.get("phase") == "ended", "the visit's end", STEP_S)
    finally:
        await asyncio.gather(*(one.close() for one in both), return_exceptions=True)


async def _join(
    url: str, patient: Participant, doctor: Participant, links: dict[str, str], text: dict[str, Any]
) -> None:
    """PROTOCOL.md §7, line by line."""
    agreed = {
        "decision": "agreed",
        "text_version": text["version"],
        "text_sha256": text["sha256"],
        "language": "en",
        "method": "tap",
    }

    async def patient_enters() -> None:
        await patient.connect(url, _token(links["patient"]), STEP_S)
        await patient.ask("consent", **agreed)
        await patient.ask("enter")

    async def doctor_consents() -> None:
        await doctor.connect(url, _token(links["doctor"]), STEP_S)
        await doctor.ask("consent", **agreed)

    await _together(patient_enters(), doctor_consents())
    await doctor.until(lambda state: state.get("phase") == "waiting", "the patient's arrival", STEP_S)
    await doctor.ask("admit")
    await patient.until(lambda state: state.get("phase") == "live", "admission", STEP_S)
    await _together(patient.publish(), doctor.publish())


async def _together(*steps: Any) -> None:
    """All at once; the first failure is the one that is told."""
    failed: list[Exception] = []  # raised outside: Python 3.11.2 wraps what `except*` raises in a group of its own
    try:
        async with asyncio.TaskGroup() as tasks:
            for step in steps:
                tasks.create_task(step)
    except* (PeerError, Failed, aiohttp.ClientError, OSError) as group:
        failed.extend(group.exceptions)
    if failed:
        raise failed[0]


def _measure(up: Crossings, down: Crossings, report: Report) -> None:
    delays = sorted(up.delays_ms + down.delays_ms)
    report.packets = up.sent + down.sent
    if not delays:
        raise Failed("no packet crossed: is the media port (UDP) reachable from here?")
    report.delivered = round(len(delays) / report.packets, 5)
    report.delay_ms_p50 = round(delays[len(delays) // 2], 2)
    report.delay_ms_p99 = round(delays[min(len(delays) - 1, len(delays) * 99 // 100)], 2)


# ---- the recording


async def _recording(url: str, http: aiohttp.ClientSession, auditor: str, key: str, visit: str) -> Found:
    """Download the bundle until it is closed, or time is up, and judge it offline."""
    deadline = asyncio.get_running_loop().time() + RECORDING_S
    while True:
        bundle = await _exported(url, http, _token(auditor), key, visit)
        late = asyncio.get_running_loop().time() > deadline
        found = await asyncio.to_thread(_judge, bundle) if bundle is not None else None
        if found is not None and (found.complete or late):
            return found
        if late:
            raise Failed(f"no recording of the visit within {RECORDING_S:.0f} s; is the recorder running?")
        await asyncio.sleep(ASK_AGAIN_S)


async def _exported(url: str, http: aiohttp.ClientSession, auditor: str, key: str, visit: str) -> bytes | None:
    """The bundle as two people get it: asked for with the auditor's link, approved with the API key. None: not there yet."""
    why = {"purpose": "quality", "reason": "teleconsult probe"}
    asked = await _posted(f"{url}/api/v1/recordings/{visit}/exports", http, auditor, why)
    if asked is None:
        return None
    one = f"{url}/api/v1/exports/{asked['id']}"
    await _posted(f"{one}/decision", http, key, {"approve": True})
    return await _download(f"{one}/bundle", http, auditor)


async def _posted(url: str, http: aiohttp.ClientSession, token: str, body: object) -> dict[str, Any] | None:
    async with http.post(url, json=body, headers={"Authorization": f"Bearer {token}"}) as answer:
        if answer.status in (404, 409, 503):
            return None
        if answer.status >= 400:
            raise Failed(f"the recording was refused: HTTP {answer.status}")
        said: dict[str, Any] = await answer.json()
        return said


async def _download(url: str, http: aiohttp.ClientSession, token: str) -> bytes | None:
    """The archive; None where there is none yet."""
    async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
        if answer.status in (404, 503):
            return None
        if answer.status != 200:
            raise Failed(f"the recording was refused: HTTP {answer.status}")
        return await answer.read()


def _judge(archive: bytes) -> Found | None:
    """What the archive's recording is worth; None while nothing of it is written."""
    with tempfile.TemporaryDirectory(prefix="teleconsult-probe-") as folder:
        root = Path(folder)
        _unpack(archive, root)
        found = next((path.parent for path in sorted(root.rglob("records")) if path.is_dir()), root)
        try:
            verdict = verify_directory(found)
        except NotABundle:
            return None
        return Found(verdict.intact, verdict.complete)


def _unpack(archive: bytes, into: Path) -> None:
    if archive[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            packed.extractall(into)  # noqa: S202 - zipfile keeps names inside `into`
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed_tar:
            packed_tar.extractall(into, filter="data")
    except tarfile.TarError as error:
        raise Failed(f"the server's archive cannot be read: {error}") from None


# ---- HTTP


async def _json(http: aiohttp.ClientSession, method: str, url: str, key: str | None = None, **more: Any) -> Any:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with http.request(method, url, headers=headers, **more) as answer:
        if answer.status == 401:
            raise Failed("the API key was refused: give the deployment's own with --api-key-file")
        if answer.status >= 400:
            raise Failed(f"{method} {url} was refused: HTTP {answer.status}")
        return await answer.json()


def _token(link: str) -> str:
    return link.partition("#")[2]


def _read_key(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError as error:
        raise Failed(
            f"no API key in {file} ({error.strerror}): name the file with --api-key-file, or set TELECONSULT_API_KEY"
        ) from None


def _own_certificate(key_file: Path) -> Path | None:
    """The self-signed certificate beside the key, where this is the deployment's own machine."""
    beside = key_file.with_name("tls.crt")
    return beside if beside.exists() else None


def _in_words(report: Report) -> str:
    lines = []
    if report.join_ms is not None:
        lines.append(f"Joined     {report.join_ms:.0f} ms until both saw and heard each other")
    if report.delivered is not None:
        lines.append(f"Delivered  {report.delivered:.3%} of {report.packets} packets")
        lines.append(f"Delay      {report.delay_ms_p50} ms (median), {report.delay_ms_p99} ms (99 of 100)")
    if report.recording is not None:
        intact, complete = ("yes" if so else "NO" for so in (report.recording.intact, report.recording.complete))
        lines.append(f"Recording  intact: {intact}, complete: {complete}")
    lines.append(f"Failed     {report.failed}" if report.failed else "All well" if report.good else "NOT WELL")
    return "\n".join(lines)
