"""`teleconsult serve`, as its user meets it: what it prints, what it survives, what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import stat
import sys
from pathlib import Path
from typing import Literal

import aiohttp
import psutil

from config.settings import MEDIA_PORT, Settings
from teleconsult_serve import _free_media_port
from tests.issued import issued
from tests.patience import PATIENCE_S
from tests.system import System, free_port, running, teleconsult

PARTS: tuple[Literal["signaling", "media", "recorder"], ...] = ("signaling", "media", "recorder")


async def test_with_json_one_line_says_where_everything_is_and_what_is_killed_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path, "--demo") as system:
        assert set(system.ready) == {"url", "api_key_file", "recordings", "pid", "links"}
        assert set(system.ready["links"]) == {"doctor", "patient", "auditor", "coordinator"}
        assert all(link.startswith(system.url) for link in system.ready["links"].values())
        assert system.ready["pid"] == system.process.pid
        assert system.ready["recordings"] == str(tmp_path / "store")
        key_file = Path(system.ready["api_key_file"])
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert (await system.api("GET", "/visits"))["visits"]

        # A second one on the same folder is refused, and the first takes no harm.
        await refused("another teleconsult runs on", "--data", "--port", "0", "--data", str(tmp_path))

        for part in PARTS:
            before = system.part(part).pid
            system.kill(part)
            await back(system, part, before)
        assert await answers_again(system)


async def test_ctrl_c_ends_everything_and_it_starts_again_on_the_same_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running(data) as system:
        visit = (await system.visit())["id"]
        key = system.api_key
        written = {path for path in data.rglob("*") if path.is_file()} - {
            data / "serve.log"
        }  # which is this test's own
        assert [path for path in written if path.stat().st_mode & 0o077] == []  # names and messages are in the database
        children = psutil.Process(system.process.pid).children(recursive=True)
        assert len(children) == 3
        run = run_folder(system)
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        assert await system.stop() == 0
        assert [child for child in children if child.is_running()] == []
        assert not run.exists()
    (data / "teleconsult.db").chmod(0o644)  # as an earlier version made it
    async with running(data) as system:
        assert system.api_key == key
        assert (await system.api("GET", f"/visits/{visit}"))["id"] == visit
        assert stat.S_IMODE((data / "teleconsult.db").stat().st_mode) == 0o600

        # No part outlives a front door that is killed.
        children = psutil.Process(system.process.pid).children(recursive=True)
        assert len(children) == 3
        system.process.kill()
        await system.process.wait()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, 10)
        assert alive == []


async def test_without_json_it_speaks_to_people(tmp_path: Path) -> None:
    arguments = ("serve", "--demo", "--port", str(free_port()), "--data", str(tmp_path))
    said = await first_lines(8, *arguments)
    assert said[0].startswith("Teleconsult is ready at http://127.0.0.1:")
    assert [line.split()[0] for line in said[3:7]] == ["Doctor", "Patient", "Auditor", "Coordinator"]


async def test_self_signed_tls_serves_https_at_the_machines_own_addresses(tmp_path: Path) -> None:
    async with running(tmp_path, "--tls", "self-signed") as system:
        assert system.url.startswith("https://")
        assert (await system.visit())["links"]["patient"].startswith(system.url)


async def test_a_certificate_of_an_authority_is_served_and_one_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    chain, key = issued(tmp_path / "tls")
    surroundings = {"TELECONSULT_TLS_CERT": str(chain), "TELECONSULT_TLS_KEY": str(key)}
    data = tmp_path / "data"
    async with running(data, "--demo", "--tls", "files", **surroundings) as system:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "tls" / "root.pem"))
        async with aiohttp.ClientSession() as session, session.get(f"{system.url}/readyz", ssl=trusting) as answer:
            assert answer.status == 200
        login = f"{system.url}/auth/login"
        async with (
            aiohttp.ClientSession() as session,
            session.get(login, ssl=trusting, allow_redirects=False) as answer,
        ):
            assert answer.status == 303  # the built-in issuer is reached over the same certificate
    words = ("--port", "0", "--data", str(data), "--tls", "files")
    surroundings["TELECONSULT_TLS_KEY"] = str(tmp_path / "tls" / "root.key")
    await refused("tls_cert and tls_key", "belong together", *words, **surroundings)
    surroundings["TELECONSULT_TLS_KEY"] = str(tmp_path / "none.key")
    await refused("tls_key: cannot read", "account", *words, **surroundings)


# ---- what stands in the way


async def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        new = tmp_path / "new" / "data"
        await refused(f"port {port} is in use", "--port", "--port", str(port), "--data", str(new))
        assert list(tmp_path.iterdir()) == []  # what was not there before is not there now


async def test_an_address_that_is_a_router_s_is_said_in_one_line(tmp_path: Path) -> None:
    words = ("--port", "0", "--data", str(tmp_path))
    reached = {"TELECONSULT_MEDIA_ADDRESSES": "203.0.113.9", "TELECONSULT_MEDIA_PORT": ""}
    await refused("203.0.113.9 is no address of this machine", "", *words, **reached)
    await refused("192.0.2.7 is no address", "", *words, TELECONSULT_MEDIA_ADDRESSES="203.0.113.9/192.0.2.7")
    await refused("media_addresses", "IP addresses", *words, TELECONSULT_MEDIA_ADDRESSES="visits.example.org")


async def test_a_busy_media_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        busy.bind(("127.0.0.1", 0))
        port = str(busy.getsockname()[1])
        said = f"media port {port} (UDP or TCP) is in use"
        await refused(
            said, "TELECONSULT_MEDIA_PORT=", "--port", "0", "--data", str(tmp_path), TELECONSULT_MEDIA_PORT=port
        )


def test_a_media_port_nobody_asked_for_is_the_next_free_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        with contextlib.suppress(OSError):
            busy.bind(("127.0.0.1", MEDIA_PORT))
        found = _free_media_port(Settings(media_addresses=("127.0.0.1",), media_workers=2))
    assert found > MEDIA_PORT
    assert (found - MEDIA_PORT) % 2 == 0


async def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    await refused("cannot write to", "--data", "--port", "0", "--data", str(tmp_path / "file" / "data"))


async def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    await refused("media_workers", "1 to 64", "--data", str(tmp_path), TELECONSULT_MEDIA_WORKERS="0")


async def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "api.key").write_text("known")
    (tmp_path / "keys" / "api.key").chmod(0o644)
    await refused("can be read by others", "chmod 600", "--port", "0", "--data", str(tmp_path))


async def test_turn_without_a_turnserver_is_said_in_one_line(tmp_path: Path) -> None:
    arguments = ("--turn", "--port", "0", "--data", str(tmp_path))
    await refused("turnserver is not installed", "apt install coturn", *arguments, PATH=str(tmp_path))


async def test_help_names_every_command() -> None:
    code, out, _ = await teleconsult("--help")
    assert code == 0
    for command in ("serve", "verify", "export", "probe", "signaling", "media", "recorder"):
        assert f"\n  {command} " in out


async def refused(what: str, remedy: str, *arguments: str, **environ: str) -> None:
    """`serve` fails at once, with one line that says what is wrong and what to do."""
    environ.setdefault("TELECONSULT_MEDIA_PORT", "0")
    code, out, err = await teleconsult("serve", *arguments, **environ)
    assert code != 0
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert what in err
    assert remedy in err


async def first_lines(count: int, *arguments: str) -> list[str]:
    """The first lines that the command prints; it is stopped then."""
    pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    environ = {**os.environ, "TELECONSULT_MEDIA_PORT": "0"}
    command = await asyncio.create_subprocess_exec(
        "teleconsult", *arguments, stdin=none, stdout=pipe, stderr=none, env=with_our_command(environ)
    )
    assert command.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            return [(await command.stdout.readline()).decode().rstrip() for _ in range(count)]
    finally:
        command.send_signal(signal.SIGTERM)
        await command.wait()


def with_our_command(environ: dict[str, str]) -> dict[str, str]:
    """The console command that stands beside this interpreter comes first."""
    return environ | {"PATH": f"{Path(sys.executable).parent}:{environ.get('PATH', '')}"}


def run_folder(system: System) -> Path:
    """Where the sockets are."""
    return Path(system.part("recorder").environ()["TELECONSULT_RUN"])


async def answers_again(system: System) -> bool:
    """Signaling answers, after a while."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(OSError, aiohttp.ClientError):
                return bool(await system.api("GET", "/visits"))
            await asyncio.sleep(0.05)


async def back(system: System, part: Literal["signaling", "media", "recorder"], before: int) -> None:
    """Another process does this part's work."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(LookupError, psutil.Error):
                if system.part(part).pid != before:
                    return
            await asyncio.sleep(0.05)
