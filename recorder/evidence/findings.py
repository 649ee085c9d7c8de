"""Broken rules, as they are found."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

COMPLETE_RULES = frozenset({"CLOSE-1", "COV-1", "COV-2", "COV-3"})
"""Rules that concern the verdict *complete* alone; any other breaks *intact* too."""

KEPT_PER_RULE = 20


class Broken(NamedTuple):
    """A rule of FORMAT.md, and where it is broken: an object's name, with `:n` for its line n."""

    rule: str
    where: str


class Findings:
    """Keeps the first breaches of each rule and counts the rest, so hostile content cannot fill the memory."""

    def __init__(self) -> None:
        self.kept: list[Broken] = []
        self._counts: Counter[str] = Counter()

    def add(self, rule: str, where: str) -> None:
        """Note a breach."""
        self._counts[rule] += 1
        if self._counts[rule] <= KEPT_PER_RULE:
            self.kept.append(Broken(rule, where[:300].encode("utf-8", "backslashreplace").decode()))

    @property
    def total(self) -> int:
        """All breaches, kept or not."""
        return self._counts.total()

    @property
    def intact(self) -> bool:
        """Whether no rule of *intact* is broken."""
        return not self._counts.keys() - COMPLETE_RULES

    @property
    def complete(self) -> bool:
        """Whether no rule at all is broken."""
        return not self._counts
