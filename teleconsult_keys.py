"""`teleconsult open`, `keys` and `hold`: words around what the recorder does with keys.

What concerns a recording in the store is asked of the running recorder over its audit door, so that its log has it first.
`open` needs a bundle, a file of keys, and nothing else.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from config.settings import Settings

ROLE = "operator"


def open_bundle(bundle: Path, key: Path, output: Path) -> int:
    """Write the playable files; the exit code."""
    from recorder.plain_folder import read_given
    from recorder.sealing.key_file import MAX_KEY_FILE, KeyFileWrong, read_keys
    from recorder.sealing.opened import OpenRefused
    from recorder.sealing.opened import open_bundle as opened

    try:
        written = opened(bundle, read_keys(read_given(key, MAX_KEY_FILE)), output)
    except (OpenRefused, KeyFileWrong) as error:
        click.echo(f"Error: {error} [{error.code}]", err=True)
        return 1
    except OSError as error:
        click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
        return 1
    for file in written:
        click.echo(f"{file.path}  {file.stream}, part {file.part}, {file.bytes:,} bytes")
    click.echo("These files are in clear, and prove nothing: `teleconsult verify` judges the bundle.")
    return 0


def new_escrow(identity: Path) -> int:
    """Make the offline key pair; the exit code."""
    from config.clock import random_bytes
    from recorder.sealing.envelope import new_identity

    secret, recipient = new_identity(random_bytes(32))
    try:
        with os.fdopen(os.open(identity, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{secret}\n")
    except OSError as error:
        click.echo(f"Error: {identity} cannot be written: {error.strerror}", err=True)
        return 1
    click.echo(f"{identity} opens every recording made from now on: put it in a safe, and nowhere else.")
    click.echo(f"Start Teleconsult with\n  TELECONSULT_ESCROW={recipient}")
    return 0


def recover(settings: Settings, visit: str, identity: Path, output: Path) -> int:
    """The file of a visit's data keys by the escrow identity, without the key store; the exit code."""
    from recorder.sealing.envelope import EnvelopeBroken, RecipientInvalid
    from recorder.sealing.escrow import open_escrow
    from recorder.sealing.key_file import write_keys
    from recorder.sealing.mint import context_of
    from recorder.sealing.mint_settings import keyring_of

    found: dict[str, bytes] = {}
    try:
        word = identity.read_text("utf-8").strip()
        for held in keyring_of(settings).keys(visit):
            wrap = held.wrapped_by("escrow")
            if wrap is not None:
                found[held.key] = open_escrow(wrap.blob, word, context_of(held.key))
    except (EnvelopeBroken, RecipientInvalid) as error:
        click.echo(f"Error: {identity} does not open them: {error}", err=True)
        return 1
    except OSError as error:
        click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
        return 1
    if not found:
        click.echo("Error: no key of this visit is in escrow", err=True)
        return 1
    return _save(output, write_keys(visit, found))


def ask(settings: Settings, path: str, body: dict[str, Any], output: Path | None = None) -> int:
    """Ask the running recorder, and say what it says; the exit code. `output`: where a file it gives goes."""
    import asyncio

    try:
        socket = (settings.data / "audit.door").read_text("utf-8").strip()
        status, said, kind = asyncio.run(_post(socket, path, body))
    except (OSError, ConnectionError):
        click.echo(f"Error: no recorder runs on {settings.data}", err=True)
        return 1
    if kind == "application/octet-stream" and output is not None:
        return _save(output, said)
    try:
        answer = json.loads(said)
    except ValueError:
        click.echo(f"Error: the recorder answered {status}, and nothing that can be read", err=True)
        return 1
    if status >= 400:
        click.echo(f"Error: {answer['message']} [{answer['code']}]", err=True)
        return 1
    if answer.get("state") == "asked":
        click.echo("Asked, and on the log. A second person says the same within a day; then it is done.")
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in answer.items()))
    return 0


def person(settings: Settings, who: str, reason: str) -> dict[str, str]:
    """Somebody, as the log names them: no name stands in it."""
    return {"who": pseudonym(settings, who), "role": ROLE, "reason": reason}


def pseudonym(settings: Settings, who: str) -> str:
    """Of one who works here."""
    from config.secrets import secret_key
    from signaling.pseudonyms import KeyedPseudonyms

    key = secret_key(settings.recorder_seat_salt_file or settings.keys / "pseudonym.key")
    return KeyedPseudonyms(key)(ROLE, who)


async def _post(socket: str, path: str, body: dict[str, Any]) -> tuple[int, bytes, str]:
    from aiohttp import ClientSession, UnixConnector

    async with (
        ClientSession("http://recorder", connector=UnixConnector(socket)) as client,
        client.post(path, json=body) as answer,
    ):
        return answer.status, await answer.read(), answer.content_type


def _save(output: Path, content: bytes) -> int:
    try:
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        click.echo(f"Error: {output} cannot be written: {error.strerror}", err=True)
        return 1
    click.echo(f"The keys are in {output}. Whoever has the file and the bundle sees the recording.")
    return 0
