"""The rules by their ids: each stands in one place, is obeyed somewhere, and what is cited is there.

A rule is written where a line of a module's docstring begins with its id, or in bold in one of the two documents that bind.
A module may say a document's rule again if it lies in the same room: PROTOCOL.md is signaling's, FORMAT.md the recorder's.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "signaling" / "PROTOCOL.md", ROOT / "recorder" / "FORMAT.md")
RULE = r"[A-Z]{2,10}-[0-9]{1,2}"
ROOMS = ("config", "media", "recorder", "signaling", "turn", "tests", "web_client")
BUILT = {"node_modules", "dist", "fixtures"}
SOURCES = {".py", ".ts", ".tsx", ".sh", ".awk"}
NO_RULES = {"SHA-1", "SHA-2", "UTF-8"}


def sources() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.suffix in SOURCES and not BUILT & set(path.relative_to(ROOT).parts) and path != Path(__file__):
                yield path


def written(path: Path) -> set[str]:
    """The rules that this file lays down."""
    text = path.read_text()
    if path.suffix == ".md":
        return set(re.findall(rf"\*\*({RULE})\*\*", text))
    docstring = (ast.get_docstring(ast.parse(text)) or "") if path.suffix == ".py" else ""
    said = re.findall(rf"^({RULE})  ?(?!See )\S", docstring, re.MULTILINE)
    return set(said)


def cited(path: Path) -> set[str]:
    return set(re.findall(rf"\b{RULE}\b", path.read_text())) - NO_RULES


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_one_id_is_one_rule() -> None:
    modules = [(path, rule) for path in sources() for rule in written(path)]
    often = [rule for rule, times in Counter(rule for _, rule in modules).items() if times > 1]
    assert often == []
    elsewhere = {rule: room(document) for document in DOCUMENTS for rule in written(document)}
    assert [(path, rule) for path, rule in modules if elsewhere.get(rule, room(path)) != room(path)] == []


def test_the_two_documents_share_no_id() -> None:
    protocol, format_ = map(written, DOCUMENTS)
    assert protocol & format_ == set()


def test_every_rule_of_the_documents_stands_in_code() -> None:
    obeyed = set().union(*(cited(path) for path in sources() if room(path) != "tests"))
    assert [sorted(written(document) - obeyed) for document in DOCUMENTS] == [[], []]


def test_what_is_cited_is_written_somewhere() -> None:
    places = [*sources(), *DOCUMENTS]
    rules = set().union(*map(written, places))
    families = {rule.rpartition("-")[0] for rule in rules}
    unknown = {(path.name, rule) for path in places for rule in cited(path) - rules}
    assert {(name, rule) for name, rule in unknown if rule.rpartition("-")[0] in families} == set()
