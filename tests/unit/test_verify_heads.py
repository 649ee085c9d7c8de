"""Heads and keys: what is signed otherwise, by another or not at all is caught, by its rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recorder.evidence.layout import heads_name, key_name
from recorder.evidence.sign import PublicKey
from recorder.evidence.trust import Trust
from tests.bundles import ORIGIN, RECORDER, THIEF
from tests.forgeries import judge, plain_visit, rehead, rules, signed, with_lines


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda head: head["statement"].update(origin="elsewhere"), "HEAD-2"),
        (lambda head: head["statement"].update(visit="other"), "HEAD-2"),
        (lambda head: head["statement"].update(size=1), "HEAD-3"),
        (lambda head: head["statement"].update(size=999), "HEAD-6"),
        (lambda head: head["statement"].update(head="0" * 64), "HEAD-4"),
        (lambda head: head["statement"].update(head_sm3="0" * 64), "HEAD-4"),
        (lambda head: head["statement"].update(at="2026-05-04T09:12:00.000Z"), "HEAD-5"),
        (lambda head: head["statement"].update(at="2026-13-45T09:12:00.000Z"), "HEAD-1"),
        (lambda head: head["signatures"].pop(), "HEAD-5"),
        (lambda head: head["signatures"].clear(), "HEAD-5"),
        (lambda head: head["signatures"].reverse(), None),
        (lambda head: head["signatures"][0].update(sig="AAAA"), "HEAD-5"),
        (lambda head: head["signatures"][1].update(sig="AAAA"), "HEAD-5"),
        (lambda head: head["signatures"][0].update(sig="=!"), "HEAD-1"),
        (lambda head: head["signatures"][0].update(sig=head["signatures"][0]["sig"][:-3] + "B=="), "HEAD-1"),
        (lambda head: head.update(signatures=[head["signatures"][0]] * 2), "HEAD-5"),
        (lambda head: head.update(more=1), "HEAD-1"),
        (lambda head: signed(head, THIEF), "HEAD-5"),
    ],
)
def test_a_changed_head_is_caught(change: Callable[[dict[str, Any]], None], expected: str | None) -> None:
    verdict = judge(rehead(plain_visit(), heads_name(3), change))
    assert rules(verdict) >= ({expected} if expected else set())
    assert verdict.intact is (expected is None)


def test_all_heads_gone_is_caught() -> None:
    objects = {name: data for name, data in plain_visit().items() if not name.startswith("heads/")}
    assert {"HEAD-1", "HEAD-7", "LAYOUT-2"} <= rules(judge(objects))


def test_a_batch_whose_heads_stop_short_is_caught() -> None:
    verdict = judge(with_lines(plain_visit(), heads_name(2), lambda lines: lines[:-1] or lines))
    assert rules(verdict) <= {"LAYOUT-3"}


def test_everything_signed_anew_with_another_key_is_told_apart_by_the_trust_list() -> None:
    forged = plain_visit(THIEF)
    assert judge(forged).trusted is None
    assert judge(forged).complete  # by itself it is a recording like any other
    trust = Trust({ORIGIN: frozenset({RECORDER.fingerprint})})
    verdict = judge(forged, trust=trust)
    assert verdict.trusted is False
    assert verdict.broken == [("KEY-2", key_name(THIEF.fingerprint))]
    assert not verdict.intact
    assert judge(plain_visit(), trust=trust).trusted is True
    assert judge(plain_visit(), trust=Trust({"other": frozenset()})).trusted is None


def test_a_key_replaced_or_removed_is_caught() -> None:
    for fingerprint in (key.fingerprint for key in RECORDER.public_keys):
        name = key_name(fingerprint)
        for pem in (THIEF.public_keys[0].pem, b"", b"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"):
            verdict = judge({**plain_visit(), name: pem})
            assert verdict.broken[0] == ("KEY-1", name)
            assert "HEAD-5" in rules(verdict)
        objects = plain_visit()
        del objects[name]
        assert judge(objects).broken[0] == ("KEY-1", name)


class OnlySm2:
    """A signer without Ed25519."""

    fingerprint = RECORDER.fingerprint
    public_keys: tuple[PublicKey, ...] = RECORDER.public_keys[1:]

    def sign(self, message: bytes) -> list[Any]:
        return RECORDER.sign(message)[1:]


def test_a_visit_without_an_ed25519_key_is_caught() -> None:
    assert "KEY-1" in rules(judge(plain_visit(OnlySm2())))
