"""What a recording really holds: playable files of an exported bundle, judged by ffmpeg and by their decoded content."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from recorder.sealing.keyring import Keyring
from recorder.sealing.kms import FileKms, Wrapped
from recorder.sealing.mint import context_of
from recorder.sealing.opened import Opener, read_ledger

FLASH_LUMA = 170
BEEP_RMS = 0.05
WINDOW_S = 0.005


@dataclass(frozen=True)
class Part:
    """One playable file of a stream, and the stream time it says it covers (ms)."""

    stream: str
    number: int
    path: Path
    from_ms: int
    to_ms: int


def records(bundle: Path) -> list[dict[str, Any]]:
    """The chain, in order."""
    lines = [line for batch in sorted((bundle / "records").iterdir()) for line in batch.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def bodies(bundle: Path, kind: str) -> list[dict[str, Any]]:
    """Of every record of a type, what it says."""
    return [record["body"] for record in records(bundle) if record["type"] == kind]


def degraded(bundle: Path) -> list[tuple[str, bool]]:
    """What failed, and (True) what was over again, in order."""
    return [(body["code"], body["over"]) for body in bodies(bundle, "degraded")]


def secrets(data: Path, visit: str) -> dict[str, bytes]:
    """The data keys of a visit, from the keyring and the file KMS below DATA."""
    kms = {"kms": FileKms(data / "keys" / "kms"), "local": FileKms(data / "keys" / "local-kms")}
    return {
        held.key: kms[wrap.kind].unwrap(Wrapped(wrap.root, wrap.blob), context_of(held.key))
        for held in (Keyring(data / "keyring").keys(visit) if (data / "keyring").is_dir() else [])
        for wrap in held.wraps
        if wrap.kind in kms
    }


def _data_near(bundle: Path, into: Path) -> Path:
    # Beside what the test made, or above the folder store's own layout.
    found = [*into.glob("*/keyring"), *bundle.parent.glob("*/keyring"), bundle.parents[2] / "keyring"]
    return next((path.parent for path in found if path.is_dir()), into)


def parts(bundle: Path, into: Path, data: Path | None = None) -> list[Part]:
    """`cat init seg…` of every part, opened and written to `into`. `data`: whose keys open it, where it is sealed."""
    out: list[Part] = []
    chain = records(bundle)
    visit, expected = read_ledger(bundle)
    opener = Opener(visit, secrets(data or _data_near(bundle, into), visit))
    for opened in (record["body"] for record in chain if record["type"] == "part"):
        segments = [
            record["body"]
            for record in chain
            if record["type"] == "segment"
            and (record["body"]["stream"], record["body"]["part"]) == (opened["stream"], opened["part"])
        ]
        if not segments:
            continue
        init = bundle / opened["init"]["name"]
        path = into / f"{opened['stream']}-{opened['part']:03d}{init.suffix}"
        path.write_bytes(
            b"".join(
                opener.content(name, expected[name], (bundle / name).read_bytes())
                for name in (opened["init"]["name"], *(s["name"] for s in segments))
            )
        )
        out.append(Part(opened["stream"], opened["part"], path, segments[0]["from_ms"], segments[-1]["to_ms"]))
    return out


def complaints(path: Path) -> str:
    """What ffmpeg says, at warning level, when it plays the file from end to end: nothing, if all is well."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "warning", "-i", str(path), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip()


def span_s(path: Path) -> tuple[float, float]:
    """First and last presentation time of any frame, in seconds."""
    with av.open(str(path)) as file:
        times = [float(packet.pts * packet.time_base) for packet in file.demux() if packet.pts is not None]
    return min(times), max(times)


def flashes_s(path: Path) -> list[float]:
    """When the picture turns white (the test page flashes once a second)."""
    out: list[float] = []
    bright = True
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            now_bright = bool(frame.to_ndarray(format="gray").mean() > FLASH_LUMA)
            if now_bright and not bright:
                out.append(float(frame.pts * frame.time_base))
            bright = now_bright
    return out


def beeps_s(path: Path) -> list[float]:
    """When sound begins after silence."""
    out: list[float] = []
    loud = True
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float64).reshape(-1, frame.layout.nb_channels)[:, 0]
            if frame.format.name.startswith("s16"):
                samples = samples / 32768
            step = int(frame.sample_rate * WINDOW_S)
            begins = float(frame.pts * frame.time_base)
            for place in range(0, len(samples) - step + 1, step):
                now_loud = bool(np.sqrt(np.mean(samples[place : place + step] ** 2)) > BEEP_RMS)
                if now_loud and not loud:
                    out.append(begins + place / frame.sample_rate)
                loud = now_loud
    return out


def lip_sync_ms(path: Path) -> list[float]:
    """For each flash the nearest beep, beep minus flash in milliseconds."""
    beeps = beeps_s(path)
    return [min((beep - flash for beep in beeps), key=abs) * 1000 for flash in flashes_s(path)] if beeps else []
