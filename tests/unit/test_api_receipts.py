"""Receipts over HTTP: a seat of a visit that is over gets the proof of its end, and nobody else does."""

from __future__ import annotations

from pathlib import Path

from recorder.audit.routes import audit_door, make_audit_app
from recorder.evidence.receipt import parse_receipt
from recorder.store.folder import FolderStore
from tests.authority import make_authority
from tests.bundles import write_bundle
from tests.http_api import Api, open_api, some_visit
from tests.stamps import stamped_visit


def token(api: Api, role: str, visit: str) -> str:
    return api.tokens.issue(role, visit, role, 600)  # type: ignore[arg-type]


async def test_doctor_and_patient_take_home_the_proof_of_the_end(tmp_path: Path) -> None:
    visit = stamped_visit(make_authority(tmp_path / "authority"))
    write_bundle(visit.objects, tmp_path / "store" / "recordings" / visit.visit)
    async with open_api(tmp_path) as api:
        for name, phase in ((visit.visit, "ended"), ("v2", "live"), ("v3", "ended")):
            await api.store.create(some_visit(name, phase=phase), None, "")
        status, problem = await api.call("GET", "/api/v1/receipt", token(api, "patient", visit.visit))
        assert (status, problem["code"]) == (503, "recorder_unavailable")
        async with audit_door(make_audit_app(FolderStore(tmp_path / "store")), tmp_path / "audit.sock"):
            for role in ("patient", "doctor"):
                status, made = await api.call("GET", "/api/v1/receipt", token(api, role, visit.visit))
                assert (status, made["visit"]) == (200, visit.visit)
                receipt = parse_receipt(made["receipt"].encode())
                assert (receipt.visit, receipt.records) == (visit.visit, len(visit.lines))
                assert receipt.logged is not None
                assert parse_receipt(made["short"].encode()).hash == receipt.hash
            status, problem = await api.call("GET", "/api/v1/receipt", token(api, "patient", "v2"))
            assert (status, problem["code"]) == (409, "phase_wrong")
            status, pending = await api.call("GET", "/api/v1/receipt", token(api, "patient", "v3"))
            assert (status, pending) == (202, {"visit": "v3"})
            status, _ = await api.call("GET", "/api/v1/receipt", api.tokens.issue("auditor", None, "a", 600))
            assert status == 403
