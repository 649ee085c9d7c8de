"""What must hold after every story, whatever it told. Each rule gives a sentence for what breaks it.

Beside the verifier's rules: what the recording holds is what was sent, once, in order and to the byte, nothing of it came
while its seat did not agree; what came and is not there is explained; and causes are the story's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from recorder.evidence.layout import seat_of
from recorder.evidence.verify import verify
from tests.bundles import MemoryReader
from tests.stories import steps as s
from tests.stories.recorded import Recorded, stream_of
from tests.stories.senders import Sender, Shot
from tests.stories.stage import Stage

NEAR_MS = 250
HELD_MS = 3000
"""A sound may stand ahead of the picture, by what is no jump, and is not held for it (`recorder.tape.interleave`)."""
BRIEF_MS = 700
"""A picture that stands still for less is not told (`recorder.tape.track`)."""
SMOOTHED_MS = 1000
"""A shorter silence of the network beside another cause is told as part of that (`recorder.tape.coverage`)."""


def faults(stage: Stage) -> list[str]:
    """What is wrong with the recording."""
    verdict = verify(MemoryReader(stage.paper.store))
    found = [f"{broken.rule} {broken.where}" for broken in verdict.broken]
    if found or not (verdict.intact and verdict.complete):
        return found or ["neither rule nor verdict"]
    recorded = Recorded(stage)
    for rule in (_frames, _counts, _consent, _causes, _missing):
        found += list(rule(stage, recorded))[:3]
    return found


def _frames(stage: Stage, recorded: Recorded) -> Iterator[str]:
    """What is there was sent: these bytes, once, in order, and stands where it belongs."""
    leapt = {(step.seat, step.source) for step in stage.story.steps if isinstance(step, s.Leap)}
    last: dict[Sender, int] = {}
    last_ms: dict[tuple[str, int, int], int] = {}
    for segment, track, block, shot in recorded.kept:
        where = f"{segment['name']} at {block.at_ms}"
        if shot is None:
            yield f"{where}: nobody sent this frame of {track['source']}"
            continue
        sender = shot.sender
        if shot.number <= last.get(sender, 0) and (sender.seat, sender.source) not in leapt:
            yield f"{where}: shot {shot.number} of {sender.source} behind {last[sender]}"
        last[sender] = shot.number
        if (sender.ssrc, sender.source, stream_of(shot)) != (track["ssrc"], track["source"], segment["stream"]):
            yield f"{where}: a frame of {sender.seat} {sender.source} under {track['source']}"
        if block.keyframe != shot.keyframe:
            yield f"{where}: keyframe is {block.keyframe}"
        key = (segment["stream"], segment["part"], block.track)
        if block.at_ms <= last_ms.get(key, -1):
            yield f"{where}: behind {last_ms[key]}"
        last_ms[key] = block.at_ms
        if block.at_ms > segment["to_ms"] + HELD_MS:
            yield f"{where}: stands behind its segment's end, {segment['to_ms']}"
        came = max(one or 0 for one in shot.came_us)
        if not -7000 <= block.at_ms - recorded.ms(came) <= 3500:
            yield f"{where}: came at {recorded.ms(came)}"


def _counts(stage: Stage, recorded: Recorded) -> Iterator[str]:
    """Records count what files hold, and packets that came, each once."""
    frames = Counter((kept.segment["name"], kept.track["number"]) for kept in recorded.kept)
    received: Counter[int] = Counter()
    parts = {(part["stream"], part["part"]): part for part in recorded.bodies("part")}
    for segment in recorded.bodies("segment"):
        tracks = {track["number"]: track for track in parts[segment["stream"], segment["part"]]["tracks"]}
        for counts in segment["tracks"]:
            if counts["frames"] != frames[segment["name"], counts["number"]]:
                yield f"{segment['name']}: {counts['frames']} frames told, {frames[segment['name'], counts['number']]} there"
            received[tracks[counts["number"]]["ssrc"]] += counts["received"]
    written: Counter[int] = Counter()
    for kept in recorded.kept:
        if kept.shot is not None:
            written[kept.shot.sender.ssrc] += len(kept.shot.came_us)
    came: Counter[int] = Counter()
    for shot in stage.shots:
        came[shot.sender.ssrc] += sum(one is not None for one in shot.came_us)
    for ssrc, count in received.items():
        if not written[ssrc] <= count <= came[ssrc]:
            yield f"ssrc {ssrc:x}: {count} packets received, {written[ssrc]} in frames, {came[ssrc]} came"


def _consent(stage: Stage, recorded: Recorded) -> Iterator[str]:
    """Nothing came while its seat did not agree."""
    agreed = recorded.agreed()
    for kept in recorded.kept:
        for came_us in kept.shot.came_us if kept.shot is not None and not kept.shot.again else ():
            seat = seat_of(kept.segment["stream"])
            if came_us is None or not any(begin <= came_us < end for begin, end in agreed[seat]):
                yield f"{kept.segment['name']} at {kept.block.at_ms}: came at {recorded.ms(came_us or 0)}, not agreed"


def _causes(stage: Stage, recorded: Recorded) -> Iterator[str]:
    """A gap has a cause that held then; where consent was withdrawn, that is the cause."""
    agreed = recorded.agreed()
    for gap in recorded.bodies("gap"):
        stream, begin, end, cause = gap["stream"], gap["from_ms"], gap["to_ms"], gap["cause"]
        held = _held(stage, recorded, stream, cause, agreed[seat_of(stream)])
        first = not any(one["stream"] == stream and one["from_ms"] < begin for one in recorded.bodies("segment"))
        if cause == "recorder" and first and any(one.what == "crashed" for one in stage.spans):
            continue  # of what was not begun when the recorder died nothing says when it came to be
        if not any(begin < to_ms + SMOOTHED_MS and from_ms - SMOOTHED_MS < end for from_ms, to_ms in held):
            yield f"{stream}: gap {begin}-{end} {cause}, which held {held}"
    for stream in {gap["stream"] for gap in recorded.bodies("gap")}:
        told = [(begin, end) for begin, end, cause in recorded.gaps(stream) if cause == "withdrawn"]
        spans = agreed[seat_of(stream)]
        if "." in stream:
            continue
        for (_, begin_us), (end_us, _) in pairwise(spans):
            begin, end = recorded.ms(begin_us) + NEAR_MS, recorded.ms(end_us)
            if begin < end - 1 and not any(a <= begin and end - 1 <= b for a, b in told):
                yield f"{stream}: withdrawn {begin}-{end}, told {told}"


def _held(
    stage: Stage, recorded: Recorded, stream: str, cause: str, agreed: list[tuple[int, int]]
) -> list[tuple[float, float]]:
    """When the cause held, as the story knows (ms)."""
    whole = (0.0, 1e12)
    match cause:
        case "withdrawn":
            ends = [*(begin for begin, _ in agreed[1:]), 1 << 60]
            return [(recorded.ms(begin), recorded.ms(end)) for (_, begin), end in zip(agreed, ends, strict=True)]
        case "recorder":
            names = {"crashed", "disk", "full"}
        case "worker":
            names = {"tap", "worker"}
        case _:
            return [whole]
    return [(recorded.ms(one.from_us), recorded.ms(one.to_us) + 3500) for one in stage.spans if one.what in names]


def _missing(stage: Stage, recorded: Recorded) -> Iterator[str]:
    """A frame that came whole while its seat was recorded is there, or lies where something is declared or went wrong."""
    there = {id(kept.shot): kept.block.at_ms for kept in recorded.kept}
    ahead: dict[Sender, float] = defaultdict(float)
    agreed = recorded.agreed()
    frozen: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for event in recorded.bodies("event"):
        if event["event"] == "frozen":
            detail = event["detail"]
            frozen[event["seat"], detail["source"]].append((detail["from_ms"], detail["to_ms"]))
    parts: dict[str, list[int]] = defaultdict(list)
    for part in recorded.bodies("part"):
        parts[part["stream"]].append(part["from_ms"])
    troubles = _troubles(stage, recorded)
    firsts = _firsts(stage)
    broken: dict[Sender, bool] = {}
    for shot in stage.shots:
        sender, stream = shot.sender, stream_of(shot)
        sent_ms = recorded.ms(shot.sent_us)
        if id(shot) in there:
            broken[sender], ahead[sender] = False, there[id(shot)] - sent_ms
            continue
        came = [one for one in shot.came_us if one is not None and one <= stage.closing_us]
        if len(came) < len(shot.came_us) or shot.late or _overtaken(shot, firsts[sender]):
            broken[sender] = True
            continue
        if sender.codec != "opus" and not shot.keyframe and broken.get(sender):
            continue
        spans = [
            *((a - NEAR_MS, b + NEAR_MS) for a, b, _ in recorded.gaps(stream)),
            *((a - NEAR_MS, b + NEAR_MS) for a, b in frozen[sender.seat, sender.source]),
            *((a - NEAR_MS, a + BRIEF_MS) for a in parts[stream] if not shot.keyframe),
            *troubles[sender.seat, sender.source],
        ]
        at_ms = recorded.ms(max(came))
        explained = any(
            a <= one <= b for a, b in spans for one in (at_ms, sent_ms, sent_ms + ahead[sender])
        ) or not any(begin + 600_000 <= min(came) and max(came) < end for begin, end in agreed[sender.seat])
        broken[sender] = True
        if not explained:
            yield f"{stream}: shot {shot.number} of {sender.source} ({sender.codec}) came at {at_ms:.0f} and is not there"


def _firsts(stage: Stage) -> dict[Sender, tuple[int, int, int]]:
    """Of each sender what came first: when, of which shot, which packet of it."""
    firsts: dict[Sender, tuple[int, int, int]] = {}
    for shot in stage.shots:
        for place, came in enumerate(shot.came_us):
            if came is not None:
                firsts[shot.sender] = min(
                    firsts.get(shot.sender, (came, shot.number, place)), (came, shot.number, place)
                )
    return firsts


def _overtaken(shot: Shot, first: tuple[int, int, int]) -> bool:
    """Whether a later packet came before it as the first of all: a sequence begins with what comes first (ORDER-1)."""
    _, number, place = first
    return shot.number < number or (shot.number == number and place > 0)


def _troubles(stage: Stage, recorded: Recorded) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """When frames may be lost that came, of each source (ms)."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    sources = {(shot.sender.seat, shot.sender.source) for shot in stage.shots}
    for step in stage.story.steps:
        begin = recorded.ms(stage.zero_us + step.at_ms * 1000)
        match step:
            case s.Jump(_, seat, source) | s.Leap(_, seat, source):
                found[seat, source].append((begin - 500, begin + 3000))
            case s.Withdraw(_, seat):  # what stands ahead of the clock stands after it
                for key in sources:
                    if key[0] == seat:
                        found[key].append((begin - 2500, begin + 500))
            case s.WorkerDies(_, ms) | s.DiskFails(_, ms) | s.Pause(_, ms):
                for key in sources:
                    found[key].append((begin - 6000, begin + ms + 3000))
    return found
