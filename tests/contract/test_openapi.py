"""The OpenAPI document is true: what it allows is accepted, what it forbids is refused, and every answer fits it.

Schemathesis reads the served document and makes the requests, from a fixed seed, against the running API. It also knows the
laws of HTTP: 405 with Allow, 401 without a credential, problem documents of the declared media type.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from random import Random

from config.clock import now_iso
from recorder.audit import audit_door, make_audit_app
from recorder.store_folder import FolderStore
from signaling.messages import Photo
from signaling.outbox import SqlOutbox
from tests.bundles import honest_visit
from tests.http_api import API_KEY, open_api, some_visit

EXAMPLES = 12
CONFIG = """
[parameters]
"path.visit" = "v1"
"path.name" = "{name}"
"path.photo" = "p1"
"path.receiver" = "r1"
[auth.openapi.apiKey]
bearer = "{api_key}"
[auth.openapi.apiKeyHeader]
api_key = "{api_key}"
[auth.openapi.auditorToken]
bearer = "{auditor}"
[auth.openapi.seatToken]
bearer = "{seat}"
[[operations]]
include-operation-id = "uploadPhoto"
checks.positive_data_acceptance.enabled = false  # a schema cannot say which bytes are a picture
"""


async def test_the_served_document_holds(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    objects = honest_visit(Random(1), "v1")
    for name, data in objects.items():
        await store.put(f"recordings/v1/{name}", data, hashlib.sha256(data).hexdigest())
    async with audit_door(make_audit_app(store), tmp_path / "audit.sock"), open_api(tmp_path, burst=1e9) as api:
        await api.store.create(some_visit("v1"), None, "")
        auditor = api.tokens.issue("auditor", None, "auditor-test", 3600)
        seat = api.tokens.issue("patient", "v1", "patient", 3600)
        await api.messages.keep_photo("v1", "patient", Photo("p1", "image/png", 8, 1, 1, "00"), now_iso())
        await SqlOutbox(api.store.engine).register("r1", "http://127.0.0.1:9/")
        await api.files.put("v1", "p1", b"a picture")
        name = next(name for name in objects if name.endswith(".webm"))
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.format(api_key=API_KEY, auditor=auditor, seat=seat, name=name))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(config), "run", str(api.client.make_url("/api/v1/openapi.json"))),
            *("--seed", "20260504", "--generation-deterministic", "--max-examples", str(EXAMPLES)),
            *("--phases", "examples,coverage,fuzzing", "--workers", "2", "--no-color"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
