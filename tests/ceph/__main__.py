"""`python -m tests.ceph`: start the S3 server by hand, say where it is, and stop it on Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.ceph.server import PACKAGES, running
from tests.debian.packages import unpacked

signal.signal(signal.SIGTERM, lambda *_: sys.exit())
with (
    contextlib.suppress(KeyboardInterrupt),
    tempfile.TemporaryDirectory(prefix="ceph-") as folder,
    running(unpacked("ceph", PACKAGES), Path(folder)) as server,
):
    print(f"started in {server.started_s:.1f} s")
    print(f"export AWS_ACCESS_KEY_ID={server.access_key} AWS_SECRET_ACCESS_KEY={server.secret_key}")
    print(f"export TELECONSULT_S3_ENDPOINT={server.endpoint}", flush=True)
    signal.pause()
