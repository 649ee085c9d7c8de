"""Accepted, or refused with the documented error: every parser of evidence, and the verifier over hostile recordings."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.evidence.canon import canonical, parse
from recorder.evidence.errors import KeyInvalid, NotCanonical, RecordInvalid
from recorder.evidence.heads import parse_head
from recorder.evidence.layout import is_object, is_safe
from recorder.evidence.records import BODIES, body_of, record_of
from recorder.evidence.sign import public_key
from recorder.evidence.trust import Trust, TrustListInvalid, parse_trust
from recorder.evidence.verify import verify
from tests.bundles import RECORDER, MemoryReader, honest_visit, keys_of

HONEST = honest_visit(Random(11), keys=keys_of("the recorder", sm2=False))
LINES = sorted({line for name, data in HONEST.items() if name.endswith(".jsonl") for line in data.splitlines()})

scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=10), values, max_size=6)


@st.composite
def spoiled_lines(draw: st.DrawFn) -> bytes:
    """A real line with bytes cut, put in or changed."""
    line = bytearray(draw(st.sampled_from(LINES)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        line[at : at + draw(st.integers(0, 6))] = draw(st.binary(max_size=6))
    return bytes(line)


@st.composite
def altered_records(draw: st.DrawFn) -> dict[str, Any]:
    """A real record with members changed, taken out or put in, anywhere."""
    record: dict[str, Any] = json.loads(draw(st.sampled_from(LINES)))
    at = record
    while draw(st.booleans()):
        below = [value for value in at.values() if isinstance(value, dict)]
        if not below:
            break
        at = draw(st.sampled_from(below))
    name = draw(st.sampled_from(sorted(at)) if at else st.just("x"))
    match draw(st.sampled_from(["set", "drop", "add"])):
        case "set":
            at[name] = draw(values)
        case "drop":
            at.pop(name, None)
        case _:
            at[draw(st.text(max_size=8))] = draw(values)
    return record


@given(st.binary(max_size=300) | spoiled_lines())
def test_a_line_is_read_or_refused(line: bytes) -> None:
    try:
        value = parse(line)
    except NotCanonical:
        return
    assert canonical(value) == line


@given(objects)
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    try:
        line = canonical(value)
    except NotCanonical:
        return
    assert canonical(parse(line)) == line


@given(altered_records() | objects)
def test_a_record_is_understood_or_refused(members: dict[str, Any]) -> None:
    try:
        record = record_of(members)
        body_of(record.type, record.body)
    except RecordInvalid:
        return


@given(st.sampled_from(sorted(BODIES)), objects)
def test_a_body_is_understood_or_refused(kind: str, body: dict[str, Any]) -> None:
    try:
        body_of(kind, body)
    except RecordInvalid:
        return


@given(spoiled_lines() | altered_records().map(lambda members: json.dumps(members).encode()) | st.binary(max_size=200))
def test_a_head_is_understood_or_refused(line: bytes) -> None:
    try:
        parse_head(line)
    except (NotCanonical, RecordInvalid):
        return


@given(
    st.binary(max_size=200) | st.binary(max_size=8).map(lambda piece: piece.join([RECORDER.public_keys[1].pem, b""]))
)
def test_a_key_is_understood_or_refused(pem: bytes) -> None:
    try:
        key = public_key(pem)
    except KeyInvalid:
        return
    assert not key.verifies(pem, b"")


@given(st.text(max_size=200))
def test_a_trust_list_is_understood_or_refused(text: str) -> None:
    try:
        assert isinstance(parse_trust(text), Trust)
    except TrustListInvalid:
        return


@given(st.text(alphabet=st.sampled_from("abz019-_./\\\n%é\0"), max_size=40))
def test_an_objects_name_never_leaves_its_root(name: str) -> None:
    if is_object(name):
        assert is_safe(name)
        assert not name.startswith("/")
        assert ".." not in name.split("/")


names = st.sampled_from(sorted(HONEST)) | st.text(max_size=20) | st.just("streams/patient/part-001/seg-999999.webm")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(
    st.dictionaries(names, st.binary(max_size=200) | st.lists(spoiled_lines(), max_size=4).map(b"\n".join), max_size=4)
)
def test_the_verifier_judges_anything_and_raises_nothing(added: dict[str, bytes]) -> None:
    recording = {**HONEST, **added}
    verdict = verify(MemoryReader(recording))
    json.dumps([one.where for one in verdict.broken])
    assert verdict.intact is (recording == HONEST) or verdict.intact is False


@settings(max_examples=40, deadline=None)
@given(st.lists(altered_records(), min_size=1, max_size=5), st.integers(1, 3))
def test_the_verifier_takes_any_records_for_what_they_are(records: list[dict[str, Any]], batch: int) -> None:
    try:
        lines = [canonical(record) for record in records]
    except NotCanonical:
        return
    added = b"".join(line + b"\n" for line in lines)
    verdict = verify(MemoryReader({**HONEST, f"records/{batch:06d}.jsonl": added}))
    assert not verdict.intact
