"""The spool: what a line of the journal says is on the disk, and nothing half written is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recorder.spool.spool import ClosedVisit, Spool
from recorder.spool.visit import Line, SpoolDamaged
from recorder.tape.output import Write

NAME = "streams/patient/part-001/seg-000001.webm"


def test_a_commit_is_there_in_the_next_life(tmp_path: Path) -> None:
    spool = Spool(tmp_path).visit("v")
    spool.commit([Write(NAME, b"abc")], Line(records=["{}"], keys={"k": 0}, head="h"))
    spool.commit([Write(NAME, b"def", whole=True)], Line(records=["[]"]))
    spool.close()
    again = Spool(tmp_path).visit("v")
    assert again.load() == [Line(records=["{}"], keys={"k": 0}, head="h"), Line(records=["[]"])]
    assert (tmp_path / "v" / NAME).read_bytes() == b"abcdef"
    assert Spool(tmp_path).visits() == ["v"]


@pytest.mark.parametrize("torn", [b'{"records":["x"', b"\x00\xff", b"{"])
def test_a_torn_last_line_is_cut_off_before_anything_follows_it(tmp_path: Path, torn: bytes) -> None:
    spool = Spool(tmp_path).visit("v")
    spool.commit([], Line(records=["1"]))
    spool.close()
    with (tmp_path / "v" / "journal").open("ab") as journal:
        journal.write(torn)
    again = Spool(tmp_path).visit("v")
    assert again.load() == [Line(records=["1"])]
    again.commit([], Line(records=["2"]))
    assert [line.records for line in Spool(tmp_path).visit("v").load()] == [["1"], ["2"]]


def test_a_damaged_line_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "journal").write_bytes(b'{"records":\n{"records":["2"]}\n')
    with pytest.raises(SpoolDamaged):
        Spool(tmp_path).visit("v").load()


def test_what_no_line_speaks_of_is_cut_off_and_overwritten(tmp_path: Path) -> None:
    spool = Spool(tmp_path).visit("v")
    spool.commit([Write(NAME, b"kept")], Line())
    spool.close()
    with (tmp_path / "v" / NAME).open("ab") as file:
        file.write(b"not synced with a line")
    again = Spool(tmp_path).visit("v")
    again.load()
    assert again.take_up(NAME, 4) == b"kept"
    again.commit([Write(NAME, b"!")], Line())
    assert (tmp_path / "v" / NAME).read_bytes() == b"kept!"


def test_an_object_that_a_dead_life_left_longer_ends_where_it_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "v" / NAME).parent.mkdir(parents=True)
    (tmp_path / "v" / NAME).write_bytes(b"what was written whole, and never spoken of")
    spool = Spool(tmp_path).visit("v")
    spool.commit([Write(NAME, b"shorter")], Line())
    spool.commit([Write(NAME, b" now", whole=True)], Line())
    assert (tmp_path / "v" / NAME).read_bytes() == b"shorter now"


def test_what_the_store_would_not_take_is_kept_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    visit = spool.visit("v")
    visit.commit([Write(NAME, b"abc", whole=True)], Line())
    visit.close()
    spool.forget("v", ClosedVisit("0", 1, "1", 1, 3), refused=True)
    assert (tmp_path / ".refused" / "v" / NAME).read_bytes() == b"abc"
    assert spool.visits() == []
    assert spool.closed("v") is not None


def test_a_commit_that_failed_may_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path).visit("v")
    spool.commit([Write(NAME, b"one ")], Line(records=["1"]))
    writes, line = [Write(NAME, b"two")], Line(records=["2"])
    with monkeypatch.context() as patch:

        def full(file: int) -> None:
            raise OSError(28, "no space left on device")

        patch.setattr("recorder.spool.visit.os.fdatasync", full)
        with pytest.raises(OSError, match="no space"):
            spool.commit(writes, line)
    spool.commit(writes, line)
    assert (tmp_path / "v" / NAME).read_bytes() == b"one two"
    assert [line.records for line in Spool(tmp_path).visit("v").load()] == [["1"], ["2"]]


def test_a_visit_that_is_stored_leaves_only_how_it_was_closed(tmp_path: Path) -> None:
    root = Spool(tmp_path)
    spool = root.visit("v")
    spool.commit([Write(NAME, b"x", whole=True)], Line())
    spool.close()
    answer = ClosedVisit("a", 3, "b", 1, 1)
    root.forget("v", answer)
    assert not (tmp_path / "v").exists()
    assert root.closed("v") == answer
    assert root.closed("w") is None
    assert root.visits() == []


def test_a_line_that_did_not_get_to_its_place_whole_leaves_nothing_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # SPOOL-3
    spool = Spool(tmp_path).visit("v")
    spool.commit([], Line(records=["1"]))
    real = os.pwrite

    def torn(file: int, content: bytes, at: int) -> int:
        real(file, content, at)
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("recorder.spool.visit.os.pwrite", torn)
        with pytest.raises(OSError, match="no space"):
            spool.commit([], Line(records=["2"], head="a line that is longer than the one that takes its place"))
    spool.commit([], Line(records=["2"]))
    assert (tmp_path / "v" / "journal").read_bytes() == b'{"records":["1"]}\n{"records":["2"]}\n'


def test_a_draft_is_taken_up_from_what_was_written_ahead(tmp_path: Path) -> None:  # SPOOL-5
    one, two = (f"streams/patient/part-001/seg-00000{number}.webm.open" for number in (1, 2))
    spool = Spool(tmp_path).visit("v")
    spool.commit([Write(one, b"the ")], Line())
    spool.commit([Write(one, b"first")], Line())
    spool.commit([Write(one, b"", gone=True), Write(two, b"second")], Line())
    assert spool.objects() == []
    spool.close()
    again = Spool(tmp_path).visit("v")
    assert again.take_up(two, 6) == b"second"
    assert again.take_up(one, 9) == b""
    again.forget_drafts()
    assert again.take_up(two, 6) == b""
