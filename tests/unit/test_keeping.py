"""What was promised once holds, whatever is set later."""

from __future__ import annotations

from pathlib import Path

from recorder.audit.keeping import Keeping
from recorder.store.retention import Retention


def test_a_promise_that_is_set_shorter_later_stays_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "custody" / "promised.json"
    assert Keeping(path, Retention(1098, 5490)).longest() == Retention(1098, 5490)
    assert Keeping(path, Retention(1, 9000)).longest() == Retention(1098, 9000)
    assert Keeping(path, Retention(1, 1)).longest() == Retention(1098, 9000)
    assert Keeping(path, Retention(2000, 2000)).longest() == Retention(2000, 9000)


def test_where_nothing_is_promised_now_or_nobody_can_read_what_was_nothing_may_be_destroyed(tmp_path: Path) -> None:
    path = tmp_path / "promised.json"
    assert Keeping(path, None).longest() is None
    assert Keeping(path, Retention(10, 10)).longest() == Retention(10, 10)
    assert Keeping(path, None).longest() is None
    path.write_bytes(b'{"media_days":1')
    assert Keeping(path, Retention(10, 10)).longest() is None
    assert path.read_bytes() == b'{"media_days":1'
