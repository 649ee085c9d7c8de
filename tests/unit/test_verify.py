"""An honest visit verifies; every tampering at random is caught, and nothing hostile is more than a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from recorder.evidence.verify import Unreadable, verify
from tests.bundles import ORIGIN, RECORDER, MemoryReader, Scribe, honest_visit, keys_of, tamper
from tests.forgeries import VISIT, harmless, judge, plain_visit, rules


def test_an_honest_visit_is_intact_and_complete() -> None:
    verdict = judge(plain_visit())
    assert (verdict.intact, verdict.complete, verdict.broken) == (True, True, [])
    assert (verdict.visit, verdict.origin, verdict.key) == (VISIT, ORIGIN, RECORDER.fingerprint)
    assert verdict.summary.segments == 8
    assert verdict.summary.duration_ms == 8000


def test_an_honest_visit_signed_with_ed25519_alone_is_intact_and_complete() -> None:
    assert judge(plain_visit(keys_of("plain", sm2=False))).complete


def test_fifty_honest_visits_of_every_kind_raise_no_alarm() -> None:
    for seed in range(50):
        verdict = judge(honest_visit(Random(seed)), visit=VISIT)
        assert verdict.broken == [], seed


def test_a_recording_still_going_on_is_intact_and_not_complete() -> None:
    for seed in range(10):
        verdict = judge(honest_visit(Random(seed), closed=False))
        assert verdict.intact
        assert not verdict.complete
        assert rules(verdict) == {"CLOSE-1"}


def test_a_visit_that_was_never_recorded_closes_complete() -> None:
    scribe = Scribe(Random(1))
    scribe.open("doctor", "patient")
    scribe.consent("patient", "refused")
    scribe.close(None, "consent_refused")
    assert judge(scribe.objects).complete


def test_progress_is_told_up_to_the_whole() -> None:
    told_of: list[tuple[int, int]] = []
    judge(plain_visit(), progress=lambda done, total: told_of.append((done, total)))
    assert told_of[-1][0] == told_of[-1][1] > 0
    assert [done for done, _ in told_of] == sorted(done for done, _ in told_of)


def test_what_a_file_manager_or_the_bundle_adds_is_no_breach() -> None:
    extras = dict.fromkeys(["README.zh.md", "README.en.md", "verify.sh", "verify/names.sh", "verify/forms.awk"], b"x")
    extras["bundle.json"] = b"not even json"
    assert judge({**plain_visit(), **extras}).complete


class Hostile(MemoryReader):
    """Lists what it will not give."""

    def chunks(self, name: str) -> Iterator[bytes]:
        raise Unreadable(name)


def test_objects_that_cannot_be_read_are_named() -> None:
    verdict = verify(Hostile(plain_visit()))
    assert not verdict.intact
    assert {"FORM-1", "CHAIN-1"} <= rules(verdict)


def test_thousands_of_breaches_are_counted_and_few_kept() -> None:
    objects = {**plain_visit(), **{f"junk{n}": b"" for n in range(3000)}}
    verdict = judge(objects)
    assert verdict.broken_total == 3000
    assert len(verdict.broken) == 20


def test_three_hundred_and_twenty_random_tamperings_are_all_caught() -> None:
    alone = keys_of("the recorder", sm2=False)  # SM2 takes nine tenths of the time: every third visit has it
    visits = [honest_visit(Random(n), VISIT, alone if n % 3 else RECORDER, n % 4 != 0) for n in range(20)]
    tried = 0
    seed = 0
    while tried < 320:
        seed += 1
        rng = Random(seed)
        honest = rng.choice(visits)
        tampered, what = tamper(rng, honest)
        if harmless(honest, tampered):
            continue
        tried += 1
        verdict = judge(tampered)
        assert not (verdict.intact and verdict.complete), (seed, what)
        assert rules(verdict) - {"CLOSE-1"} or "CLOSE-1" not in rules(judge(honest)), (seed, what)
