"""What may be done to a recording or a store, as stories: who did what, and the rules one of which must name it.

Three kinds, each made from a seed: `random_change` (any bytes, object, line or order), `STORIES` (what people with a motive
do, the key's holder among them) and `STORE_STORIES` (what is done to a whole store, its log and its witness).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, NamedTuple

from msgspec import to_builtins

from recorder.evidence.checkpoint import Note
from recorder.evidence.custody import NAMES, Asked, Body, Exported, Held, Shredded
from recorder.evidence.layout import PROOF, prefix
from recorder.evidence.records import body_of
from recorder.evidence.tiles import TILE, tile_name
from recorder.evidence.tree import Tree, leaf_hash
from recorder.live.call_quality import CallQuality
from recorder.log.keys import Keys
from tests.bundles import RECORDER, THIEF, honest_visit, keys_of, tamper
from tests.estate import ALONE, chained, estate, kept, lines_of, listed, logged, recordings_in, signed
from tests.forgeries import edited, first, harmless, plain_visit, retold, segments_of, told, with_lines

Objects = dict[str, bytes]

VISITS = 24
TOLD = ("SEG-", "PART-", "GAP-", "COV-", "START-", "SEAT-", "CONSENT-", "ENC-")
"""What a record says that cannot be: verify.sh reads it before it looks at the hash."""
CHAIN = ("CHAIN-", "FORM-", "HEAD-", "LAYOUT-", "TIME-", "CLOSE-")


class Tampered(NamedTuple):
    """`rules`: beginnings of rule ids; one that begins so must be named. `places`: where, if it must be exactly there."""

    objects: Objects
    what: str
    rules: tuple[str, ...]
    places: tuple[str, ...] = ()
    key: str | None = None
    """The fingerprint the reader trusts."""
    heads: tuple[Note, ...] = ()


@cache
def honest(number: int) -> Objects:
    """An honest visit; every fourth signed with SM2 too, every fifth still going on."""
    return honest_visit(Random(number), keys=RECORDER if number % 4 == 0 else ALONE, closed=number % 5 != 0)


def random_change(rng: Random) -> Tampered:
    """Any one change that takes a fact away; what only repeats or moves heads is drawn again (FORMAT.md §7)."""
    before = honest(rng.randrange(VISITS))
    while True:
        after, what = tamper(rng, before)
        if not harmless(before, after):
            break
    touched = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return Tampered(after, what, tuple(sorted({rule for name in touched for rule in _rules(name, before)})))


def _rules(name: str, before: Mapping[str, bytes]) -> tuple[str, ...]:
    if name not in before:
        return ("LAYOUT-", *CHAIN)
    if name.startswith("keys/"):
        return ("KEY-1",)
    if name == PROOF:
        return ("LOG-",)
    if name.startswith("heads/"):
        return ("HEAD-", "LAYOUT-")
    if name.startswith("records/"):
        return (*CHAIN, *TOLD)
    return ("PART-2",) if "/init." in name else ("SEG-1", "SEG-2")


# ---- what people do


def _flipped_in_a_segment(rng: Random, objects: Objects) -> Tampered:
    name = rng.choice(segments_of(objects))
    spoiled = bytearray(objects[name])
    spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
    return Tampered({**objects, name: bytes(spoiled)}, "a bit flipped", ("SEG-2",), (name,))


def _segment_deleted(rng: Random, objects: Objects) -> Tampered:
    name = rng.choice(segments_of(objects))
    return Tampered({n: d for n, d in objects.items() if n != name}, "a segment deleted", ("SEG-1",), (name,))


def _segments_swapped(rng: Random, objects: Objects) -> Tampered:
    one, other = rng.sample(segments_of(objects), 2)
    swapped = {**objects, one: objects[other], other: objects[one]}
    return Tampered(swapped, "segments swapped", ("SEG-2",), (one, other))


def _last_segment_and_its_record_dropped(rng: Random, objects: Objects) -> Tampered:
    name = max(n for n in objects if n.startswith("records/") and b'"type":"segment"' in objects[n])
    lines = objects[name].splitlines()
    at = max(n for n, line in enumerate(lines) if b'"type":"segment"' in line)
    gone = json.loads(lines[at])["body"]["name"]
    kept = {n: d for n, d in objects.items() if n != gone}
    return Tampered(
        with_lines(kept, name, lambda all_: all_[:at] + all_[at + 1 :]), "a segment and its record dropped", CHAIN
    )


def _tail_cut(rng: Random, objects: Objects) -> Tampered:
    batches = sorted(n for n in objects if n.startswith("records/"))
    gone = set(batches[-rng.randrange(1, len(batches)) :])
    bodies = [json.loads(line)["body"] for name in gone for line in objects[name].splitlines()]
    gone |= {name.replace("records/", "heads/") for name in gone} | {body["name"] for body in bodies if "name" in body}
    gone |= {body["init"]["name"] for body in bodies if "init" in body}
    return Tampered({n: d for n, d in objects.items() if n not in gone}, "the tail cut", ("CLOSE-1",))


def _consent_edited(rng: Random, objects: Objects) -> Tampered:
    change: Callable[[dict[str, Any]], None] = rng.choice(
        [
            lambda record: record["body"].update(language="en"),
            lambda record: record["body"].update(text_version="2020-01"),
            lambda record: record["body"].update(seat="doctor" if record["body"]["seat"] == "patient" else "patient"),
        ]
    )
    return Tampered(edited(objects, "consent", change), "a consent edited", ("CHAIN-", "HEAD-"))


def _record_edited(rng: Random, objects: Objects) -> Tampered:
    later: Callable[[dict[str, Any]], None] = lambda record: record.update(mono_us=record["mono_us"] + 1)  # noqa: E731
    return Tampered(
        edited(objects, rng.choice(["part", "segment", "start", "close"]), later),
        "a record edited",
        ("CHAIN-", "HEAD-"),
    )


def _all_signed_anew(rng: Random, objects: Objects) -> Tampered:
    return Tampered(retold(told(objects), THIEF), "key replaced, all signed anew", ("KEY-2",), key=ALONE.fingerprint)


def _retold(
    change: Callable[[Random, list[dict[str, Any]]], None], what: str, *rules: str
) -> Callable[[Random, Objects], Tampered]:
    """What the key's own holder tells anew: every hash and signature fits."""

    def story(rng: Random, objects: Objects) -> Tampered:
        records = told(objects)
        change(rng, records)
        media = {name: data for name, data in objects.items() if name.startswith("streams/")}
        return Tampered({**media, **retold(records, ALONE)}, what, rules)

    return story


def _media_before_consent(rng: Random, records: list[dict[str, Any]]) -> None:
    records.remove(first(records, "consent", rng.randrange(2)))


def _clock_back_a_day(rng: Random, records: list[dict[str, Any]]) -> None:
    for record in records[rng.randrange(1, len(records)) :]:
        then = datetime.fromisoformat(record["at"]).astimezone(UTC) - timedelta(days=1)
        record["at"] = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _gap_hidden(rng: Random, records: list[dict[str, Any]]) -> None:
    segment = first(records, "segment", rng.randrange(1, 8))
    records.remove(segment)


def _coverage_boasted(rng: Random, records: list[dict[str, Any]]) -> None:
    account = records[-1]["body"]["streams"][rng.choice(["doctor", "patient"])]["coverage"]
    account.update(present=account["present"] - 500, off=account["off"] + 500)


def _certified(lie: Callable[[Random, dict[str, Any]], object]) -> Callable[[Random, list[dict[str, Any]]], None]:
    """A visit whose recorder certifies the call's quality, and lies: `lie` changes its legs."""

    def told_anew(rng: Random, records: list[dict[str, Any]]) -> None:
        close = records.pop()
        call = CallQuality()
        claim = {"event": "claimed", "seat": "patient", "detail": {"freezes": 3, "relayed": True}}
        records.append({**records[-1], "type": "event", "body": claim})
        for record in records:
            call.take(body_of(record["type"], record["body"]))
        assert call.body is not None
        legs = to_builtins(call.body)["legs"]
        lie(rng, legs)
        records += [{**close, "type": "certificate", "body": {"legs": legs}}, close]
        close["body"]["records"] = len(records)

    return told_anew


def _call_embellished(rng: Random, legs: dict[str, Any]) -> None:
    measured = legs[rng.choice(["doctor", "patient"])]["measured"]
    measured[rng.choice(["lost", "missing_ms", "frozen", "packets"])] += rng.randrange(1, 100)


def _claim_embellished(rng: Random, legs: dict[str, Any]) -> None:
    legs["patient"]["claimed"] = rng.choice([{"freezes": 0, "relayed": True}, {"freezes": 3}, {}])


def _legs_exchanged(_rng: Random, legs: dict[str, Any]) -> None:
    legs["doctor"], legs["patient"] = legs["patient"], legs["doctor"]


STORIES: tuple[Callable[[Random, Objects], Tampered], ...] = (
    _flipped_in_a_segment,
    _segment_deleted,
    _segments_swapped,
    _last_segment_and_its_record_dropped,
    _tail_cut,
    _consent_edited,
    _record_edited,
    _all_signed_anew,
    _retold(_media_before_consent, "media before consent, told anew", "CONSENT-"),
    _retold(_clock_back_a_day, "the recorder's clock set back a day", "TIME-"),
    _retold(_gap_hidden, "a gap hidden by the key's holder", "SEG-", "COV-", "CLOSE-", "LAYOUT-"),
    _retold(_coverage_boasted, "coverage boasted by the key's holder", "COV-2"),
    _retold(_certified(_call_embellished), "the call's quality embellished by the key's holder", "CERT-2"),
    _retold(_certified(_claim_embellished), "a client's claim embellished by the key's holder", "CERT-2"),
    _retold(_certified(_legs_exchanged), "the legs of a certificate exchanged", "CERT-2"),
)


@cache
def _plain() -> Objects:
    return plain_visit(ALONE)


def story(rng: Random) -> Tampered:
    """One of the stories."""
    return rng.choice(STORIES)(rng, _plain())


# ---- what is done to a store


@cache
def store(number: int, keys: Keys = ALONE) -> Objects:
    """An honest store of three visits."""
    return estate(Random(number), 3, keys)


def _tree(objects: Objects) -> Tree:
    tree = Tree()
    for _, recording in sorted(recordings_in(objects).items()):
        for line in lines_of(recording):
            tree.append(leaf_hash(line))
    return tree


def _any_visit(rng: Random, objects: Objects) -> str:
    return rng.choice(sorted(recordings_in(objects)))


def _visit_removed(rng: Random, objects: Objects) -> Tampered:
    gone = f"recordings/{_any_visit(rng, objects)}/"
    return Tampered({n: d for n, d in objects.items() if not n.startswith(gone)}, "a whole visit removed", ("INV-3",))


def _newest(objects: Objects) -> str:
    return max(name for name in objects if "/checkpoint/" in name)


def _note(objects: Objects) -> Note:
    from recorder.evidence.checkpoint import parse_note

    return parse_note(objects[_newest(objects)])


def _log_rolled_back(rng: Random, objects: Objects) -> Tampered:
    gone = _newest(objects)
    return Tampered({n: d for n, d in objects.items() if n != gone}, "the log rolled back", ("INV-4",))


def _rolled_back_with_its_visit(rng: Random, objects: Objects) -> Tampered:
    kept = recordings_in(objects)
    del kept[_any_visit(rng, objects)]
    return Tampered(
        logged(kept, rng),
        "log and visit rolled back together",
        ("INV-5",),
        heads=(_note(objects),),
    )


def _forked(rng: Random, objects: Objects) -> Tampered:
    tree, size = Tree(), int(_newest(objects)[-12:])
    for n in range(size):
        tree.append(leaf_hash(b"another story %d" % n))
    return Tampered({**objects, _newest(objects): signed(tree, size).encoded}, "a fork of equal size", ("INV-2",))


def _thiefs_checkpoint(rng: Random, objects: Objects) -> Tampered:
    thief, tree = keys_of("someone else", sm2=False), _tree(objects)
    return Tampered(
        {**objects, _newest(objects): signed(tree, tree.size, thief).encoded},
        "a checkpoint of somebody else",
        ("INV-1",),
    )


def _tile_changed(rng: Random, objects: Objects) -> Tampered:
    full = int(_newest(objects)[-12:]) // TILE
    rest = int(_newest(objects)[-12:]) % TILE
    name = f"{_newest(objects).split('/checkpoint/')[0]}/tile/0/{tile_name(full)}.p/{rest}"
    spoiled = bytearray(objects[name])
    spoiled[rng.randrange(len(spoiled))] ^= 1
    return Tampered({**objects, name: bytes(spoiled)}, "a tile changed", ("INV-2",))


def _log_gone_too(rng: Random, objects: Objects) -> Tampered:
    gone = (f"recordings/{_any_visit(rng, objects)}/", "log/")
    kept = {n: d for n, d in objects.items() if not n.startswith(gone) and not n.endswith(PROOF)}
    return Tampered(kept, "a visit removed, and all that speaks of it", ("INV-7",))


def _exchanged(rng: Random, objects: Objects) -> Tampered:
    recordings = recordings_in(objects)
    one, other = rng.sample(sorted(recordings), 2)
    recordings[one], recordings[other] = recordings[other], recordings[one]
    moved = {prefix(visit) + name: data for visit, held in recordings.items() for name, data in held.items()}
    log = {name: data for name, data in objects.items() if not name.startswith("recordings/")}
    return Tampered({**log, **moved}, "two recordings exchanged", ("INV-6",))


def _moved_into_another(rng: Random, objects: Objects) -> Tampered:
    recordings = recordings_in(objects)
    one, other = rng.sample(sorted(recordings), 2)
    batch = max(name for name in recordings[other] if name.startswith("records/") and name.endswith(".jsonl"))
    lines = b"".join(line + b"\n" for line in lines_of(recordings[one]))
    kept = {n: d for n, d in objects.items() if not n.startswith(prefix(one))}
    kept[prefix(other) + batch] += lines
    return Tampered(kept, "the records of one put into another", ("INV-6",))


def _left_out_of_the_lists(rng: Random, _objects: Objects) -> Tampered:
    kept = {0, 1, 2} - {rng.randrange(3)}
    return Tampered(listed(rng, kept, set()), "a visit left out of the days' lists", ("INV-9",))


def _list_lies(rng: Random, _objects: Objects) -> Tampered:
    return Tampered(listed(rng, {0, 1, 2}, lie=True), "a day's list says another end", ("INV-9",))


def _lists_cut(rng: Random, _objects: Objects) -> Tampered:
    return Tampered(listed(rng, {0, 1, 2}, {1}, prev=False), "a day's list that forgets the one before", ("INV-9",))


def _list_written_anew(rng: Random, _objects: Objects) -> Tampered:
    objects = listed(rng, {0, 1, 2}, {1})
    name = rng.choice(sorted(name for name in objects if name.startswith("manifests/")))
    other = listed(rng, {0, 1}, set())[name]
    return Tampered({**objects, name: other}, "a day's list written anew", ("INV-3",))


def _custody(*told: tuple[str, Body, int]) -> Tampered:
    what = ", ".join(NAMES[type(body)] for _, body, _ in told)
    return Tampered(kept(chained(*told)), f"custody: {what}", ("CUSTODY-3",))


def _keys_misused(rng: Random, _objects: Objects) -> Tampered:
    ask, agree = Asked("shred", "lee", "operator", "over"), Shredded("lee", "operator", "kim", "over", [])
    keys = Asked("keys", "lee", "operator", "court")
    out = Exported("lee", "operator", "kim", "court", ["ab" * 32])
    held, alone = Held(True, "pat", "operator", "suit"), Shredded("lee", "operator", "lee", "over", [])
    return rng.choice(
        [
            _custody(("v", ask, 0), ("v", held, 1), ("v", agree, 2)),
            _custody(("v", ask, 0), ("v", alone, 1)),
            _custody(("v", agree, 1)),
            _custody(("v", ask, 0), ("w", agree, 1)),
            _custody(("v", ask, 0), ("v", agree, 25 * 60)),
            _custody(("v", ask, 0), ("v", keys, 1), ("v", agree, 2), ("v", out, 3)),
            _custody(("v", keys, 0), ("v", agree, 1)),
        ]
    )


STORE_STORIES: tuple[Callable[[Random, Objects], Tampered], ...] = (
    _visit_removed,
    _log_rolled_back,
    _rolled_back_with_its_visit,
    _forked,
    _thiefs_checkpoint,
    _tile_changed,
    _log_gone_too,
    _exchanged,
    _moved_into_another,
    _left_out_of_the_lists,
    _list_lies,
    _lists_cut,
    _list_written_anew,
    _keys_misused,
)


def store_story(rng: Random) -> Tampered:
    """One of the stories of a store."""
    return rng.choice(STORE_STORIES)(rng, store(rng.randrange(4)))
