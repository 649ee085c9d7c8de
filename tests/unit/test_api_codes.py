"""Code, protocol and OpenAPI document name the same refusals."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import signaling.problems
from signaling.api.codes import CODES
from signaling.problems import Problem

ROOT = Path(__file__).parents[2]
PROBLEMS = {kind.__name__: kind for kind in vars(signaling.problems).values() if isinstance(kind, type)}


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


def test_the_protocol_lists_the_same_codes() -> None:
    section = (ROOT / "signaling" / "PROTOCOL.md").read_text().partition("## 18.")[2]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", section, re.MULTILINE)
    said = {int(status): set(re.findall(r"`([a-z_]+)`", codes)) - {"at", "request_id"} for status, codes in rows}
    assert said == {status: set(codes) for status, codes in CODES.items()}
