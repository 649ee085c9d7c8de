"""The OpenAPI document is true: what it allows is accepted, what it forbids is refused, and every answer fits it.

Schemathesis reads the served document and makes the requests, from a fixed seed, against the running API. It also knows the
laws of HTTP: 405 with Allow, 401 without a credential, problem documents of the declared media type. One worker: CPython 3.11
cannot parse Python in two threads at once (gh-106905), and Hypothesis does.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from random import Random

from config.clock import now_iso
from recorder.store.folder import FolderStore
from signaling.law.messages import Photo
from signaling.recordings.export_store import SqlExports
from signaling.recordings.exports import Export
from signaling.sql.outbox import SqlOutbox
from signaling.staff.access import Asker, Grant
from tests.bundles import honest_visit
from tests.http_api import API_KEY, Api, open_api, some_visit
from tests.looking import recorder_door

EXAMPLES = 12
CONFIG = """
[parameters]
"path.visit" = "v1"
"path.name" = "{name}"
"path.photo" = "p1"
"path.receiver" = "r1"
"path.grant" = "g1"
"path.export" = "e1"
"path.copy" = "c1"
[auth.openapi.apiKey]
bearer = "{api_key}"
[auth.openapi.apiKeyHeader]
api_key = "{api_key}"
[auth.openapi.auditorToken]
bearer = "{auditor}"
[auth.openapi.seatToken]
bearer = "{seat}"
[auth.openapi.staffSession]
bearer = "{staff}"
[[operations]]
include-operation-id = "addPicture"
checks.positive_data_acceptance.enabled = false  # a schema cannot say which bytes are a picture
[[operations]]
include-operation-id = "uploadPhoto"
checks.positive_data_acceptance.enabled = false  # a schema cannot say which bytes are a picture
[[operations]]
include-operation-id = "createGrant"
checks.positive_data_acceptance.enabled = false  # nor that an end comes after a beginning, and within a year
[[operations]]
include-operation-id = ["decideExport", "getExport", "makeCopy"]
checks.positive_data_acceptance.enabled = false  # nor what an export allows once, and a queue when it is full
[[operations]]
include-operation-id = ["listRecordings", "listVisits"]
checks.positive_data_acceptance.enabled = false  # nor which cursors were ever given out (`cursor_invalid`)
[[operations]]
include-operation-id = "endSession"
enabled = false  # it would end the session that all others are tried with
"""


async def asked_for(api: Api, auditor: str) -> None:
    """A grant, a reason and an export, so that what needs them can be had."""
    late = "2099-01-01T00:00:00.000Z"
    await api.access.give(Grant("g1", "a-1", "quality", now_iso(), late, ("v1",), created=now_iso(), created_by="a"))
    why = {"purpose": "quality", "reason": "the document is true"}
    await api.call("POST", "/api/v1/recordings/v1/reason", auditor, json=why)
    await SqlExports(api.store.engine).ask(Export("e1", "v1", "a-9", now_iso(), "quality", "why", now_iso()))


async def test_the_served_document_holds(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    objects = honest_visit(Random(1), "v1")
    for name, data in objects.items():
        await store.put(f"recordings/v1/{name}", data, hashlib.sha256(data).hexdigest())
    async with recorder_door(tmp_path), open_api(tmp_path, burst=1e9) as api:
        await api.store.create(some_visit("v1"), None, "")
        auditor = api.tokens.issue("auditor", None, "auditor-test", 3600)
        seat = api.tokens.issue("patient", "v1", "patient", 3600)
        await api.messages.keep_photo("v1", "patient", Photo("p1", "image/png", 8, 1, 1, "00"), now_iso())
        await SqlOutbox(api.store.engine).register("r1", "http://127.0.0.1:9/")
        await api.files.put("v1", "p1", b"a picture")
        await asked_for(api, auditor)
        staff = await api.access.begin(Asker("a-1", "auditor"), now_iso(), "2099-01-01T00:00:00.000Z")
        name = next(name for name in objects if name.endswith(".webm"))
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.format(api_key=API_KEY, auditor=auditor, seat=seat, staff=staff, name=name))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(config), "run", str(api.client.make_url("/api/v1/openapi.json"))),
            *("--seed", "20260504", "--generation-deterministic", "--max-examples", str(EXAMPLES)),
            *("--phases", "examples,coverage,fuzzing", "--workers", "1", "--no-color"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
