"""The smallest story that still breaks: steps are taken away as long as what remains breaks the same rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.stories.steps import Story


def smallest(story: Story, breaks: Callable[[Story], bool]) -> Story:
    """A story of as few steps as may be, for which `breaks` still holds."""
    while (less := next((less for less in _less(story) if breaks(less)), None)) is not None:
        story = less
    return story


def _less(story: Story) -> Iterator[Story]:
    for place in range(len(story.steps)):
        yield replace(story, steps=story.steps[:place] + story.steps[place + 1 :])
    if story.sealed:
        yield replace(story, sealed=False)
    if story.tidy:
        yield replace(story, tidy=False)
    for end_ms in (story.end_ms // 2, story.end_ms - 1000, story.end_ms - 200):
        if 0 < end_ms < story.end_ms:
            yield replace(story, end_ms=end_ms, steps=tuple(step for step in story.steps if step.at_ms < end_ms))
