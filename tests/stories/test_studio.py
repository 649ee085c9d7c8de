"""A story before the real recorder, with a crash and a worker's death. More: `python -m tests.bench stories --real`."""

from __future__ import annotations

from tests.stories.steps import Agree, Crash, Publish, Story, Weather, WorkerDies
from tests.stories.studio import faults_of_real


def test_what_is_recorded_through_a_crash_and_a_workers_death_is_proven_and_can_be_decoded() -> None:
    steps = (
        Agree(0, "patient"),
        Weather(0, "patient", loss=0.02),
        Publish(20, "patient", "microphone", "opus"),
        Publish(40, "patient", "camera", "VP8"),
        Crash(1500, 300, torn=False),
        WorkerDies(3000, 200),
    )
    story = Story(1, 4000, sealed=True, tidy=False, steps=steps)
    assert faults_of_real(story) == []
