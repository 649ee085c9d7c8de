"""config.supervise: real processes that are kept alive, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from config.supervise import NotReady, Part, PartFailed, Stage, supervise
from tests.patience import PATIENCE_S

STAGES = (Stage(0, within_s=20.0), Stage(1, within_s=20.0))
# Says its pid in a file of the folder, then waits for the end of its standard input or a signal.
LIVES = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); sys.stdin.read()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES + "; signal.pause()"


def part(folder: Path, name: str = "one", program: str = LIVES, stage: int = 0) -> Part:
    return Part(name, (sys.executable, "-S", "-c", program, str(folder / name)), (folder / name).exists, stage=stage)


def pid(folder: Path, name: str = "one") -> int:
    with contextlib.suppress(OSError, ValueError):
        return int((folder / name).read_text())
    return 0


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def supervised(*parts: Part, stages: tuple[Stage, ...] = STAGES) -> AsyncIterator[asyncio.Event]:
    """The parts, once all are ready; told to stop afterwards, and waited for."""
    stop, ready = asyncio.Event(), asyncio.Event()

    async def tell() -> None:
        ready.set()

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervise(parts, tell, stop, stages))
        await ready.wait()
        yield stop
        stop.set()


async def nothing() -> None:
    return None


async def test_it_is_ready_when_every_part_has_answered(tmp_path: Path) -> None:
    async with supervised(part(tmp_path, "one"), part(tmp_path, "two")):
        assert (tmp_path / "one").exists()
        assert (tmp_path / "two").exists()


async def test_a_part_that_is_killed_is_started_again(tmp_path: Path) -> None:
    async with supervised(part(tmp_path)):
        await until(lambda: pid(tmp_path) > 0)
        first = pid(tmp_path)
        os.kill(first, signal.SIGKILL)
        await until(lambda: pid(tmp_path) not in (0, first))


async def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    async with supervised(part(tmp_path, "one"), part(tmp_path, "two", stage=1)):
        await until(lambda: pid(tmp_path, "one") > 0 and pid(tmp_path, "two") > 0)
    assert not alive(pid(tmp_path, "one"))
    assert not alive(pid(tmp_path, "two"))


async def test_a_later_stage_lives_until_the_earlier_one_has_ended(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys\n"
        "one = pathlib.Path(sys.argv[1])\n"
        "def end(*_):\n"
        "    os.kill(int(one.with_name('two').read_text()), 0)\n"
        "    one.with_name('seen').touch()\n"
        "    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end); one.write_text(str(os.getpid())); signal.pause()"
    )
    async with supervised(part(tmp_path, "one", program), part(tmp_path, "two", stage=1)):
        await until(lambda: pid(tmp_path, "one") > 0 and pid(tmp_path, "two") > 0)
    assert (tmp_path / "seen").exists()


async def test_what_does_not_end_is_killed(tmp_path: Path) -> None:
    async with supervised(part(tmp_path, program=STUBBORN), stages=(Stage(0, within_s=0.05),)):
        await until(lambda: pid(tmp_path) > 0)
    assert not alive(pid(tmp_path))


async def test_a_part_that_ends_before_it_was_ready_ends_everything(tmp_path: Path) -> None:
    fails = part(tmp_path, "two", "raise SystemExit(3)")
    with pytest.raises(PartFailed, match=r"two ended while starting \(exit 3\)"):
        await supervise([part(tmp_path), fails], nothing, asyncio.Event(), STAGES)
    assert not alive(pid(tmp_path))


async def test_a_part_that_never_answers_is_named(tmp_path: Path) -> None:
    mute = Part("mute", (sys.executable, "-S", "-c", "import sys; sys.stdin.read()"), lambda: False)
    with pytest.raises(NotReady, match="mute did not answer"):
        await supervise([mute], nothing, asyncio.Event(), STAGES, within_s=0.1)


async def test_a_part_that_is_late_is_waited_for_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    late = Part("late", (sys.executable, "-S", "-c", "import sys; sys.stdin.read()"), lambda: bool(caplog.messages))
    stop = asyncio.Event()

    async def ready() -> None:
        stop.set()

    await supervise([late], ready, stop, STAGES, tell_s=0.05)
    assert "part not ready yet" in caplog.messages


async def test_it_can_be_told_to_stop_while_it_starts(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    mute = Part("mute", (sys.executable, "-S", "-c", "import sys; sys.stdin.read()"), lambda: False)
    await supervise([mute], nothing, stop, STAGES)


async def test_children_see_the_end_of_their_input_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\nfrom config.supervise import *\n"
        "one = pathlib.Path(sys.argv[1])\n"
        "async def ready(): print('ready', flush=True)\n"
        f"part = Part('one', (sys.executable, '-S', '-c', {LIVES!r}, str(one)), one.exists)\n"
        "asyncio.run(supervise([part], ready, asyncio.Event(), [Stage(0, 1.0)]))"
    )
    pipe = asyncio.subprocess.PIPE
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(tmp_path / "one"), stdout=pipe)
    assert supervisor.stdout is not None
    assert await supervisor.stdout.readline() == b"ready\n"
    await until(lambda: pid(tmp_path) > 0)
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not alive(pid(tmp_path)))
