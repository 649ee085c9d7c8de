"""What a thread waited for a core, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import waits
from tests.bench.waits import Waits, renderers


def test_what_a_thread_waited_between_two_moments_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "PROC", tmp_path)
    (tmp_path / "7").mkdir()
    schedstat = tmp_path / "7" / "schedstat"
    schedstat.write_text("100 1000000 3")
    watched = Waits([7])
    watched.look(1.0)
    watched.look(1.5)
    assert watched.between_ms(7, 1.2, 1.8) is None, "nobody has looked since"
    schedstat.write_text("200 61000000 4")
    watched.look(2.0)
    schedstat.unlink()
    watched.look(2.5)
    assert watched.between_ms(7, 1.2, 1.8) == 60.0
    assert watched.between_ms(7, 1.2, 2.2) == 60.0, "it has ended, and keeps its figure"
    assert watched.between_ms(7, 0.5, 1.8) is None
    assert watched.between_ms(8, 1.2, 1.8) is None


def stands(proc: Path, pid: int, parent: int, *command: str) -> None:
    """A process as proc(5) shows it; its name may hold what a name of a process may: blanks, brackets."""
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} (a (name) of its own) S {parent} 1 1 0")
    (proc / str(pid) / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in command))


def test_a_browser_s_renderers_are_those_below_it_however_deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "PROC", tmp_path)
    stands(tmp_path, 10, 1, "chromium")
    stands(tmp_path, 11, 10, "chromium", "--type=zygote")
    stands(tmp_path, 12, 11, "chromium", "--type=renderer")
    stands(tmp_path, 13, 11, "chromium", "--type=gpu-process")
    stands(tmp_path, 20, 1, "chromium")
    stands(tmp_path, 21, 20, "chromium", "--type=renderer")
    (tmp_path / "sys").mkdir()
    (tmp_path / "30").mkdir()  # Ended between being listed and being looked at.
    assert renderers(10) == [12]
    assert renderers(20) == [21]
    assert renderers(12) == []
