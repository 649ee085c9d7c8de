"""The law of a visit holds even against whoever holds the key: consent, order, counts, coverage, clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.forgeries import body, first, refuted


def test_media_without_consent_is_caught() -> None:
    refuted(lambda records: records.remove(first(records, "consent")), "CONSENT-1")
    refuted(body("consent", decision="refused"), "CONSENT-1")


def test_consent_after_start_is_caught() -> None:
    def late(records: list[dict[str, Any]]) -> None:
        consent = first(records, "consent")
        records.remove(consent)
        records.insert(records.index(first(records, "start")) + 1, consent)
        consent["at"], consent["mono_us"] = first(records, "start")["at"], first(records, "start")["mono_us"]

    refuted(late, "CONSENT-1")


def test_media_of_a_seat_that_was_not_started_is_caught() -> None:
    refuted(body("start", seats=["doctor"]), "CONSENT-2")


def test_media_after_withdrawal_is_caught() -> None:
    def withdrawn(records: list[dict[str, Any]]) -> None:
        segment = first(records, "segment", 2)
        told_at = {name: segment[name] for name in ("at", "mono_us", "v", "visit", "seq", "prev")}
        records.insert(records.index(segment), {**told_at, "type": "withdraw", "body": {"seat": "doctor"}})

    verdict = refuted(withdrawn, "CONSENT-3")
    assert verdict.intact is False


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (body("start", from_ms=5), ["START-1"]),
        (body("part", part=2), ["PART-1"]),
        (body("segment", 1, n=7), ["SEG-3", "SEG-4"]),
        (body("segment", 1, part=2), ["SEG-3"]),
        (body("segment", name="streams/doctor/part-001/../../../etc/passwd"), ["SEG-4"]),
        (body("segment", name="streams/patient/part-001/seg-000001.webm"), ["SEG-4"]),
        (body("segment", to_ms=0), ["SEG-5"]),
        (body("segment", 2, from_ms=1000), ["SEG-5"]),
        (body("segment", bytes=1), ["SEG-2", "CLOSE-3"]),
        (body("close", records=3), ["CLOSE-3"]),
        (body("close", streams={}), ["CLOSE-3"]),
        (body("close", end_ms=9000), ["COV-3"]),
        (body("close", end_ms=7999), ["CLOSE-4"]),
        (body("close", end_ms=None), ["CLOSE-4"]),
        (body("part", container="matroska"), ["PART-3"]),
        (body("open", seats={"patient": "p"}), ["SEAT-1"]),
        (body("part", bytes=1), ["FORM-3"]),
        (lambda records: first(records, "close")["body"]["streams"]["patient"]["coverage"].pop("off"), ["FORM-3"]),
        (lambda records: first(records, "part")["body"]["tracks"][0].update(clock_rate=0), ["FORM-3"]),
        (lambda records: first(records, "part")["body"]["tracks"][0].update(channels=0), ["FORM-3"]),
        (lambda records: first(records, "segment")["body"].update(keyframe="true"), ["FORM-3"]),
        (lambda records: first(records, "segment")["body"].pop("forced"), ["FORM-3"]),
        (lambda records: first(records, "close").update(type="ended"), ["FORM-3"]),
        (lambda records: records.pop(), ["CLOSE-1"]),
    ],
)
def test_a_chain_that_does_not_add_up_is_caught(
    change: Callable[[list[dict[str, Any]]], object], expected: list[str]
) -> None:
    refuted(change, *expected)


def test_counts_that_do_not_add_up_are_caught() -> None:
    refuted(lambda records: first(records, "segment")["body"]["tracks"][0].update(lost=9999), "SEG-6")
    refuted(lambda records: first(records, "segment")["body"]["tracks"][0].update(number=9), "SEG-6")


@pytest.mark.parametrize("told", ["none", "sm4gcm"])
def test_a_segment_that_is_not_said_to_be_sealed_as_its_stream_is_caught(told: str) -> None:
    refuted(lambda records: (_sealing(records), first(records, "segment")["body"].update(enc=told)), "ENC-1")
    refuted(body("segment", enc="aes256gcm"), "ENC-1")


def _sealing(records: list[dict[str, Any]]) -> None:
    part = first(records, "part")
    said = {"stream": part["body"]["stream"], "key": "0" * 64, "suite": "aes256gcm", "under": []}
    records.insert(records.index(part), {**part, "type": "key", "body": said})
    for record in records:
        if record["type"] == "segment" and record["body"]["stream"] == said["stream"]:
            record["body"]["enc"] = "aes256gcm"


def test_a_hole_in_a_stream_is_caught() -> None:
    def shorter(records: list[dict[str, Any]]) -> None:
        first(records, "segment", 2)["body"]["to_ms"] -= 100

    verdict = refuted(shorter, "COV-1", "COV-2")
    assert verdict.intact  # the chain says honestly what there is; it only does not account for all of it
    assert not verdict.complete


def test_coverage_that_was_not_counted_is_caught() -> None:
    def boast(records: list[dict[str, Any]]) -> None:
        first(records, "close")["body"]["streams"]["patient"]["coverage"].update(present=7999, off=1)

    assert refuted(boast, "COV-2").intact


def test_gaps_that_overlap_or_run_backwards_are_caught() -> None:
    def gaps(*spans: tuple[int, int]) -> Callable[[list[dict[str, Any]]], None]:
        def change(records: list[dict[str, Any]]) -> None:
            close = records[-1]
            told_at = {name: close[name] for name in ("at", "mono_us", "v", "visit", "seq", "prev")}
            for from_ms, to_ms in spans:
                gap = {"stream": "doctor", "from_ms": from_ms, "to_ms": to_ms, "cause": "network", "packets": 3}
                records.insert(-1, {**told_at, "type": "gap", "body": gap})

        return change

    refuted(gaps((100, 200), (150, 250)), "GAP-1")
    refuted(gaps((200, 100)), "GAP-1")


def test_a_clock_that_runs_backwards_or_leaps_is_caught() -> None:
    refuted(lambda records: first(records, "segment", 3).update(mono_us=1), "TIME-1")

    def yesterday(records: list[dict[str, Any]]) -> None:
        for record in records[5:]:
            record["at"] = record["at"].replace("2026-05-04", "2026-05-03")

    refuted(yesterday, "TIME-2")
