"""The certificate of a call is of its own call: forged, exchanged or doubled, it is named, by both verifiers alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from recorder.evidence.records import Leg, body_of
from recorder.evidence.verify import verify
from recorder.live.call_quality import CallQuality
from tests.bundles import MemoryReader, Scribe
from tests.unit.test_verify_sh import ALONE, alike, script

__all__ = ["script"]

Legs = dict[str, Any]
Change = Callable[[Legs], object]


class Call(Scribe):
    """A visit whose quality is summed as the recorder sums it."""

    def __init__(self, seed: int) -> None:
        super().__init__(Random(seed), keys=ALONE)
        self.quality = CallQuality()

    def note(self, kind: str, body: Any) -> None:
        super().note(kind, body)
        self.quality.take(body_of(kind, json.loads(self.newest)["body"]))


def call(change: Change = lambda legs: None, seed: int = 1, after: Callable[[Scribe], object] | None = None) -> Call:
    """A call with everything that a certificate counts, and the certificate changed."""
    scribe = Call(seed)
    scribe.open("doctor", "patient")
    for seat in ("doctor", "patient"):
        scribe.consent(seat)
    scribe.start("doctor", "patient")
    for seat in ("doctor", "patient"):
        scribe.part(seat, 0)
        scribe.until(2000)
        scribe.segment(seat, 0, 2000)
        scribe.gap(seat, 100, 400, "network")
        scribe.gap(seat, 500, 600, "off")
    for seat, detail in (
        ("patient", {"from_ms": 3, "to_ms": 450, "source": "camera"}),
        ("patient", {"from_ms": 9, "to_ms": 3, "seat": "doctor"}),
        ("doctor", {"from_ms": None, "to_ms": True}),
        ("doctor", None),
    ):
        scribe.note("event", {"event": "frozen", "seat": seat} | ({"detail": detail} if detail is not None else {}))
    scribe.note("event", {"event": "quality", "seat": "patient", "detail": {"rtt_ms": 80, "loss_up_permille": 3}})
    for detail in (
        {"freezes": 1},
        {"relayed": True, "protocol": 'u"}},{"measured":{', "frames": 2147483647, "rtt_ms": None},
    ):
        scribe.note("event", {"event": "claimed", "seat": "patient", "detail": detail})
    assert scribe.quality.body is not None
    legs: Legs = {}
    for seat, leg in scribe.quality.body.legs.items():
        assert isinstance(leg, Leg)
        legs[seat] = {"measured": dict(leg.measured)} | ({"claimed": leg.claimed} if seat == "patient" else {})
    changed = deepcopy(legs)
    change(changed)
    scribe.note("certificate", {"legs": changed})
    if after is not None:
        after(scribe)
    scribe.close(2000)
    return scribe


def rules(scribe: Scribe) -> list[str]:
    return [one.rule for one in verify(MemoryReader(scribe.objects)).broken]


def test_the_certificate_that_the_recorder_writes_is_that_of_its_call(script: Path) -> None:
    for seed in range(3):
        made = call(seed=seed)
        assert rules(made) == []
        alike(script, made.objects)


def set_to(seat: str, name: str, value: object) -> Change:
    return lambda legs: legs[seat]["measured"].__setitem__(name, value)


def more(seat: str, name: str) -> Change:
    return lambda legs: legs[seat]["measured"].__setitem__(name, legs[seat]["measured"][name] + 1)


LIES: dict[str, tuple[Change, str]] = {
    **{f"another number of {name}": (more("patient", name), "CERT-2") for name in ("packets", "lost", "recovered")},
    **{f"another {name}": (more("patient", name), "CERT-2") for name in ("frozen", "frozen_ms", "missing_ms", "parts")},
    "more samples": (more("doctor", "samples"), "CERT-2"),
    "a text for a number": (set_to("patient", "frozen", "2"), "CERT-2"),
    "true for one": (set_to("patient", "parts", True), "CERT-2"),
    "nothing for a number": (set_to("doctor", "lost", None), "CERT-2"),
    "a claim nobody made": (lambda legs: legs["doctor"].update(claimed={"freezes": 0}), "CERT-2"),
    "a claim left out": (lambda legs: legs["patient"].pop("claimed"), "CERT-2"),
    "a leg that claimed left out": (lambda legs: legs.pop("patient"), "CERT-2"),
    "another claim": (lambda legs: legs["patient"]["claimed"].update(relayed=False), "CERT-2"),
    "an earlier claim": (lambda legs: legs["patient"].update(claimed={"freezes": 1}), "CERT-2"),
    "a claim of one for true": (lambda legs: legs["patient"]["claimed"].update(relayed=1), "CERT-2"),
    "legs exchanged": (lambda legs: legs.update(doctor=legs["patient"], patient=legs["doctor"]), "CERT-2"),
    "a leg of somebody else": (lambda legs: legs.update({"guest-1": {"measured": {}}}), "CERT-1"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_certificate_that_does_not_say_what_the_records_say_is_named(lie: str, script: Path) -> None:
    change, rule = LIES[lie]
    made = call(change)
    assert rules(made) == [rule]
    alike(script, made.objects, lie)


def test_names_that_are_missing_or_not_known_break_nothing(script: Path) -> None:
    def change(legs: Legs) -> None:
        del legs["patient"]["measured"]["packets"]
        legs["patient"]["measured"] |= {"jitter_ms": 7, "codecs": "AV1", "rtt_ms": 1}
        legs["doctor"]["measured"] = {}

    assert rules(call(change)) == []
    alike(script, call(change).objects)


def test_the_certificate_of_another_visit_and_a_second_one_are_named(script: Path) -> None:
    other = call(seed=9)
    assert other.quality.body is not None
    foreign = {"legs": {seat: {"measured": dict(leg.measured)} for seat, leg in other.quality.body.legs.items()}}

    def exchanged(legs: Legs) -> None:
        for seat, leg in foreign["legs"].items():
            legs[seat]["measured"] = leg["measured"]

    for made, rule in (
        (call(exchanged), "CERT-2"),
        (call(after=lambda scribe: scribe.note("certificate", {"legs": {}})), "CERT-1"),
        (call(after=lambda scribe: scribe.note("event", {"event": "late"})), "CERT-1"),
    ):
        assert rules(made)[0] == rule
        alike(script, made.objects)
