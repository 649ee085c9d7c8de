"""A real PostgreSQL on loopback, of Debian's package: its data is worth nothing afterwards, and it asks for no password."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.debian.packages import libraries
from tests.system import free_port

PACKAGES = ("postgresql-15", "postgresql-client-15", "libpq5")
"""About 20 MB to download, 60 MB on disk."""
START_S = 60.0
STOP_S = 15.0
USER = "tests"
AS_NOBODY = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""PostgreSQL does not run as root."""


class PostgresqlFailed(Exception):
    """It did not start; the text is what it said last."""


class Postgresql:
    """One server, its data in `folder`."""

    def __init__(self, root: Path, folder: Path) -> None:
        """`root`: the packages, unpacked."""
        self._folder = folder
        self._programs = next(root.glob("usr/lib/postgresql/*/bin"))
        self._environ = {**os.environ, "LC_ALL": "C.UTF-8", "LD_LIBRARY_PATH": libraries(root)}
        self._nobody = AS_NOBODY if os.geteuid() == 0 else ()
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._run("initdb", "-D", str(folder / "data"), "-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        """Until it takes connections. Raises `PostgresqlFailed`."""
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)  # a killed one leaves it behind
        settings = ("-h", "127.0.0.1", "-p", str(self._port), "-k", "", "-c", "fsync=off")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                (*self._nobody, self._programs / "postgres", "-D", self._folder / "data", *settings),
                stdout=log,
                stderr=log,
                env=self._environ,
            )
        end = time.monotonic() + START_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise PostgresqlFailed((self._folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, with_signal: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends its connections first; SIGKILL ends it as a machine that fails."""
        if self._process is None:
            return
        children = subprocess.run(
            ["pgrep", "-P", str(self._process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        self._process.send_signal(with_signal)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        end = time.monotonic() + STOP_S  # what it had started ends by itself; the next server waits for it
        while any(Path("/proc", child).exists() for child in children) and time.monotonic() < end:
            time.sleep(0.02)

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"d{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", USER, name)
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self._port}/{name}"

    def _ready(self) -> bool:
        asked = (self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port))
        return subprocess.run(asked, env=self._environ, check=False).returncode == 0

    def _run(self, program: str, *words: str) -> None:
        command = (*self._nobody, str(self._programs / program), *words)
        done = subprocess.run(command, env=self._environ, capture_output=True, text=True, timeout=START_S, check=False)
        if done.returncode:
            raise PostgresqlFailed(done.stderr[-2000:])


def can_run() -> str | None:
    """Why not, where it cannot."""
    if os.geteuid() != 0:
        return None
    here = shutil.which(AS_NOBODY[0]) and subprocess.run((*AS_NOBODY, "true"), capture_output=True, check=False)
    return None if here and here.returncode == 0 else "it does not run as root, and there are no user namespaces here"
