"""Two verifiers that share no code agree: FORMAT.md says enough, and says one thing."""

from __future__ import annotations

from pathlib import Path
from random import Random

from recorder.evidence.verify import verify
from tests import second_verifier
from tests.bundles import MemoryReader, honest_visit, keys_of, tamper

ALONE = keys_of("the recorder", sm2=False)


def test_both_find_honest_visits_honest() -> None:
    for seed in range(15):
        closed = seed % 3 != 0
        objects = honest_visit(Random(seed), keys=ALONE, closed=closed, sealed=seed % 2 == 1)
        assert second_verifier.judge(objects) == (True, closed), seed


def test_both_judge_three_hundred_tampered_visits_alike() -> None:
    visits = [honest_visit(Random(seed), keys=ALONE, closed=seed % 4 != 0, sealed=seed % 2 == 1) for seed in range(12)]
    for seed in range(300):
        rng = Random(seed)
        tampered, what = tamper(rng, rng.choice(visits))
        verdict = verify(MemoryReader(tampered))
        judgement = second_verifier.judge(tampered)
        assert judgement == (verdict.intact, verdict.complete), (seed, what, verdict.broken)


def test_they_share_no_code() -> None:
    lines = Path(second_verifier.__file__).read_text("utf-8").splitlines()
    assert not [line for line in lines if line.startswith(("import recorder", "from recorder", "from tests"))]
