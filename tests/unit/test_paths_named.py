"""What documents, docstrings and comments say lies somewhere, lies there: paths, and modules by their dotted names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = "signaling|media|recorder|turn|config|tests|web_client"
MADE = ("web_client/dist", "web_client/node_modules")
"""By `make`: named, and not of the tree."""
NOT_OURS = {"node_modules", "dist", "fixtures", ".venv"}
TEXTS = {".py", ".md", ".ts", ".tsx", ".mjs", ".css", ".sh", ".awk", ".toml"}
PATH = re.compile(rf"(?<![\w/.:-])((?:{ROOMS})/[\w./-]*\w)")
MODULE = re.compile(rf"`((?:{ROOMS})(?:\.[a-z_0-9]+)+)(?:\.[A-Z]\w*)*`")


def texts() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and (path.suffix in TEXTS or path.name == "Makefile"))
    for room in ROOMS.split("|"):
        for path in (ROOT / room).rglob("*"):
            if path.suffix in TEXTS and not NOT_OURS & set(path.relative_to(ROOT).parts):
                yield path


def is_there(name: str, beside: Path) -> bool:
    """A file, a folder, a module without its ending, or the number that a decision begins with."""
    if name.startswith(MADE):
        return True
    places = [ROOT / name]
    if beside.is_relative_to(ROOT / "web_client"):  # its scripts are run there
        places.append(ROOT / "web_client" / name)
    return any(path.exists() or any(path.parent.glob(f"{path.name}[-.]*")) for path in places)


def is_said(dotted: str) -> bool:
    """A module or package, or a name that stands in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.is_dir() or path.with_suffix(".py").is_file():
            text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
            return length == len(parts) or re.search(rf"\b{parts[length]}\b", text) is not None
    return False


def test_the_tests_own_readme_names_every_part_of_theirs() -> None:
    said = (ROOT / "tests" / "README.md").read_text()
    parts = [
        path.name for path in (ROOT / "tests").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    assert [name for name in parts if name not in said] == []


def test_every_path_that_is_named_is_there() -> None:
    lost = {(str(text.relative_to(ROOT)), name) for text in texts() for name in PATH.findall(text.read_text())}
    assert sorted((text, name) for text, name in lost if not is_there(name, ROOT / text)) == []


def test_every_module_that_is_named_is_there() -> None:
    wire = ROOT / "signaling" / "PROTOCOL.md"  # what is dotted there is a message's member
    lost = {
        (str(text.relative_to(ROOT)), name)
        for text in texts()
        if text != wire
        for name in MODULE.findall(text.read_text())
    }
    assert sorted((text, name) for text, name in lost if not is_said(name)) == []
