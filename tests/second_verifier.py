"""A second verifier, written from recorder/FORMAT.md alone: it shares no line with `recorder.evidence`.

Small and slow: it parses with `json`, counts every millisecond one by one, and leaves out SM3 and SM2 as §7 allows. It says
only whether a recording is intact and whether it is complete; the tests hold it against the real verifier.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

MEMBERS = {"v", "type", "visit", "seq", "at", "mono_us", "prev", "body"}
TYPES = {
    *("open", "consent", "withdraw", "join", "leave", "start", "key", "part", "segment", "sync", "gap", "event"),
    *("heartbeat", "recovered", "degraded", "stored", "access", "export", "close"),
    *("stamp", "anchor", "certificate"),
}
CAUSES = ("network", "off", "present", "recorder", "withdrawn", "worker")
OPTIONAL = {"log/manifest.jsonl", "log/manifest.tlog-proof", "stamps/close.tlog-proof", "log/close.tlog-proof"}
EXTRA = re.compile(r"README\.(zh|en)\.md|bundle\.json|verify\.sh|verify/[a-z]{1,32}\.(sh|awk)")


class Broken(Exception):
    """Something does not hold; verifying ends here."""


class Judgement(NamedTuple):
    """The two verdicts."""

    intact: bool
    complete: bool


def judge(objects: Mapping[str, bytes]) -> Judgement:
    """Judge a recording given as {name: bytes}."""
    try:
        told = _intact(objects)
    except (Broken, KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, InvalidSignature):
        return Judgement(False, False)
    return Judgement(True, _complete(told))


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def _canonical(value: Any) -> bytes:
    # Enough of RFC 8785 for version 1: integers only, names ASCII.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _lines(objects: Mapping[str, bytes], kind: str) -> list[list[bytes]]:
    numbers = sorted(name for name in objects if re.fullmatch(kind + r"/\d{6}\.jsonl", name))
    _need(numbers == [f"{kind}/{n:06d}.jsonl" for n in range(1, len(numbers) + 1)], "LAYOUT-2")
    batches = []
    for name in numbers:
        _need(objects[name].endswith(b"\n"), "FORM-1")
        batches.append(objects[name].removesuffix(b"\n").split(b"\n"))
    return batches


def _intact(objects: Mapping[str, bytes]) -> list[dict[str, Any]]:
    batches, head_batches = _lines(objects, "records"), _lines(objects, "heads")
    _need(len(batches) == len(head_batches) > 0, "LAYOUT-2")
    lines = [line for batch in batches for line in batch]
    records = [_record(line) for line in lines]
    _chain(lines, records)
    opening = records[0]["body"]
    keys = [named for named in opening["keys"] if named["alg"] == "ed25519"]
    _need(len(keys) == 1, "KEY-1")
    key = load_pem_public_key(objects[f"keys/{keys[0]['key']}.pem"])
    assert isinstance(key, Ed25519PublicKey)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _need(hashlib.sha256(der).hexdigest() == keys[0]["key"], "KEY-1")
    pem = b"".join(objects[f"keys/{keys[0]['key']}.pem"].splitlines()[1:-1])
    _need(base64.b64decode(pem, validate=True) == der, "KEY-1")
    _heads(lines, batches, head_batches, opening, keys[0]["key"], key)
    known = _media(objects, records) | _outside(objects, lines, records)
    _end(records)
    known |= {f"keys/{named['key']}.pem" for named in opening["keys"]} | OPTIONAL
    known |= {f"{kind}/{n:06d}.jsonl" for kind in ("records", "heads") for n in range(1, len(batches) + 1)}
    _need(all(name in known or EXTRA.fullmatch(name) for name in objects), "LAYOUT-1")
    return records


def _record(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    _need(isinstance(record, dict) and _canonical(record) == line, "FORM-1")
    _need(set(record) == MEMBERS and record["v"] == 1 and record["type"] in TYPES, "FORM-2")
    return dict(record)


def _chain(lines: list[bytes], records: list[dict[str, Any]]) -> None:
    visit = records[0]["visit"]
    before = hashlib.sha256(b"teleconsult-log-v1\n" + visit.encode()).hexdigest()
    for seq, (line, record) in enumerate(zip(lines, records, strict=True)):
        _need((record["seq"], record["prev"], record["visit"]) == (seq, before, visit), "CHAIN")
        _need((record["type"] == "open") == (seq == 0), "CHAIN-1")
        _need((record["type"] != "close") or seq == len(lines) - 1, "CLOSE-2")
        if seq and record["type"] != "recovered":
            earlier = records[seq - 1]
            mono = (record["mono_us"] - earlier["mono_us"]) / 1e6
            wall = (datetime.fromisoformat(record["at"]) - datetime.fromisoformat(earlier["at"])).total_seconds()
            _need(mono >= 0 and abs(wall - mono) <= 2, "TIME")
        before = hashlib.sha256(line).hexdigest()


def _heads(
    lines: list[bytes],
    batches: list[list[bytes]],
    head_batches: list[list[bytes]],
    opening: dict[str, Any],
    fingerprint: str,
    key: Ed25519PublicKey,
) -> None:
    covered = ended = 0
    visit = json.loads(lines[0])["visit"]
    for batch, heads in zip(batches, head_batches, strict=True):
        ended += len(batch)
        for line in heads:
            head = json.loads(line)
            _need(_canonical(head) == line and set(head) == {"signatures", "statement"}, "HEAD-1")
            said = head["statement"]
            _need(set(said) == {"at", "head", "head_sm3", "origin", "size", "v", "visit"}, "HEAD-1")
            _need((said["origin"], said["visit"], said["v"]) == (opening["origin"], visit, 1), "HEAD-2")
            _need(covered <= said["size"] <= len(lines), "HEAD-3, HEAD-6")
            _need(said["head"] == hashlib.sha256(lines[said["size"] - 1]).hexdigest(), "HEAD-4")
            signed = {one["alg"]: one for one in head["signatures"]}
            _need(len(signed) == len(head["signatures"]) == len(opening["keys"]), "HEAD-5")
            _need(signed["ed25519"]["key"] == fingerprint, "HEAD-5")
            signature = base64.b64decode(signed["ed25519"]["sig"], validate=True)
            key.verify(signature, b"teleconsult-head-v1\n" + line[line.index(b'"statement":') + 12 : -1])
            covered = said["size"]
        _need(covered == ended, "LAYOUT-3, HEAD-7")


def _media(objects: Mapping[str, bytes], records: list[dict[str, Any]]) -> set[str]:
    known: set[str] = set()
    agreed: set[str] = set()
    started: set[str] = set()
    newest: dict[str, dict[str, Any]] = {}
    reached: dict[str, int] = {}
    came = set(records[0]["body"]["seats"])
    sealed: dict[str, str] = {}
    for kind, body in ((record["type"], record["body"]) for record in records):
        if kind == "join":
            came.add(body["seat"])
        for seat in {"consent": [body.get("seat")], "withdraw": [body.get("seat")], "start": body.get("seats")}.get(
            kind, ()
        ):
            _need(seat in came, "SEAT-1")
        if kind in {"key", "part", "segment", "gap"}:
            _need(body["stream"].split(".")[0] in came, "SEAT-1")
        if kind == "key":
            sealed[body["stream"]] = body["suite"]
        if kind == "segment":
            _need(body["enc"] == sealed.get(body["stream"], "none"), "ENC-1")
        if kind == "part":
            coded = any(track["codec"] == "H264" for track in body["tracks"])
            _need((body["container"] == "matroska") == coded, "PART-3")
        if kind == "consent":
            (agreed.add if body["decision"] == "agreed" else agreed.discard)(body["seat"])
        elif kind == "withdraw":
            agreed.discard(body["seat"])
        elif kind == "start":
            _need(set(body["seats"]) <= agreed, "CONSENT-1")
            started |= set(body["seats"])
        elif kind in {"part", "segment"}:
            stream = body["stream"]
            _need(stream.split(".")[0] in started, "CONSENT-2")
            before = newest.get(stream, {"part": 0, "n": 0, "ext": ""})
            if kind == "part":
                ext = "webm" if body["container"] == "webm" else "mkv"
                newest[stream] = {"part": before["part"] + 1, "n": 0, "ext": ext}
                named, name = body["init"], f"streams/{stream}/part-{before['part'] + 1:03d}/init.{ext}"
            else:
                before["n"] += 1
                named, name = body, f"streams/{stream}/part-{before['part']:03d}/seg-{before['n']:06d}.{before['ext']}"
                _need(reached.get(stream, 0) <= body["from_ms"] < body["to_ms"], "SEG-5")
                _need((body["part"], body["n"]) == (before["part"], before["n"]), "SEG-3")
                reached[stream] = body["to_ms"]
            data = objects[name]
            seen = (name, len(data), hashlib.sha256(data).hexdigest())
            _need((named["name"], named["bytes"], named["sha256"]) == seen, "SEG-2, SEG-4")
            known.add(name)
    return known


def _outside(objects: Mapping[str, bytes], lines: list[bytes], records: list[dict[str, Any]]) -> set[str]:
    # What is in the proofs themselves is left to those who have an authority's certificates.
    known: set[str] = set()
    covered = 1
    for seq, record in enumerate(records):
        body = record["body"]
        if record["type"] == "anchor":
            _need(body["seq"] < seq and body["hash"] == hashlib.sha256(lines[body["seq"]]).hexdigest(), "ANCHOR-1")
        if record["type"] == "stamp":
            name = f"stamps/{len(known) + 1:06d}.tlog-proof"
            named = body["object"]
            seen = (name, len(objects[name]), hashlib.sha256(objects[name]).hexdigest())
            _need((named["name"], named["bytes"], named["sha256"]) == seen, "STAMP-1")
            _need(covered <= body["records"] <= seq and body["n"] == len(known) + 1, "STAMP-1")
            at = datetime.fromisoformat(body["at"])
            early = (datetime.fromisoformat(records[body["records"] - 1]["at"]) - at).total_seconds()
            late = (datetime.fromisoformat(record["at"]) - at).total_seconds()
            _need(early <= 120 and late >= -120, "STAMP-4")
            covered = body["records"]
            known.add(name)
    return known


def _end(records: list[dict[str, Any]]) -> None:
    started = any(record["type"] == "start" for record in records)
    ends = [record["body"]["to_ms"] for record in records if record["type"] in {"segment", "gap"}]
    for close in (record["body"] for record in records if record["type"] == "close"):
        _need((close["end_ms"] is None) == (not started), "CLOSE-4")
        _need(max(ends, default=0) <= (close["end_ms"] or 0), "CLOSE-4")


def _complete(records: list[dict[str, Any]]) -> bool:
    close = records[-1]
    if close["type"] != "close" or close["body"]["records"] != len(records):
        return False
    return all(_covered(records, name, told) for name, told in close["body"]["streams"].items())


def _covered(records: list[dict[str, Any]], stream: str, told: dict[str, Any]) -> bool:
    mine = [(one["type"], one["body"]) for one in records if one["body"].get("stream") == stream]
    fate: dict[int, str] = {}
    for kind, body in mine:
        if kind == "segment":
            fate |= dict.fromkeys(range(body["from_ms"], body["to_ms"]), "present")
    for kind, body in mine:
        if kind == "gap":
            fate |= dict.fromkeys(range(body["from_ms"], body["to_ms"]), body["cause"])
    counted = Counter(fate.values())
    whole = fate.keys() == set(range(told["first_ms"], told["last_ms"]))
    return whole and told["coverage"] == {cause: counted[cause] for cause in CAUSES}
