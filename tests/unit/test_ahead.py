"""What is written ahead: a block is there with all it holds or not at all, wherever the machine stopped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from recorder.spool.ahead import EVERY_S, LEAST, Commit, Draft, WriteAhead

SEALED = "streams/patient/part-001/seg-000001.webm.open"


class Desk:
    """A folder with visits, what was committed of each, and what is in its place."""

    def __init__(self, root: Path, *visits: str) -> None:
        self.root = root
        self.now_s = 0.0
        for visit in visits:
            (root / visit / SEALED).parent.mkdir(parents=True)
            (root / visit / "journal").touch()
        self.ahead = self.opened()

    def opened(self) -> WriteAhead:
        """A life."""
        return WriteAhead(self.root, lambda: self.now_s)

    def journal(self, visit: str) -> bytes:
        return (self.root / visit / "journal").read_bytes()

    def size(self) -> int:
        return (self.root / ".ahead").stat().st_size


def commit(visit: str, at: int, line: bytes, draft: bytes = b"", place: int = 0, over: Sequence[str] = ()) -> Commit:
    return Commit(visit, at, line, [Draft(SEALED, place, draft)] if draft else [], list(over))


def test_a_line_that_was_not_in_its_place_is_there_in_the_next_life(tmp_path: Path) -> None:  # AHEAD-3
    desk = Desk(tmp_path, "one", "two")
    desk.ahead.write([commit("one", 0, b"first\n", b"abc"), commit("two", 0, b"other\n", b"xyz")])
    desk.ahead.write([commit("one", 6, b"second\n", b"def", 3)])
    (tmp_path / "two" / "journal").write_bytes(b"other\nand what was never durable")
    again = desk.opened()
    assert (desk.journal("one"), desk.journal("two")) == (b"first\nsecond\n", b"other\n")
    assert again.draft("one", SEALED, 6) == b"abcdef"
    assert again.draft("one", SEALED, 4) == b"abcd"
    assert again.draft("two", SEALED, 3) == b"xyz"


def test_wherever_it_stopped_each_visit_has_what_was_durable_before(tmp_path: Path) -> None:  # AHEAD-1
    rng = Random(2026)
    desk = Desk(tmp_path, "one", "two")
    ends: list[int] = []
    for number in range(5):
        part = f"{number}" * 700
        at = 2 * number
        desk.ahead.write([commit(visit, at, b"%d\n" % number, part.encode(), 700 * number) for visit in ("one", "two")])
        ends.append(desk.size())
    whole = (tmp_path / ".ahead").read_bytes()
    for stopped in [*ends, *(end - 1 for end in ends), *rng.sample(range(len(whole)), 40)]:
        (tmp_path / ".ahead").write_bytes(whole[:stopped] + rng.randbytes(rng.randrange(3000)))
        for visit in ("one", "two"):
            (tmp_path / visit / "journal").write_bytes(b"")
        again = desk.opened()
        blocks = sum(end <= stopped for end in ends)
        for visit in ("one", "two"):
            assert desk.journal(visit) == b"".join(b"%d\n" % number for number in range(blocks)), (stopped, ends)
            expected = b"".join((f"{number}" * 700).encode() for number in range(blocks))
            assert again.draft(visit, SEALED, 5 * 700) == expected


def test_after_a_life_that_stopped_in_the_middle_the_next_ones_blocks_count(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "one")
    desk.ahead.write([commit("one", 0, b"first\n")])
    desk.ahead.write([commit("one", 6, b"a line that is much longer than the next life's\n")])
    os.truncate(tmp_path / ".ahead", desk.size() - 1)
    (tmp_path / "one" / "journal").write_bytes(b"")
    again = desk.opened()
    assert desk.journal("one") == b"first\n"
    again.write([commit("one", 6, b"third\n")])
    desk.opened()
    assert desk.journal("one") == b"first\nthird\n"


def test_what_an_emptied_file_still_holds_is_not_taken_for_the_next_lifes(tmp_path: Path) -> None:  # AHEAD-1
    desk = Desk(tmp_path, "one")
    desk.ahead.write([commit("one", 0, b"first\n")])
    end = desk.size()
    desk.ahead.write([commit("one", 6, b"other\n")])
    (tmp_path / "one" / "journal").write_bytes(b"first\nother\n")  # emptied, and then no more than begun anew
    with (tmp_path / ".ahead").open("r+b") as file:
        file.write(bytes(end))
    again = desk.opened()
    again.write([commit("one", 12, b"third\n")])
    (tmp_path / "one" / "journal").write_bytes(b"first\nother\nthird\n")
    desk.opened()
    assert desk.journal("one") == b"first\nother\nthird\n"


def test_what_could_not_be_written_is_written_again_in_its_stead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, "one")
    with monkeypatch.context() as patch:

        def full(file: int) -> None:
            raise OSError(28, "no space left on device")

        patch.setattr("recorder.spool.ahead.os.fdatasync", full)
        with pytest.raises(OSError, match="no space"):
            desk.ahead.write([commit("one", 0, b"said and not taken, a long line\n", b"abc")])
    desk.ahead.write([commit("one", 0, b"said\n", b"abc")])
    again = desk.opened()
    assert (desk.journal("one"), again.draft("one", SEALED, 3)) == (b"said\n", b"abc")


def test_it_is_emptied_once_it_is_long_and_what_is_open_then_goes_on(tmp_path: Path) -> None:  # AHEAD-2
    desk = Desk(tmp_path, "one", "gone")
    big = bytes(LEAST)
    desk.ahead.write([commit("one", 0, b"first\n", b"abc"), commit("gone", 0, b"first\n", big)])
    (tmp_path / "one" / "journal").write_bytes(b"first\n")
    for path in sorted((tmp_path / "gone").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (tmp_path / "gone").rmdir()
    desk.ahead.write([commit("one", 6, b"second\n", b"def", 3)])
    long = desk.size()
    assert long > LEAST, "not before its time"
    desk.now_s += EVERY_S
    desk.ahead.write([commit("one", 13, b"third\n", b"ghi", 6)])
    assert desk.size() == long, "it begins again, in the same blocks of the disk"
    assert (tmp_path / "one" / SEALED).read_bytes() == b"abcdef"
    for life in (desk.ahead, desk.opened()):
        assert life.draft("one", SEALED, 9) == b"abcdefghi"
    assert not (tmp_path / "gone").exists()
    desk.ahead.write([commit("one", 19, b"fourth\n", over=[SEALED])])
    assert not (tmp_path / "one" / SEALED).exists()
    assert desk.opened().draft("one", SEALED, 9) == b""


def test_it_is_not_emptied_where_the_journals_cannot_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, "one")
    desk.ahead.write([commit("one", 0, b"first\n", bytes(LEAST))])
    desk.now_s += EVERY_S
    with monkeypatch.context() as patch:

        def broken(path: Path) -> None:
            raise OSError(5, "input/output error")

        patch.setattr("recorder.spool.ahead.sync", broken)
        with pytest.raises(OSError, match="input/output"):
            desk.ahead.write([commit("one", 6, b"second\n")])
    (tmp_path / "one" / "journal").write_bytes(b"")  # after an error the system may count bytes as written that are not
    desk.ahead.write([commit("one", 6, b"second\n")])
    assert desk.journal("one") == b"first\n"
    desk.opened()
    assert desk.journal("one") == b"first\nsecond\n"
