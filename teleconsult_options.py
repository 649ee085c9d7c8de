"""What the commands of the front door share: their options, and how settings are read and logs begun."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from config.settings import Settings, SettingsError, load

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
READ = click.Path(exists=True, dir_okay=False, path_type=Path)

data_option = click.option("--data", type=FOLDER, help="Folder of database, keys and recordings.  [default: ./data]")
config_option = click.option("--config", "config_file", type=FILE, help="Settings in a TOML file.")
who_option = click.option("--who", required=True, help="You. On the log it is a pseudonym.")
reason_option = click.option("--reason", required=True, help="Why. It goes on the log as it is: name no patient.")


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
