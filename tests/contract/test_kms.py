"""One suite for every key store: a folder of root keys, and SoftHSM2 over PKCS#11."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recorder.sealing.kms import FileKms, KeyDestroyed, Kms, KmsAway, WrapBroken, Wrapped

DATA = bytes(range(32))
CONTEXT = b"teleconsult-data-key\x00Vb3k"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
PIN = "5678"

Opened = Callable[[], Kms]
"""The same key store, as another process would see it."""


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `pin` and `module` of a fresh token "tests". The module reads its configuration once a process,
    and is told of no other token afterwards: it is made once a process, too."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None:
        pytest.skip("needs softhsm2")
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    conf = home / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    (home / "pin").write_text(f"{PIN}\n")
    (home / "module").symlink_to(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(conf))
        words = ["softhsm2-util", "--init-token", "--free", "--label", "tests", "--so-pin", "1234", "--pin", PIN]
        subprocess.run(words, check=True, capture_output=True)
        yield home


@pytest.fixture(params=["file", "pkcs11"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "file":
        return lambda: FileKms(tmp_path / "kms")
    home: Path = request.getfixturevalue("token")
    from recorder.sealing.kms_pkcs11 import Pkcs11Kms

    return lambda: Pkcs11Kms(home / "module", "tests", home / "pin")


def test_what_was_wrapped_is_unwrapped_by_a_later_life(opened: Opened) -> None:
    wrapped = opened().wrap(DATA, CONTEXT)
    assert DATA not in wrapped.blob
    assert opened().unwrap(wrapped, CONTEXT) == DATA


def test_wrapping_twice_gives_two_blobs(opened: Opened) -> None:
    kms = opened()
    assert kms.wrap(DATA, CONTEXT).blob != kms.wrap(DATA, CONTEXT).blob


def test_after_a_rotation_new_keys_are_wrapped_under_the_new_root_and_old_ones_still_open(opened: Opened) -> None:
    kms = opened()
    before = kms.wrap(DATA, CONTEXT)
    root = kms.rotate()
    after = kms.wrap(DATA, CONTEXT)
    assert before.root != root == after.root
    assert kms.roots()[-2:] == [before.root, root]
    assert kms.unwrap(before, CONTEXT) == kms.unwrap(after, CONTEXT) == DATA


def test_a_destroyed_root_opens_nothing_it_wrapped_and_leaves_the_others(opened: Opened) -> None:
    kms = opened()
    shredded = kms.wrap(DATA, CONTEXT)
    kms.rotate()
    kept = kms.wrap(DATA, CONTEXT)
    kms.destroy(shredded.root)
    kms.destroy(shredded.root)
    with pytest.raises(KeyDestroyed):
        kms.unwrap(shredded, CONTEXT)
    assert kms.unwrap(kept, CONTEXT) == DATA


def test_a_wrapped_key_opens_as_itself_only(opened: Opened) -> None:
    kms = opened()
    wrapped = kms.wrap(DATA, CONTEXT)
    spoiled = bytearray(wrapped.blob)
    spoiled[20] ^= 1
    for broken, context in (
        (wrapped, b"another"),
        (wrapped._replace(blob=bytes(spoiled)), CONTEXT),
        (wrapped._replace(blob=wrapped.blob[:20]), CONTEXT),
        (wrapped._replace(blob=b""), CONTEXT),
        (wrapped._replace(root=kms.rotate()), CONTEXT),
    ):
        with pytest.raises(WrapBroken):
            kms.unwrap(broken, context)


@pytest.mark.parametrize("root", ["", "../../etc/passwd", "unknown-root-key"])
def test_a_root_that_is_not_there_is_said_to_be_gone(opened: Opened, root: str) -> None:
    kms = opened()
    kms.rotate()
    with pytest.raises(KeyDestroyed):
        kms.unwrap(Wrapped(root, bytes(60)), CONTEXT)


def test_a_module_that_is_not_there_or_refuses_us_is_away_and_comes_back(token: Path, tmp_path: Path) -> None:
    import pkcs11

    from recorder.sealing.kms_pkcs11 import Pkcs11Kms

    pkcs11.lib(str(token / "module")).reinitialize()  # as a new process: nobody has logged in
    pin = tmp_path / "pin"
    pin.write_text("0000")
    late = Pkcs11Kms(token / "module", "tests", pin)
    for kms in (
        late,
        Pkcs11Kms(tmp_path / "nothing.so", "tests", token / "pin"),
        Pkcs11Kms(token / "module", "no such token", token / "pin"),
        Pkcs11Kms(token / "module", "tests", tmp_path / "no pin"),
    ):
        with pytest.raises(KmsAway) as away:
            kms.roots()
        assert PIN not in str(away.value)
    pin.write_text(PIN)
    assert late.unwrap(late.wrap(DATA, CONTEXT), CONTEXT) == DATA
