"""The bundle's verify.sh and `teleconsult verify` share no code and judge alike, whatever is done to a recording."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from recorder.bundle.directory import NotABundle, exit_code, verify_directory
from recorder.bundle.texts import verifiers
from recorder.evidence.canon import canonical
from recorder.evidence.checkpoint import NoteKey
from recorder.evidence.digest import Digest
from recorder.evidence.layout import PROOF, heads_name, is_safe, records_name
from recorder.evidence.verify import Verdict, verify
from tests import forgeries
from tests.bundles import ORIGIN, RECORDER, THIEF, MemoryReader, Scribe, honest_visit, keys_of, tamper, write_bundle
from tests.unit import test_verify, test_verify_heads, test_verify_law, test_verify_objects, test_verify_records
from tests.unit.test_logged import LOCAL, OUTSIDE, logged_visit

Objects = dict[str, bytes]

ALONE = keys_of("the recorder", sm2=False)
FORMS = {"FORM-1", "FORM-2", "FORM-3", "HEAD-1", "LOG-1"}
"""verify.sh reads no JSON: what has another form it may name by the hash or the signature that does not fit."""


LAW = (test_verify, test_verify_objects, test_verify_records, test_verify_law, test_verify_heads)
"""The tests of the other verifier, whose recordings this one judges, too."""


@pytest.fixture(scope="module")
def script() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield write_bundle(verifiers(), Path(folder)) / "verify.sh"


def by_shell(script: Path, folder: Path, *expected_key: str) -> tuple[int, list[str]]:
    done = subprocess.run(["sh", str(script), str(folder), *expected_key], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" or done.returncode == 2, done.stderr
    return done.returncode, done.stdout.splitlines()


def alike(script: Path, objects: Objects, what: object = "") -> None:
    """Write the objects down, let both judge, compare verdicts and the rule named."""
    folder = Path(tempfile.mkdtemp())
    try:
        verdict = verify_directory(write_bundle({"bundle.json": b"{}", **objects}, folder))
        code, said = by_shell(script, folder)
        intact, complete = (f"{name}: {'yes' if is_so else 'no'}" for name, is_so in _verdicts(verdict))
        assert (code, said[:2]) == (exit_code(verdict), [intact, complete]), (what, said, verdict.broken[:5])
        rules = {one.rule for one in verdict.broken}
        named = {line.split()[1] for line in said if line.startswith("broken: ")}
        assert named <= rules or rules & FORMS or named & FORMS, (what, said, verdict.broken[:5])
    finally:
        shutil.rmtree(folder)


def _verdicts(verdict: Verdict) -> list[tuple[str, bool]]:
    return [("intact", verdict.intact), ("complete", verdict.complete)]


def all_alike(script: Path, cases: list[tuple[Objects, object]]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(alike, script, objects, what) for objects, what in cases]:
            done.result()


def test_honest_visits_raise_no_alarm(script: Path) -> None:
    visits = [honest_visit(Random(n), keys=ALONE if n % 4 else RECORDER, closed=n % 3 != 0) for n in range(4)]
    all_alike(script, [(objects, seed) for seed, objects in enumerate(visits)])


@pytest.mark.slow
def test_every_tampering_the_verifier_is_tested_with_is_judged_alike(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = _cases_of_the_law(monkeypatch)
    assert len(cases) > 80
    all_alike(script, cases)


def _cases_of_the_law(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Objects, object]]:
    """Every recording that the tests of `recorder.evidence.verify` judge, once; the random ones left out."""
    cases: dict[bytes, tuple[Objects, object]] = {}
    name = ""

    def judge(objects: Objects, **asked: object) -> Verdict:
        safe = all(is_safe(one) and not one.startswith("junk") for one in objects)
        if safe and not {one for one in objects if any(other.startswith(f"{one}/") for other in objects)}:
            cases.setdefault(repr(sorted(objects.items())).encode(), (dict(objects), name))
        return verify(MemoryReader(objects), **asked)  # type: ignore[arg-type]

    for each in (forgeries, *LAW):
        monkeypatch.setattr(each, "judge", judge, raising=False)  # those of the law judge by `refuted`
    for name, test in [one for each in LAW for one in vars(each).items()]:  # `judge` notes the name
        if name.startswith("test_") and not {"random", "honest", "going"} & set(name.split("_")):
            for arguments in _parameters(test):
                test(**arguments)
    return list(cases.values())


def _parameters(test: object) -> list[dict[str, object]]:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    names, values = marks[0].args
    if isinstance(names, str):
        return [{names: value} for value in values]
    return [dict(zip(names, value, strict=True)) for value in values]


def test_random_tamperings_are_judged_alike(script: Path) -> None:
    visits = [honest_visit(Random(n), keys=ALONE if n % 3 else RECORDER, closed=n % 4 != 0) for n in range(6)]
    cases = []
    for seed in range(int(os.environ.get("TAMPERINGS", "12"))):
        rng = Random(f"shell {seed}")
        cases.append(tamper(rng, rng.choice(visits)))
    all_alike(script, [(objects, (seed, what)) for seed, (objects, what) in enumerate(cases)])


def test_a_proof_and_what_is_wrong_with_it_are_judged_alike(script: Path) -> None:
    objects = logged_visit(LOCAL, OUTSIDE)
    proof = objects[PROOF]
    cases: list[tuple[Objects, object]] = [(logged_visit(*some), some) for some in ((), (LOCAL,), (OUTSIDE, LOCAL))]
    for at in range(0, len(proof), int(os.environ.get("PROOF_STEP", "61"))):
        spoiled = bytearray(proof)
        spoiled[at] ^= 1 << at % 8
        cases.append(({**objects, PROOF: bytes(spoiled)}, at))
    for n, data in enumerate([b"", proof[:-1], proof + b"\n", proof.replace(b"\nindex", b"\nextra AAAA\nindex")]):
        cases.append(({**objects, PROOF: data}, -n))
    cases.append((logged_visit(LOCAL, closed=False), "open"))
    all_alike(script, cases)


def test_witnesses_of_any_name_and_odd_checkpoints_are_judged_alike(script: Path) -> None:
    names = [
        "[::1]:8080/w",
        "a,b",
        "a*b",
        "^a$",
        "a.b|c",
        "-v",
        "`id`",
        'a"b',
        "a\\b",
        "hôpital.example",
        "a" * 255,
        "a" * 256,
    ]
    keys = [NoteKey(name, keys_of(name, sm2=False).public_keys[0], "cosignature") for name in names]
    all_alike(script, [(logged_visit(LOCAL, key), key.name) for key in keys])


def resigned(objects: Objects, line: bytes, at: str) -> Objects:
    """What only the key's holder can write: this one record, under a head that says this time."""
    visit, digest = "Vb3kTest", hashlib.sha256(line).hexdigest()
    sm3 = Digest(bytes.fromhex(Digest(f"teleconsult-log-v1\n{visit}".encode()).sm3) + line).sm3
    said = {"at": at, "head": digest, "head_sm3": sm3, "origin": ORIGIN, "size": 1, "v": 1, "visit": visit}
    statement = canonical(said)
    sig = base64.b64encode(ALONE.sign(b"teleconsult-head-v1\n" + statement)[0].sig).decode()
    signed = canonical([{"alg": "ed25519", "key": ALONE.fingerprint, "sig": sig}])
    head = b'{"signatures":' + signed + b',"statement":' + statement + b"}\n"
    return {**objects, records_name(1): line + b"\n", heads_name(1): head}


def test_what_only_the_keys_holder_can_write_is_judged_alike(script: Path) -> None:
    scribe = Scribe(Random(1), keys=ALONE)
    scribe.open("doctor")
    scribe.flush()
    record, at = scribe.newest, scribe.at
    late = re.sub(rb'"mono_us":\d+', b'"mono_us":%d' % 2**53, record)
    times = ["aaaa-bb-ccTdd:ee:ff.gggZ", "2026-05-04T29:00:00.000Z", "2026-13-04T09:00:00.000Z"]
    cases = [(record, at), (late, at), *((record, time) for time in times)]
    assert verify(MemoryReader(resigned(scribe.objects, record, at))).intact
    all_alike(script, [(resigned(scribe.objects, *case), case) for case in cases])


def test_rubbish_and_repetition_are_not_paid_for(script: Path, tmp_path: Path) -> None:
    honest = honest_visit(Random(3), keys=ALONE)
    heads = sorted(name for name in honest if name.startswith("heads/"))
    lines = honest[heads[-1]].splitlines(keepends=True)
    repeated = {**honest, heads[-1]: b"".join([*lines, *lines[-1:] * 500])}
    forged = {**honest, heads[0]: re.sub(rb'"sig":"[^"]{10}', b'"sig":"AAAAAAAAAA', honest[heads[0]])}
    rubbish = {**honest, records_name(1): b"rubbish\n" * 5000}
    distinct = sum(len(honest[name].splitlines()) for name in heads)
    for objects, verdict, most in ((repeated, 0, distinct), (forged, 1, 1), (rubbish, 1, 0)):
        counted, folder = tmp_path / f"openssl-{most}", tmp_path / f"bundle-{most}"
        counted.mkdir()
        tool = f'#!/bin/sh\necho "$1" >>{counted}/said\nexec {shutil.which("openssl")} "$@"\n'
        (counted / "openssl").write_text(tool)
        (counted / "openssl").chmod(0o755)
        write_bundle({"bundle.json": b"{}", **objects}, folder)
        paths = {**os.environ, "PATH": f"{counted}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", str(script), str(folder)], env=paths, capture_output=True, timeout=60)
        said = counted / "said"
        assert done.returncode == verdict, done.stdout
        assert (said.read_text().split().count("pkeyutl") if said.exists() else 0) <= most


def test_the_witnesses_are_named(script: Path, tmp_path: Path) -> None:
    folder = write_bundle(logged_visit(LOCAL, OUTSIDE), tmp_path / "visit")
    assert by_shell(script, folder)[1][2:4] == [
        f"witnessed: {LOCAL.name} (run by the recorder itself)",
        f"witnessed: {OUTSIDE.name}",
    ]


def test_links_pipes_and_odd_names_are_named(script: Path, tmp_path: Path) -> None:
    objects = forgeries.plain_visit(ALONE)
    folder = write_bundle(objects, tmp_path / "visit")
    segment = folder / forgeries.segments_of(objects)[0]
    segment.rename(tmp_path / "elsewhere")
    segment.symlink_to(tmp_path / "elsewhere")
    assert by_shell(script, folder)[1][-1] == f"broken: LAYOUT-1 ./{segment.relative_to(folder)}"
    segment.unlink()
    os.mkfifo(segment)
    assert by_shell(script, folder)[0] == 1
    segment.unlink()
    (tmp_path / "elsewhere").rename(segment)
    assert by_shell(script, folder)[0] == 0
    for name in ("two words", "b\nbundle.json", "back\\slash", "-n", "$(exit)"):
        (folder / name).write_bytes(b"")
        assert by_shell(script, folder)[1][-1].startswith("broken: LAYOUT-"), name
        assert not verify_directory(folder).intact
        (folder / name).unlink()
    (folder / "streams" / "doctor" / "part-000").mkdir()
    assert by_shell(script, folder)[1][-1] == "broken: LAYOUT-1 ./streams/doctor/part-000"
    assert [tuple(one) for one in verify_directory(folder).broken] == [("LAYOUT-1", "streams/doctor/part-000")]
    (folder / "streams" / "doctor" / "part-000").rmdir()
    (folder / "streams" / ".DS_Store").write_bytes(b"left by a file manager")
    assert by_shell(script, folder)[0] == 0


def test_a_key_that_is_not_the_expected_one_is_refused(script: Path, tmp_path: Path) -> None:
    folder = write_bundle(forgeries.plain_visit(ALONE), tmp_path / "visit")
    assert by_shell(script, folder, ALONE.fingerprint)[0] == 0
    assert by_shell(script, folder, THIEF.fingerprint)[1][-1].startswith("broken: KEY-2")


def test_an_object_of_another_size_is_named_without_being_read(script: Path, tmp_path: Path) -> None:
    folder = write_bundle({"bundle.json": b"{}", **honest_visit(Random(7), "visit-7")}, tmp_path / "bundle")
    segment = next(path for path in sorted(folder.rglob("*.webm")) if "init" not in path.name)
    os.truncate(segment, 1 << 40)  # a terabyte of nothing: hashed, it would outlast the test
    code, said = by_shell(script, folder)
    assert (code, said[-1]) == (1, f"broken: SEG-2 {segment.relative_to(folder)}")
    (folder / "log").mkdir()
    os.truncate(segment, 0)
    (folder / PROOF).touch()
    os.truncate(folder / PROOF, 1 << 40)
    assert by_shell(script, folder)[1][-1].startswith("broken: LOG-1")


def test_what_is_no_bundle_is_told_apart(script: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert by_shell(script, folder)[0] == 2
        with pytest.raises(NotABundle):
            verify_directory(folder)


def test_a_copy_without_its_other_files_judges_nothing(script: Path, tmp_path: Path) -> None:
    folder = write_bundle(forgeries.plain_visit(ALONE), tmp_path / "visit")
    alone = tmp_path / "trusted" / "verify.sh"
    alone.parent.mkdir()
    alone.write_bytes(script.read_bytes())
    assert by_shell(alone, folder) == (2, [])


def test_without_one_of_its_tools_it_judges_nothing(script: Path, tmp_path: Path) -> None:
    folder = write_bundle({"bundle.json": b"{}", **forgeries.plain_visit(ALONE)}, tmp_path / "visit")
    (folder / "leftover").write_bytes(b"")  # what only `comm` would have found
    tools = tmp_path / "tools"
    tools.mkdir()
    listed = re.findall(r"for tool in ([a-z0-9 \\\n]+); do", script.read_text())[0]
    for tool in {*re.findall(r"[a-z0-9]+", listed), "sh", "dirname", "mkdir", "rm", "cat", "head"} - {"comm"}:
        (tools / tool).symlink_to(shutil.which(tool) or "")
    shell = [str(tools / "sh"), str(script), str(folder)]
    done = subprocess.run(shell, env={"PATH": str(tools)}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "this needs comm\n")


def test_no_search_path_of_the_readers_leads_it_elsewhere(script: Path, tmp_path: Path) -> None:
    honest = forgeries.plain_visit(ALONE)
    spoiled = {**honest, forgeries.segments_of(honest)[0]: b"other"}
    write_bundle({"bundle.json": b"{}", **honest}, tmp_path / "elsewhere" / "visit")
    write_bundle({"bundle.json": b"{}", **spoiled}, tmp_path / "here" / "visit")
    environment = {**os.environ, "CDPATH": str(tmp_path / "elsewhere")}
    done = subprocess.run(
        ["sh", script, "visit"], cwd=tmp_path / "here", env=environment, capture_output=True, timeout=60
    )
    assert done.returncode == 1


def test_it_is_short_names_all_its_parts_and_uses_no_code_of_ours() -> None:
    texts = {name: data.decode() for name, data in verifiers().items()}
    main = texts.pop("verify.sh")
    assert len(main.splitlines()) <= 60
    assert all(name.removeprefix("verify/") in main for name in texts)
    for name, text in {**texts, "verify.sh": main}.items():
        assert max(map(len, text.splitlines())) <= 120, name
        assert "python" not in text
