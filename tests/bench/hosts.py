"""A network namespace of our own for the servers under load, joined to this host by a veth pair.

Janus ignores loopback, so both servers stand behind the same virtual wire (198.18.0.0/15, RFC 2544).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """A namespace and the two ends of its wire."""

    name: str
    ip: str
    our_ip: str

    def command(self, command: list[str]) -> list[str]:
        """The same command, run inside."""
        return ["ip", "netns", "exec", self.name, *command]


class NoNamespaces(Exception):
    """This machine does not let us make network namespaces; the message says what it said."""

    code = "no_namespaces"


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNamespaces(f"ip {' '.join(words)}: {done.stderr.strip()}")


@contextlib.contextmanager
def host(number: int = 1) -> Iterator[Host]:
    """A namespace that is gone afterwards. Raises `NoNamespaces`."""
    mark = f"tcb{os.getpid() % 100000}"
    made = Host(mark, f"198.18.{number}.2", f"198.18.{number}.1")
    near, far = f"{mark}n", f"{mark}f"
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", made.name)
        _ip("addr", "add", f"{made.our_ip}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("netns", "exec", made.name, "ip", "addr", "add", f"{made.ip}/30", "dev", far)
        _ip("netns", "exec", made.name, "ip", "link", "set", far, "up")
        _ip("netns", "exec", made.name, "ip", "link", "set", "lo", "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", near], capture_output=True, check=False)
