"""config.logs: one event, one line, nobody's name."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from config.logs import Pii, setup


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_line_for_people_has_part_event_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    setup("recorder")
    logging.getLogger("recorder.x").info("segment sealed", extra={"visit": "Vb", "bytes": 12})
    assert capsys.readouterr().err[12:] == " recorder  I segment sealed visit=Vb bytes=12\n"


def test_a_line_for_machines_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    setup("media-0", as_json=True)
    logging.getLogger("media.x").warning("tap full", extra={"lost": 3, "part": "cannot overwrite"})
    line = json.loads(capsys.readouterr().err)
    assert {name: line[name] for name in ("part", "level", "logger", "event", "lost")} == {
        "part": "media-0",
        "level": "warning",
        "logger": "media.x",
        "event": "tap full",
        "lost": 3,
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_personal_is_never_written(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    setup("signaling", as_json=as_json)
    name = Pii("王桂英")
    logging.getLogger("x").info("joined", extra={"who": name})
    logging.getLogger("x").info(f"joined {name} {name!r}")
    assert "王桂英" not in capsys.readouterr().err
    assert name.reveal() == "王桂英"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_bug_brings_its_traceback(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    setup("x", as_json=as_json)
    try:
        raise KeyError("k")
    except KeyError:
        logging.getLogger("x").exception("request failed")
    assert "KeyError" in capsys.readouterr().err


def test_libraries_that_log_addresses_of_peers_are_hushed(capsys: pytest.CaptureFixture[str]) -> None:
    setup("x", level="debug")
    logging.getLogger("aioice.ice").info("Connection(0) Check CandidatePair(192.0.2.1)")
    assert capsys.readouterr().err == ""


def test_setting_up_again_does_not_write_twice(capsys: pytest.CaptureFixture[str]) -> None:
    setup("x")
    setup("x")
    logging.getLogger("x").info("once")
    assert capsys.readouterr().err.count("once") == 1
