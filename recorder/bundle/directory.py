"""A bundle: a recording as a directory that can be handed over, and its judging (FORMAT.md §2, §9).

Needs neither the server's libraries nor its secrets, so that `teleconsult verify` runs anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recorder.evidence.trust import Trust
from recorder.evidence.verify import Verdict, verify
from recorder.plain_folder import DirectoryReader


class NotABundle(Exception):
    """The path is no directory, or one without a recording in it."""

    code = "not_a_bundle"


def verify_directory(
    path: Path, trust: Trust | None = None, progress: Callable[[int, int], None] | None = None
) -> Verdict:
    """Judge a bundle. Raises `NotABundle`; for what is in a bundle it never raises."""
    if path.is_file():
        raise NotABundle(
            f"{path} is a single file: a bundle is a folder. A derived copy, like any file of media, is no evidence"
        )
    if not path.is_dir() or not ((path / "records").exists() or (path / "bundle.json").exists()):
        raise NotABundle(f"{path} is not a recording's bundle")
    return verify(DirectoryReader(path), trust=trust, progress=progress)


def exit_code(verdict: Verdict) -> int:
    """0: intact and complete; 1: a rule is broken. (2, not a bundle, is `NotABundle`.)"""
    return 0 if verdict.intact and verdict.complete else 1
