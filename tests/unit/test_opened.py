"""A bundle opened: each part as a file, from exactly the objects that the records name, whoever made the bundle."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.sealing.opened import MAX_OBJECT, NotOpenable, open_bundle
from tests.authority import make_authority
from tests.bundles import write_bundle
from tests.stamps import Witnessed, stamped_visit

INIT = "streams/doctor/part-001/init.webm"


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Witnessed:
    return stamped_visit(make_authority(tmp_path_factory.mktemp("authority")))


def test_a_stamp_among_the_records_is_no_part_of_a_stream(stamped: Witnessed, tmp_path: Path) -> None:
    bundle = write_bundle(stamped.objects, tmp_path / "bundle")
    written = open_bundle(bundle, {}, tmp_path / "plain")
    assert [(one.stream, one.part) for one in written] == [("doctor", 1), ("patient", 1)]
    for one in written:
        names = sorted(name for name in stamped.objects if name.startswith(f"streams/{one.stream}/"))
        assert one.path.read_bytes() == b"".join(stamped.objects[name] for name in names)


def _linked(path: Path) -> None:
    path.rename(path.parents[3].parent / "elsewhere")
    path.symlink_to(path.parents[3].parent / "elsewhere")


def _folder_linked(path: Path) -> None:
    path.parent.rename(path.parents[3].parent / "elsewhere")
    path.parent.symlink_to(path.parents[3].parent / "elsewhere")


def _piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _grown(path: Path) -> None:
    os.truncate(path, MAX_OBJECT << 10)  # sparse: it takes no room, and would take all memory


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


INSTEAD = [_linked, _piped, _grown, _folder]


@pytest.mark.parametrize("spoil", [*INSTEAD, Path.unlink, _folder_linked, lambda path: path.write_bytes(b"another")])
def test_what_the_records_do_not_name_is_not_opened(
    spoil: Callable[[Path], object], stamped: Witnessed, tmp_path: Path
) -> None:
    bundle = write_bundle(stamped.objects, tmp_path / "bundle")
    spoil(bundle / INIT)
    with pytest.raises(NotOpenable, match="init"):
        open_bundle(bundle, {}, tmp_path / "plain")


@pytest.mark.parametrize("spoil", INSTEAD)
def test_records_are_read_from_plain_files_of_their_size(
    spoil: Callable[[Path], object], stamped: Witnessed, tmp_path: Path
) -> None:
    bundle = write_bundle(stamped.objects, tmp_path / "one" / "two" / "bundle")
    spoil(bundle / "records/000001.jsonl")
    with pytest.raises(NotOpenable, match="records"):
        open_bundle(bundle, {}, tmp_path / "plain")
