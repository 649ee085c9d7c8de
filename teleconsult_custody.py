"""The commands of those who hold the keys: `open`, `keys`, `hold`. What they do stands in `teleconsult_keys`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from teleconsult_keys import ask, new_escrow, open_bundle, person, pseudonym, recover
from teleconsult_options import (
    FILE,
    FOLDER,
    config_option,
    data_option,
    reason_option,
    settings_of,
    visit_in,
    who_option,
)


@click.command("open")
@click.argument("bundle", type=FOLDER)
@click.option(
    "--key", type=FILE, help="File of the recording's data keys.  [default: BUNDLE.keys.json, as exports have it]"
)
@click.option("-o", "--output", type=FOLDER, help="Folder for the files.  [default: BUNDLE-plain]")
def open_(bundle: Path, key: Path | None, output: Path | None) -> None:
    """Make plain playable files of a sealed BUNDLE."""
    beside = key or bundle.with_name(f"{bundle.name}.keys.json")
    if key is None and not beside.exists():
        raise click.ClickException(
            f"no keys lie beside it ({beside.name}); name their file with --key: "
            "two people get one by `teleconsult keys give`"
        )
    sys.exit(open_bundle(bundle, beside, output or bundle.with_name(f"{bundle.name}-plain")))


@click.group()
def keys() -> None:
    """The keys that recordings are sealed under. What two people must agree on, each of them says by this command."""


@keys.command()
@who_option
@click.option(
    "--destroy", is_flag=True, help="Destroy the old root keys: old copies of the keyring are then worth nothing."
)
@data_option
@config_option
def rotate(who: str, destroy: bool, config_file: Path | None, **said: Any) -> None:
    """Make a new root key and wrap every data key again; no media is touched."""
    settings = settings_of(config_file, **said)
    sys.exit(ask(settings, "/keys/rotate", {"who": pseudonym(settings, who), "destroy": destroy}))


@keys.command()
@click.argument("visit", required=False, callback=visit_in)
@click.option("--new", type=FILE, help="Make an escrow key pair; the secret half goes to this file.")
@click.option("--identity", type=FILE, help="The secret half: with it VISIT's keys are opened without the key store.")
@click.option("-o", "--output", type=FILE, help="File for VISIT's keys.")
@data_option
@config_option
def escrow(
    visit: str | None,
    new: Path | None,
    identity: Path | None,
    output: Path | None,
    config_file: Path | None,
    **said: Any,
) -> None:
    """Make the offline key that opens every recording (--new), or use it (VISIT --identity FILE -o FILE)."""
    if new is not None:
        sys.exit(new_escrow(new))
    if visit is None or identity is None or output is None:
        raise click.UsageError("either --new FILE, or VISIT --identity FILE -o FILE")
    sys.exit(recover(settings_of(config_file, **said), visit, identity, output))


@keys.command()
@click.argument("visit", callback=visit_in)
@who_option
@reason_option
@data_option
@config_option
def shred(visit: str, who: str, reason: str, config_file: Path | None, **said: Any) -> None:
    """Destroy the keys of VISIT, for ever: two people, after its retention, and not while it is held."""
    settings = settings_of(config_file, **said)
    sys.exit(ask(settings, f"/visits/{visit}/shred", person(settings, who, reason)))


@keys.command()
@click.argument("visit", callback=visit_in)
@who_option
@reason_option
@click.option("--to", help="An age recipient (`age1…`): only they can open the file.")
@click.option(
    "-o", "--output", type=FILE, required=True, help="File for the keys; written when the second person agrees."
)
@data_option
@config_option
def give(
    visit: str, who: str, reason: str, to: str | None, output: Path, config_file: Path | None, **said: Any
) -> None:
    """Give out the data keys of VISIT, which open its bundle: two people."""
    if os.path.lexists(output):  # before it is on the log that the keys left
        raise click.ClickException(f"{output} is there already")
    settings = settings_of(config_file, **said)
    more = {} if to is None else {"recipient": to}
    sys.exit(ask(settings, f"/visits/{visit}/keys", person(settings, who, reason) | more, output))


@click.command()
@click.argument("visit", callback=visit_in)
@click.argument("state", type=click.Choice(["on", "off"]))
@who_option
@reason_option
@data_option
@config_option
def hold(visit: str, state: str, who: str, reason: str, config_file: Path | None, **said: Any) -> None:
    """Forbid that VISIT is ever shredded (on), or allow it again (off)."""
    settings = settings_of(config_file, **said)
    sys.exit(ask(settings, f"/visits/{visit}/hold", person(settings, who, reason) | {"on": state == "on"}))
