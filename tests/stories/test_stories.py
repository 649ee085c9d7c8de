"""A hundred stories, always the same. More of them: `python -m tests.bench stories --count 10000 --seed 1000`."""

from __future__ import annotations

import pytest

from tests.stories.judge import faults
from tests.stories.stage import perform
from tests.stories.steps import Story
from tests.stories.teller import tell

COUNT = 100


@pytest.mark.parametrize("first", range(0, COUNT, 25))
def test_whatever_happens_in_a_visit_its_recording_holds_or_declares_all_of_it(first: int) -> None:
    broken = [(tell(seed), found) for seed in range(first, first + 25) if (found := faults(perform(tell(seed))))]
    assert not broken, "\n".join(f"{story}\n{found}" for story, found in broken)


def test_a_seed_tells_one_story() -> None:
    story = tell(11)
    assert story == tell(11)
    assert isinstance(story, Story)
    assert perform(story).paper.store == perform(story).paper.store
