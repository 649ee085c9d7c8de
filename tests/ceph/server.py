"""A real S3 server with real Object Lock: one monitor, one disk and one gateway of Ceph, on loopback, as ordinary processes.

Three processes of the caller's own user; they die with it. Data goes to the folder given (about 150 MB) and is worth nothing
afterwards: nothing is authenticated inside the cluster, only S3 itself asks for keys.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.debian.packages import libraries
from tests.system import free_port

PACKAGES = ("ceph-mon", "ceph-osd", "radosgw", "ceph-common")
"""About 70 MB to download, 350 MB on disk."""

START_S = 90.0
STOP_S = 15.0
ACCESS_KEY, SECRET_KEY = "AKIATESTS", "a-secret-of-the-tests"


class Ceph(NamedTuple):
    """A running server: where it listens, its one user's keys, and how long it took to start, in seconds."""

    endpoint: str
    access_key: str
    secret_key: str
    started_s: float


class CephFailed(Exception):
    """The server did not start; the text is what its processes said last."""


class PortTaken(CephFailed):
    """Somebody else took the port meanwhile."""


@contextmanager
def running(root: Path, folder: Path) -> Iterator[Ceph]:
    """A fresh server from the packages unpacked in `root`, with its data in `folder`. Raises `CephFailed`."""
    cluster = _Cluster(root, folder / "first")
    try:
        try:
            server = cluster.start()
        except PortTaken:  # a port was free when it was chosen, and not when it was used
            cluster.stop()
            cluster = _Cluster(root, folder / "second")
            server = cluster.start()
        yield server
    finally:
        cluster.stop()


class _Cluster:
    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._monitor, self._port = free_port(), free_port()
        self._fsid = str(uuid.uuid4())
        self._processes: list[subprocess.Popen[bytes]] = []
        self._libraries = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
        self._environ = {
            **os.environ,
            "LD_LIBRARY_PATH": f"{libraries(root)}:{self._libraries / 'ceph'}",
            "PATH": f"{root / 'usr/bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
        }

    def start(self) -> Ceph:
        begun = time.monotonic()
        for name in ("mon", "osd"):
            (self._folder / name).mkdir(parents=True)
        (self._folder / "ceph.conf").write_text(self._configuration())
        self._monitor_up()
        self._disk_up()
        self._serve("radosgw", "-n", "client.rgw")
        self._wait_for_gateway(begun + START_S)
        keys = (f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")
        self._do("radosgw-admin", "user", "create", "--uid=tests", "--display-name=tests", *keys)
        return Ceph(f"http://127.0.0.1:{self._port}", ACCESS_KEY, SECRET_KEY, time.monotonic() - begun)

    def stop(self) -> None:
        """The gateway first, then the disk, then the monitor: in any other order each waits for the one that is gone."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _monitor_up(self) -> None:
        address, map_ = f"[v1:127.0.0.1:{self._monitor}/0]", str(self._folder / "monmap")
        self._do("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", address, map_, configured=False)
        self._do("ceph-mon", "-i", "a", "--mkfs", "--monmap", map_)
        self._serve("ceph-mon", "-i", "a", "--public-addrv", address)

    def _disk_up(self) -> None:
        disk = str(uuid.uuid4())
        # The command is a script whose compiled modules are those of the system's Python, not of ours.
        python = shutil.which("python3", path="/usr/bin") or sys.executable
        self._do(python, str(self._root / "usr/bin/ceph"), "osd", "new", disk)
        self._do("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self._serve("ceph-osd", "-i", "0")

    def _do(self, *command: str, configured: bool = True) -> None:
        config = ("-c", str(self._folder / "ceph.conf")) if configured else ()
        done = subprocess.run(
            [*command, *config], env=self._environ, capture_output=True, text=True, timeout=START_S, check=False
        )
        if done.returncode:
            raise CephFailed(f"{command[0]}: {done.stderr[-500:]}")

    def _serve(self, *command: str) -> None:
        tie = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
        with (self._folder / f"{command[0]}.out").open("wb") as out:
            words = [*tie, *command, "-f", "-c", str(self._folder / "ceph.conf")]
            self._processes.append(subprocess.Popen(words, env=self._environ, stdout=out, stderr=out))

    def _wait_for_gateway(self, until: float) -> None:
        while time.monotonic() < until:
            for process in self._processes:
                if process.poll() is not None:
                    raise self._ended(process)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=2):
                    return
            except urllib.error.HTTPError as refused:  # it answers
                refused.close()
                return
            except OSError:
                time.sleep(0.1)
        raise CephFailed(f"the gateway did not answer within {START_S:.0f} s")

    def _ended(self, process: subprocess.Popen[bytes]) -> CephFailed:
        said = "".join(path.read_text("utf-8", "replace")[-600:] for path in sorted(self._folder.glob("*.out")))
        kind = PortTaken if "in use" in said or "wrong fsid" in said else CephFailed
        return kind(f"a process of Ceph ended at once ({process.returncode}): {said}")

    def _configuration(self) -> str:
        data, plugins = self._folder, self._libraries
        return f"""\
[global]
fsid = {self._fsid}
mon_host = [v1:127.0.0.1:{self._monitor}]
public_addr = 127.0.0.1
ms_bind_msgr2 = false
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 1000
run_dir = {data}
crash_dir = {data}
admin_socket = {data}/$name.sock
log_file = {data}/$name.log
plugin_dir = {plugins}/ceph
erasure_code_dir = {plugins}/ceph/erasure-code
osd_class_dir = {plugins}/rados-classes
[mon]
mon_data = {data}/mon
mon_data_avail_crit = 1
[osd]
osd_data = {data}/osd
osd_objectstore = bluestore
bluestore_block_size = 4294967296
osd_memory_target = 939524096
[client]
rgw_frontends = beast endpoint=127.0.0.1:{self._port}
rgw_data = {data}/rgw
rgw_dns_name = localhost
"""
