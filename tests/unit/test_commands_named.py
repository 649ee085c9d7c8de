"""What documents tell people to type is there: each command of `teleconsult`, with its options, and each target of make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from teleconsult import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(
        ROOT / name
        for name in ("README.md", "INSTALL.md", "CHANGELOG.md", "recorder/FORMAT.md", "signaling/PROTOCOL.md")
    ),
    *ROOT.glob("*/decisions/*.md"),
    ROOT / "tests" / "README.md",
]
SPAN = re.compile(r"`([^`\n]+)`")
CALL = re.compile(
    r"(?:^|bin/)teleconsult (?![a-z]+ \d$)([a-z-].*)"
)  # with a number at its end it keeps two uses of a key apart
MADE = re.compile(r"^make (?:-C \S+ )?([a-z]+)")
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def typed(text: str) -> Iterator[str]:
    """Every line of code in a document: spans, and lines of blocks without their remark."""
    yield from SPAN.findall(BLOCK.sub("", text))
    for block in BLOCK.findall(text):
        yield from (line.partition(" #")[0] for line in block.splitlines())


def missing(line: str) -> str | None:
    """What a call of `teleconsult` names that is not there."""
    called = CALL.search(line)
    at: click.Command = main
    for word in called[1].split() if called else ():
        if isinstance(at, click.Group) and re.fullmatch(r"[a-z]+", word):
            if word not in at.commands:
                return word
            at = at.commands[word]
        elif word.startswith("--"):
            options = {option for each in (at, main) for one in each.params for option in one.opts + one.secondary_opts}
            if word.partition("=")[0].rstrip(",;)") not in options | {"--help"}:
                return word
    return None


def test_every_command_and_option_that_a_document_names_is_there() -> None:
    lost = [(path.name, line) for path in DOCUMENTS for line in typed(path.read_text()) if missing(line)]
    assert lost == []


def test_every_target_of_make_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = [
        (path.name, made[1]) for path in DOCUMENTS for line in typed(path.read_text()) if (made := MADE.match(line))
    ]
    assert [(where, name) for where, name in named if name not in targets] == []
