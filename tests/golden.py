"""Makes the golden bundles: `python -m tests.golden`. Recordings of today that every verifier to come must judge the same.

They are kept in tests/fixtures/golden/<version> as ZIP files, with the verdict each must get. Made once a version of it
(older ones stay as they are, verdicts too): a change that needs them made anew has broken the recordings out there.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from recorder.evidence.layout import CLOSE_STAMP, stamp_name
from recorder.evidence.records import FORMAT
from recorder.evidence.verify import verify
from tests.authority import make_authority
from tests.bundles import MemoryReader, honest_visit, keys_of, tamper
from tests.stamps import stamped_visit
from tests.unit.test_logged import LOCAL, OUTSIDE, logged_visit

ALL = Path(__file__).parent / "fixtures" / "golden"
FOLDER = ALL / FORMAT.rpartition("/")[2]

Objects = dict[str, bytes]


def stories() -> dict[str, Objects]:
    """Name → a recording. The same bytes each time: Ed25519 signs without chance, SM2 does not and is left out."""
    alone = keys_of("the recorder", sm2=False)
    honest = honest_visit(Random(4), keys=alone)
    sealed = honest_visit(Random(6), keys=alone, sealed=True)
    return {
        "honest": honest,
        "sealed": sealed,
        "still-going-on": honest_visit(Random(5), keys=alone, closed=False),
        "logged-and-witnessed": logged_visit(LOCAL, OUTSIDE),
        **{f"tampered-{n}": tamper(Random(f"golden {n}"), honest)[0] for n in range(6)},
        **_stamped(),
        **{f"sealed-tampered-{n}": tamper(Random(f"sealed {n}"), sealed)[0] for n in range(3)},
    }


def _stamped() -> dict[str, Objects]:
    # An authority says nothing twice the same: what there is of it stays as it was made.
    if (FOLDER / "stamped.zip").is_file():
        with ZipFile(FOLDER / "stamped.zip") as archive:
            whole = {name: archive.read(name) for name in archive.namelist()}
    else:
        with tempfile.TemporaryDirectory() as folder:
            scribe = stamped_visit(make_authority(Path(folder)))
            scribe.manifest("another")
            whole = scribe.objects
    second = stamp_name(2)
    return {
        "stamped": whole,
        "stamp-removed": {name: data for name, data in whole.items() if name != second},
        "stamp-of-another": {**whole, CLOSE_STAMP: whole[second]},
    }


def expected(objects: Objects) -> dict[str, object]:
    """What a verifier must say."""
    verdict = verify(MemoryReader(objects))
    first = verdict.broken[0].rule if verdict.broken else None
    return {"intact": verdict.intact, "complete": verdict.complete, "first": first, "witnessed": verdict.witnessed}


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    verdicts = {}
    for name, objects in stories().items():
        verdicts[name] = expected(objects)
        with ZipFile(FOLDER / f"{name}.zip", "w", ZIP_DEFLATED) as archive:
            for path, data in sorted(objects.items()):
                archive.writestr(ZipInfo(path), data, ZIP_DEFLATED)
    (FOLDER / "verdicts.json").write_text(json.dumps(verdicts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
