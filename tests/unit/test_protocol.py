"""PROTOCOL.md and the code name the same events, fields, codes and words: a stranger has the document alone."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from signaling import tokens
from signaling.law import events, messages
from signaling.law.errors import EventRefused, OfferRefused
from signaling.law.facts import Ending

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "signaling" / "PROTOCOL.md").read_text()
SECTIONS = {int(n): text for n, text in re.findall(r"^## (\d+)\. (.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)}


def rows(text: str) -> dict[str, list[str]]:
    """First cell's word → the other cells, of every table in it."""
    found = re.findall(r"^\| `([a-z._]+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in found}


def words(text: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9_]+)`", text))


def below(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def said_to(name: str) -> set[str]:
    """The first argument, where it is written out, of every call of this name."""
    found = set()
    for file in (ROOT / "signaling").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            at = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if at == name and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


EVENTS = {name: cells for name, cells in rows(SECTIONS[5]).items() if len(cells) == 4}
ANY = {name: cells for name, cells in rows(SECTIONS[5]).items() if len(cells) == 1}
OFFER = rows(SECTIONS[6])


def test_the_document_lists_the_events_that_the_server_takes() -> None:
    assert list(EVENTS) != []
    assert set(EVENTS) == set(events.TYPES)


@pytest.mark.parametrize("name", events.TYPES)
def test_each_event_has_the_fields_that_the_document_gives_it(name: str) -> None:
    fields = {each.encode_name for each in msgspec.structs.fields(events.TYPES[name])} - {"v"}
    assert fields <= words(EVENTS[name][1])
    assert bool(fields) == (EVENTS[name][1] != "–")


def test_every_code_an_event_can_be_refused_with_is_in_the_document_and_none_beside() -> None:
    said = set(ANY) | set(OFFER) | {code for cells in EVENTS.values() for code in words(cells[3])}
    taken = {kind.code for kind in below(messages.MessageRefused)} - {messages.PhotosFull.code}  # HTTP's alone
    made = {kind.code for kind in below(EventRefused)} | OfferRefused.CODES | taken
    assert said - {"live", "ok", "seat"} == made


def test_every_code_of_a_refused_connect_is_in_the_document_and_none_beside() -> None:
    listed = SECTIONS[2].partition("with one of")[2].partition("An auth payload")[0]
    made = said_to("_refusal") | said_to("_shut_out") | {kind.code for kind in below(tokens.TokenError)}
    assert words(listed) - {"data", "contacts", "problem"} == made | {"version_unsupported", "namespace_unknown"}


def test_every_word_of_a_bye_is_in_the_document_and_none_beside() -> None:
    listed = re.search(r'"code": ("taken_over".*?)\}`', DOCUMENT)
    assert listed is not None
    assert set(re.findall(r'"([a-z_]+)"', listed[1])) == said_to("bye")


def test_every_end_of_a_visit_is_in_the_document_and_none_beside() -> None:
    listed = DOCUMENT.partition("| `ended` | null, or")[2].partition("\n")[0].partition("reasons")[2]
    assert words(listed) == set(get_args(get_type_hints(Ending)["reason"]))


def test_every_example_that_stands_as_json_is_json() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for each in blocks:
        assert isinstance(json.loads(each), dict)
