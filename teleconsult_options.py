"""What the commands of the front door share: their options, and how settings are read and logs begun."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import click

from config.settings import Settings, SettingsError, load

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
READ = click.Path(exists=True, dir_okay=False, path_type=Path)

data_option = click.option("--data", type=FOLDER, help="Folder of database, keys and recordings.  [default: ./data]")
config_option = click.option("--config", "config_file", type=FILE, help="Settings in a TOML file.")


def visit_in(_context: click.Context, _option: click.Parameter, said: str | None) -> str | None:
    """A visit's id as it was said: it becomes part of a path. Raises `click.BadParameter`."""
    if said is not None and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", said) is None:
        raise click.BadParameter("a visit's id is 1 to 64 letters, digits, - and _")
    return said


def _person(_context: click.Context, _option: click.Parameter, said: str) -> str:
    # "Li Min", "li  min", a wide "Ｌｉ Ｍｉｎ" and one with marks that nobody sees are one person: two are asked for.
    seen = "".join(letter for letter in said if unicodedata.category(letter) != "Cf")
    one = " ".join(unicodedata.normalize("NFKC", seen).casefold().split())
    if not 1 <= len(one) <= 128:
        raise click.BadParameter("say who you are, in 1 to 128 characters")
    return one


def _reason(_context: click.Context, _option: click.Parameter, said: str) -> str:
    if not 1 <= len(said.strip()) <= 1024 or not said.isprintable():
        raise click.BadParameter("say why, in one line of 1 to 1024 characters")
    return said.strip()


who_option = click.option("--who", required=True, callback=_person, help="You. On the log it is a pseudonym.")
reason_option = click.option(
    "--reason", required=True, callback=_reason, help="Why. It goes on the log as it is: name no patient."
)


def settings_of(config_file: Path | None, **said: Any) -> Settings:
    """Settings of command line, environment and file. Raises `click.ClickException` with what is wrong."""
    try:
        return load(said, config_file)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def begin(part: str, settings: Settings) -> None:
    """Log as `part`, and from here on write files that only this user can read: names and keys are in them."""
    os.umask(0o077)
    begin_log(part, settings)


def begin_log(part: str, settings: Settings, quiet: bool = False) -> None:
    """Log as `part` from here on; `quiet`: errors only."""
    from config.logs import setup

    setup(part, "error" if quiet else settings.log_level, settings.log_json)
