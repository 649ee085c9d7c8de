"""Timestamps of third parties, the day's manifest and evidence services: what they show, and every harm to them.

Both verifiers judge every case: `teleconsult verify` and the bundle's `verify.sh`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from recorder.bundle.directory import exit_code, verify_directory
from recorder.bundle.texts import verifiers
from recorder.evidence.layout import CLOSE_STAMP, MANIFEST, MANIFEST_PROOF, stamp_name
from recorder.evidence.proof import parse_proof
from recorder.evidence.stamped import DOMAIN, make_stamp
from recorder.evidence.token import roots_in
from recorder.evidence.tree import leaf_hash
from recorder.evidence.trust import Trust
from recorder.evidence.verify import Verdict, verify
from tests.authority import make_authority
from tests.bundles import MemoryReader, write_bundle
from tests.stamps import ALONE, Witnessed, stamped_visit

Objects = dict[str, bytes]
Change = Callable[[Objects], object]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def told(authority: Path) -> Witnessed:
    scribe = stamped_visit(authority)
    scribe.manifest("Vother", "Vthird")
    return scribe


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(verifiers(), tmp_path_factory.mktemp("tools")) / "verify.sh"


def trusting(authority: Path, required: bool = True) -> Trust:
    return Trust(roots=tuple(roots_in((authority / "ca.crt").read_bytes())), timestamps_required=required)


def judge(objects: Objects, trust: Trust | None = None) -> Verdict:
    return verify(MemoryReader(objects), trust=trust)


def by_shell(script: Path, folder: Path, objects: Objects, *roots: str) -> tuple[int, list[str]]:
    shutil.rmtree(folder, ignore_errors=True)
    write_bundle({"bundle.json": b"{}", **objects}, folder)
    done = subprocess.run(
        ["sh", str(script), str(folder), *(("", *roots) if roots else ())], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout.splitlines()


def test_stamps_are_declared_without_roots_and_trusted_with_them(authority: Path, told: Witnessed) -> None:
    verdict = judge(told.objects)
    assert (verdict.broken, verdict.timestamped, len(verdict.timestamps)) == ([], "declared", 3)
    assert (verdict.closed_at, verdict.authorities) == (verdict.timestamps[-1], ["CN=Test TSA"])
    assert verdict.manifest == told.at[:10]
    assert verdict.anchors[0].reference == "0x17"
    assert verdict.quality["doctor"].measured == {"lost": told.lost_of("doctor"), "codecs": "VP8 opus"}
    assert judge(told.objects, trusting(authority)).timestamped == "trusted"


def test_verify_sh_says_the_same(authority: Path, other: Path, told: Witnessed, script: Path, tmp_path: Path) -> None:
    code, said = by_shell(script, tmp_path / "v", told.objects)
    assert (code, said[:2]) == (0, ["intact: yes", "complete: yes"]), said
    assert said[3].startswith("timestamped: declared, by authorities you did not name: 3, from ")
    code, said = by_shell(script, tmp_path / "v", told.objects, str(authority / "ca.crt"))
    assert code == 0, said
    assert said[3].startswith("timestamped: trusted: 3, from ")
    code, said = by_shell(script, tmp_path / "v", told.objects, str(other / "ca.crt"))
    assert (code, said[-1]) == (1, f"broken: STAMP-5 {CLOSE_STAMP}")


def test_who_asks_for_timestamps_gets_them_or_is_told(authority: Path, other: Path) -> None:
    for scribe in (stamped_visit(authority, end=False), stamped_visit(authority, stamps=0, end=False)):
        assert judge(scribe.objects).complete
        assert judge(scribe.objects, trusting(authority)).broken == [("STAMP-5", CLOSE_STAMP)]
    assert judge(scribe.objects).timestamped == "none"
    assert judge(stamped_visit(other).objects, trusting(authority)).broken == [("STAMP-5", CLOSE_STAMP)]


def test_a_recorders_clock_is_held_against_the_authoritys(authority: Path, script: Path, tmp_path: Path) -> None:
    for ahead_s, rule in ((-86_400.0, "STAMP-4"), (86_400.0, "STAMP-4"), (90.0, None), (-90.0, None)):
        objects = stamped_visit(authority, ahead_s=ahead_s).objects
        broken = judge(objects).broken
        assert {one.rule for one in broken} == ({rule} if rule else set()), (ahead_s, broken)
        code, said = by_shell(script, tmp_path / "v", objects)
        assert code == (1 if rule else 0), said
        assert not rule or rule in said[-1]


def swapped(objects: Objects) -> None:
    first, second = stamp_name(1), stamp_name(2)
    objects[first], objects[second] = objects[second], objects[first]


def resigned(change: Callable[[bytes], bytes]) -> Change:
    """The closing stamp's reply changed by who has the recorder's key."""

    def harm(objects: Objects) -> None:
        proof = parse_proof(objects[CLOSE_STAMP])
        reply = change(proof.extra[64:])
        objects[CLOSE_STAMP] = make_stamp(proof, reply, lambda message: ALONE.sign(message)[0].sig)

    return harm


def in_manifest(old: bytes, new: bytes) -> Change:
    return lambda objects: objects.__setitem__(MANIFEST, objects[MANIFEST].replace(old, new))


def end_of_first(objects: Objects) -> None:
    objects[CLOSE_STAMP] = objects[stamp_name(1)]


def with_path(objects: Objects) -> None:
    proof = parse_proof(objects[CLOSE_STAMP])
    objects[CLOSE_STAMP] = replace(proof, path=proof.path[1:]).encoded


HARMS: list[tuple[str, Change]] = [
    ("STAMP-1", lambda objects: objects.pop(stamp_name(1))),
    ("STAMP-1", swapped),
    ("STAMP-1", lambda objects: objects.__setitem__(stamp_name(2), objects[stamp_name(2)] + b"\n")),
    ("LAYOUT-1", lambda objects: objects.__setitem__(stamp_name(3), objects[stamp_name(2)])),
    ("STAMP-2", end_of_first),
    ("STAMP-2", with_path),
    ("STAMP-2", lambda objects: objects.__setitem__(CLOSE_STAMP, objects[CLOSE_STAMP][:-1])),
    ("STAMP-3", resigned(lambda reply: b"not a reply")),
    ("STAMP-3", resigned(lambda reply: reply[:-1] + bytes([reply[-1] ^ 1]))),
    ("STAMP-3", resigned(lambda reply: reply + b"\0")),
    ("STAMP-3", resigned(lambda reply: b"\x30\x83\0" + reply[2:])),
    ("MANIFEST-1", lambda objects: objects.pop(MANIFEST)),
    ("MANIFEST-1", lambda objects: objects.pop(MANIFEST_PROOF)),
    ("MANIFEST-1", in_manifest(b"notary", b"Notary")),
]


@pytest.mark.parametrize("number", range(len(HARMS)))
def test_a_harm_is_named(number: int, told: Witnessed, script: Path, tmp_path: Path) -> None:
    rule, harm = HARMS[number]
    objects = dict(told.objects)
    harm(objects)
    broken = judge(objects).broken
    assert broken[0].rule == rule, broken
    code, said = by_shell(script, tmp_path / "v", objects)
    assert code == 1
    assert said[-1].split()[1] in {one.rule for one in broken}, said


def test_a_stamp_of_another_checkpoint_is_none_of_this(authority: Path, told: Witnessed) -> None:
    older = parse_proof(told.objects[stamp_name(1)])
    objects = dict(told.objects)
    resigned(lambda _: older.extra[64:])(objects)
    assert judge(objects).broken == [("STAMP-3", CLOSE_STAMP)]


def test_a_line_of_a_manifest_is_no_longer_than_a_record_may_be(told: Witnessed, script: Path, tmp_path: Path) -> None:
    receipt = b'{"reference":"' + b"r" * 1000 + b'","service":"notary.example"}'
    long = told.objects[MANIFEST].replace(b'"anchors":[]', b'"anchors":[' + b",".join([receipt] * 70) + b"]", 1)
    assert long != told.objects[MANIFEST]
    proof = told.proof(told.tree.append(leaf_hash(long))).encoded
    objects = {**told.objects, MANIFEST: long, MANIFEST_PROOF: proof}
    assert judge(objects).broken == [("MANIFEST-1", MANIFEST)]
    code, said = by_shell(script, tmp_path / "v", objects)
    assert (code, said[-1]) == (1, f"broken: MANIFEST-1 {MANIFEST}")


def test_a_manifest_without_the_visit_is_named(authority: Path, script: Path, tmp_path: Path) -> None:
    scribe = stamped_visit(authority)
    scribe.manifest("Vother")
    elsewhere = stamped_visit(authority)
    elsewhere.visit = "another"
    elsewhere.manifest("Vother")
    objects = {**scribe.objects, MANIFEST: elsewhere.objects[MANIFEST]}
    assert judge(objects).broken == [("MANIFEST-1", MANIFEST)]
    data = elsewhere.objects[MANIFEST]
    objects[MANIFEST_PROOF] = scribe.proof(scribe.tree.append(leaf_hash(data))).encoded
    assert judge(objects).broken == [("MANIFEST-2", MANIFEST)]
    code, said = by_shell(script, tmp_path / "v", objects)
    assert (code, said[-1]) == (1, f"broken: MANIFEST-2 {MANIFEST}")


def test_an_authority_that_signs_by_sha1_is_refused_by_both(script: Path, tmp_path: Path) -> None:
    weak = make_authority(tmp_path / "weak")
    settings = (weak / "tsa.cnf").read_text()
    (weak / "tsa.cnf").write_text(settings.replace("signer_digest = sha256", "signer_digest = sha1"))
    objects = stamped_visit(weak).objects
    assert {one.rule for one in judge(objects).broken} == {"STAMP-3"}
    assert by_shell(script, tmp_path / "v", objects)[1][-1].startswith("broken: STAMP-3")


def test_a_reader_may_vouch_for_the_authority_itself(
    authority: Path, told: Witnessed, script: Path, tmp_path: Path
) -> None:
    itself = authority / "tsa.crt"
    trust = Trust(roots=tuple(roots_in(itself.read_bytes())), timestamps_required=True)
    assert judge(told.objects, trust).timestamped == "trusted"
    assert by_shell(script, tmp_path / "v", told.objects, str(itself))[0] == 0


def test_a_manifest_of_another_log_or_of_no_time_is_named(authority: Path, script: Path, tmp_path: Path) -> None:
    scribe = stamped_visit(authority)
    scribe.manifest("Vother")
    honest = scribe.objects[MANIFEST]
    mine = scribe.key.name.encode()
    changes = [
        (mine + b'","prev"', mine[:-1] + b'g","prev"'),
        (mine + b'","prev"', b"another/" + mine.rpartition(b"/")[2] + b'","prev"'),  # the same key's
        (honest[:15], b'{"at":"2026-13-'),
    ]
    for number, change in enumerate(changes):
        data = honest.replace(*change, 1)
        assert data != honest
        objects = {**scribe.objects, MANIFEST: data}
        objects[MANIFEST_PROOF] = scribe.proof(scribe.tree.append(leaf_hash(data))).encoded
        assert judge(objects).broken == [("MANIFEST-1", MANIFEST)]
        code, said = by_shell(script, tmp_path / f"v{number}", objects)
        assert (code, said[-1]) == (1, f"broken: MANIFEST-1 {MANIFEST}")


def test_random_harms_to_what_others_say_are_caught_by_both(told: Witnessed, script: Path, tmp_path: Path) -> None:
    rng = Random(8)
    mine = [name for name in told.objects if name.startswith(("stamps/", "log/"))]

    def one(number: int, name: str, at: int, bit: int) -> None:
        objects = dict(told.objects)
        spoiled = bytearray(objects[name])
        spoiled[at % len(spoiled)] ^= 1 << bit
        objects[name] = bytes(spoiled)
        verdict = verify_directory(write_bundle({"bundle.json": b"{}", **objects}, tmp_path / f"w{number}"))
        assert exit_code(verdict) == 1, (name, at, bit)
        assert by_shell(script, tmp_path / f"v{number}", objects)[0] == 1, (name, at, bit)

    with ThreadPoolExecutor(4) as pool:
        cases = [(n, rng.choice(mine), rng.randrange(10**6), rng.randrange(8)) for n in range(10)]
        for done in [pool.submit(one, *case) for case in cases]:
            done.result()


def test_the_signature_binds_what_the_authority_did_not_sign(told: Witnessed) -> None:
    proof = parse_proof(told.objects[CLOSE_STAMP])
    assert ALONE.public_keys[0].verifies(proof.extra[:64], DOMAIN + proof.extra[64:])
