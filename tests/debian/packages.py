"""Debian's packages, unpacked into the checkout's cache: nothing is installed, nobody needs to be root."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"
DOWNLOAD_S = 240


class Unavailable(Exception):
    """The packages cannot be had here. The text says why."""


def unpacked(name: str, wanted: Sequence[str]) -> Path:
    """The root of an unpacked tree with these packages, and what of theirs this machine has not; made once, under this name.

    Raises `Unavailable`.
    """
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise Unavailable(f"they are Debian's packages, and there is no {tool} here")
    cache = CACHE / name
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(cache / "lock"):
        root = cache / f"root-{platform.machine()}"
        if not root.is_dir():
            new = cache / "root.new"
            shutil.rmtree(new, ignore_errors=True)
            for package in _download(cache, wanted):
                _run("dpkg", "-x", str(package), str(new))
            shutil.rmtree(cache / "packages")
            new.rename(root)
        return root


def libraries(root: Path) -> str:
    """Where programs of the tree find their libraries, for `LD_LIBRARY_PATH`."""
    system = f"{platform.machine()}-linux-gnu"
    return f"{root / 'usr' / 'lib' / system}:{root / 'lib' / system}"


def _download(cache: Path, wanted: Sequence[str]) -> list[Path]:
    folder = cache / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        _fetch(folder, wanted, ())
    except Unavailable:
        # The machine's package lists are old, or it has none: read them anew into a place of our own.
        for name in ("lists/partial", "archives/partial"):
            (cache / "apt" / name).mkdir(parents=True, exist_ok=True)
        own = (f"Dir::State::lists={cache / 'apt/lists'}", f"Dir::Cache={cache / 'apt'}")
        _apt(folder, own, "update")
        _fetch(folder, wanted, own)
    return sorted(folder.glob("*.deb"))


def _fetch(folder: Path, wanted: Sequence[str], options: tuple[str, ...]) -> None:
    """What is wanted, and whatever of its dependencies this machine has not installed."""
    planned = _apt(folder, options, "install", "--simulate", "--no-install-recommends", "--reinstall", *wanted)
    names = {line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")}
    if not names >= set(wanted):
        raise Unavailable(f"apt-get knows no {' '.join(wanted)} for this system")
    _apt(folder, options, "download", *sorted(names))


def _apt(folder: Path, options: tuple[str, ...], *words: str) -> str:
    # Downloads are ours to read: no other user has to reach the folder.
    sandbox = ("APT::Sandbox::User=root",) if os.geteuid() == 0 else ()
    given = [word for option in (*options, *sandbox) for word in ("-o", option)]
    return _run("apt-get", "-q", *given, *words, folder=folder)


def _run(*command: str, folder: Path | None = None) -> str:
    environ = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=DOWNLOAD_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} took longer than {DOWNLOAD_S} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Unavailable(f"{command[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
