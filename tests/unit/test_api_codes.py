"""Code, protocol and OpenAPI document name the same refusals."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

import signaling.api.problems
from signaling.api.codes import CODES
from signaling.api.problems import Problem
from signaling.recordings import copies, exports
from tests.http_api import open_api

ROOT = Path(__file__).parents[2]
PROBLEMS = {kind.__name__: kind for kind in vars(signaling.api.problems).values() if isinstance(kind, type)}


def raised() -> set[tuple[int, str]]:
    """(status, code) of every problem that the API makes with a code in so many words."""
    found = set()
    for file in (ROOT / "signaling" / "api").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PROBLEMS:
                said = [
                    each.value.value
                    for each in node.keywords
                    if each.arg == "code" and isinstance(each.value, ast.Constant)
                ]
                found |= {(PROBLEMS[node.func.id].status, str(code)) for code in said}
    return found


def test_every_code_that_is_raised_is_listed_under_its_status() -> None:
    known = {(status, code) for status, codes in CODES.items() for code in codes}
    assert len(raised()) > 30
    assert raised() - known == set()
    assert {(kind.status, kind.code) for kind in Problem.__subclasses__()} - known == set()


def written() -> set[str]:
    """Every text that stands in the code where something is made, and not where codes are listed."""
    found = set()
    for file in (*(ROOT / "signaling").rglob("*.py"), *(ROOT / "recorder").rglob("*.py")):
        if file.name != "codes.py":
            nodes = ast.walk(ast.parse(file.read_text()))
            found |= {each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


def test_every_code_that_is_listed_is_made_by_something() -> None:
    codes = {code for listed in CODES.values() for code in listed}
    put_together = {f"copy_{how}" for how in get_args(copies.State)} | {
        f"export_{how}" for how in get_args(exports.State)
    }
    made = written() | put_together | {"session_ended", "session_expired"}
    assert codes - made == set()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/webhooks/none/stop", 404, "receiver_unknown"),
        ("POST", "/grants/none/revoke", 404, "grant_unknown"),
        ("POST", "/exports/none/decision", 404, "export_unknown"),
        ("POST", "/appointments/none/cancel", 404, "appointment_unknown"),
        ("POST", "/ratings/none/review", 404, "rating_unknown"),
        ("GET", "/visits?cursor=none", 400, "cursor_invalid"),
        ("GET", "/visits?cursor=" + "9" * 81, 400, "parameter_invalid"),
        ("GET", "/visits?limit=1&limit=2", 400, "parameter_invalid"),
        ("GET", "/nothing", 404, "not_found"),
    ],
)
async def test_what_is_not_there_has_a_code_of_its_own(
    method: str, path: str, status: int, code: str, tmp_path: Path
) -> None:
    body = {"decision": "shown"} if "review" in path else {"approve": True} if "decision" in path else {}
    async with open_api(tmp_path) as api:
        said = await api.call(method, f"/api/v1{path}", json=body)
    assert (said[0], said[1]["code"]) == (status, code)


def test_the_protocol_lists_the_same_codes() -> None:
    section = (ROOT / "signaling" / "PROTOCOL.md").read_text().partition("## 18.")[2]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", section, re.MULTILINE)
    said = {int(status): set(re.findall(r"`([a-z_]+)`", codes)) - {"at", "request_id"} for status, codes in rows}
    assert said == {status: set(codes) for status, codes in CODES.items()}
