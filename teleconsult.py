"""The front door: the command `teleconsult`, and nothing behind it that another module does not do.

Every import of a room stands in the command that needs it: `teleconsult --help` and each part start quickly, and the
verifier runs where no server is installed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from config.settings import Settings, SettingsError
from teleconsult_custody import hold, keys, open_
from teleconsult_options import FILE, FOLDER, READ, begin, begin_log, config_option, data_option, settings_of

USAGE = 64
"""Exit code of a command that was not called rightly (EX_USAGE of sysexits.h); 2, as usual, is a verdict of `verify`."""
click.UsageError.exit_code = USAGE


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="teleconsult", message="%(prog)s %(version)s")
def main() -> None:
    """Video visits between doctor and patient, with recordings that prove themselves.

    Begin with `teleconsult serve --demo`: it starts everything on this machine and prints a link each for the doctor,
    the patient and the auditor of a visit to try it with.

    Every setting can also be given as TELECONSULT_<NAME> in the environment, or in a TOML file (--config).
    """


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="TCP port of pages, API and signaling; 0: any.  [default: 8080]"
)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1, with --tls self-signed all]")
@data_option
@config_option
@click.option("--demo", is_flag=True, help="Make a visit to try, and print its links.")
@click.option("--json", "as_json", is_flag=True, help="Say where things are in one line of JSON, once all is ready.")
@click.option(
    "--tls",
    type=click.Choice(["off", "self-signed", "files"]),
    help="https with a certificate made here, for a phone in the same network, or with tls_cert and tls_key of your own.",
)
@click.option("--turn", is_flag=True, default=None, help="Also run a TURN relay (needs coturn's turnserver).")
@click.option("--media-workers", type=click.IntRange(1, 64), help="Media processes; one a core.  [default: 1]")
def serve(config_file: Path | None, demo: bool, as_json: bool, **said: Any) -> None:
    """Run everything: signaling, media, recorder, and restart what dies. Ctrl-C ends it."""
    if said["tls"] == "self-signed" and said["host"] is None and "TELECONSULT_HOST" not in os.environ:
        said["host"] = "0.0.0.0"  # noqa: S104
    settings = settings_of(config_file, **said)
    begin("serve", settings)
    from config.supervise import SupervisionError
    from teleconsult_serve import InTheWay, Serving
    from teleconsult_serve import serve as run

    def tell(serving: Serving) -> None:
        from teleconsult_demo import demo_links

        links = demo_links(serving.settings) if demo else None
        accounts = _demo_accounts(serving.settings) if demo and not as_json else []
        click.echo(_one_line(serving, links) if as_json else _for_people(serving, links, accounts))
        sys.stdout.flush()

    try:
        run(settings, Path(__file__).resolve(), tell, sample_his=demo)
    except (InTheWay, SupervisionError, SettingsError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
@data_option
@config_option
def signaling(config_file: Path | None, **said: Any) -> None:
    """Run signaling alone: pages, API, who may meet whom."""
    settings = _part("signaling", config_file, said)
    from signaling.app import run

    run(settings)


@main.command()
@data_option
@config_option
@click.option("--index", type=click.IntRange(0, 63), default=0, show_default=True, help="Which worker of this machine.")
def media(config_file: Path | None, index: int, **said: Any) -> None:
    """Run one media worker alone: forwards sound and picture."""
    settings = _part(f"media-{index}", config_file, said)
    from media.worker import run

    run(settings, index)


@main.command()
@data_option
@config_option
def recorder(config_file: Path | None, **said: Any) -> None:
    """Run the recorder alone: writes, seals and stores what media hands it."""
    settings = _part("recorder", config_file, said)
    from recorder.process import run

    run(settings)


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port to answer on.  [default: 8080]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@data_option
@config_option
def witness(config_file: Path | None, **said: Any) -> None:
    """Cosign the logs of recorders elsewhere, as long as they only grow.

    Run it where the recorder's owner has no hand: another machine, another operator. DATA/witness has its key, and in
    `logs` the keys of the logs it watches, one a line, as their recorders print them at start. It prints its own: the
    recorder's setting `witnesses` takes it, as `URL KEY`.
    """
    settings = settings_of(config_file, **said)
    from recorder.log.keys import KeyFileInvalid
    from recorder.log.witness import run

    try:
        run(settings)
    except (KeyFileInvalid, OSError) as error:
        raise click.ClickException(str(error)) from None


@main.command("sample-his", hidden=True)
def sample_his() -> None:
    """Become the sample of a hospital's own system that `serve --demo` supervises."""
    from teleconsult_his import run

    run(settings_of(None))


@main.group()
def staff() -> None:
    """Accounts for the built-in sign-in: doctors, quality control, auditors, administrators."""


@staff.command("add")
@click.argument("login")
@click.option("--role", required=True, type=click.Choice(["doctor", "quality", "auditor", "administrator"]))
@click.option("--doctor", help="A doctor's id, as visits name it.")
@click.password_option(help="At least ten characters; asked for if not given.")
@data_option
@config_option
def staff_add(login: str, role: Any, doctor: str | None, password: str, config_file: Path | None, **said: Any) -> None:
    """Make an account; prints what the log of looks, and grants, call its owner."""
    from teleconsult_staff import add

    click.echo(add(settings_of(config_file, **said), login, role, doctor, password))


@staff.command("list")
@data_option
@config_option
def staff_list(config_file: Path | None, **said: Any) -> None:
    """Every account: login, role, and what the log of looks calls its owner."""
    from teleconsult_staff import listed

    for login, role, who in listed(settings_of(config_file, **said)):
        click.echo(f"{login}\t{role}\t{who}")


@main.command(hidden=True)
def turn() -> None:
    """Become the turnserver that `serve --turn` supervises."""
    from turn.coturn import run

    run(settings_of(None))


@main.command()
@click.argument("visit")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder for the bundle; must be new or empty.")
@data_option
@config_option
def export(visit: str, output: Path, config_file: Path | None, **said: Any) -> None:
    """Write VISIT's recording and its evidence to a folder that anyone can verify offline."""
    settings = settings_of(config_file, **said)
    begin_log("export", settings)
    from teleconsult_evidence import export as run

    sys.exit(run(settings, visit, output))


@main.command()
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON.")
@click.option(
    "--receipt", type=READ, help="A receipt: is this the recording it was given for? Alone: does it prove itself?"
)
@click.option(
    "--manifest", type=READ, help="A day's manifest: are all its visits among the bundles in the folder BUNDLE?"
)
@click.option("--timestamp-roots", "roots", type=READ, help="PEM file of who may vouch for time-stamp authorities.")
@click.option("--require-timestamps", is_flag=True, help="No timestamp of the end by such an authority: not intact.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="Your list of trusted keys.  [default: ~/.config/teleconsult/trusted_keys]",
)
def verify(
    bundle: Path | None,
    as_json: bool,
    trust: Path | None,
    receipt: Path | None,
    manifest: Path | None,
    roots: Path | None,
    require_timestamps: bool,
) -> None:
    """Check an exported BUNDLE: is it intact, and is it complete? Needs no server, no network and no secret.

    Exit code 0: both. 1: a rule is broken. 2: this is no bundle. 3: the trust list cannot be used.
    64: the command was not called rightly.
    """
    import teleconsult_evidence as evidence

    if require_timestamps and roots is None:
        raise click.UsageError("--require-timestamps needs --timestamp-roots")
    asked = evidence.Asked(as_json, trust, roots, require_timestamps)
    if bundle is None:
        if receipt is None or manifest is not None:
            raise click.UsageError("Missing argument 'BUNDLE'.")
        sys.exit(evidence.verify_receipt(receipt, asked))
    sys.exit(evidence.verify_day(manifest, bundle, asked) if manifest else evidence.verify(bundle, asked, receipt))


@main.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option(
    "--head", "heads", type=READ, multiple=True, help="A signed checkpoint you have from elsewhere, say from a witness."
)
@click.option("--spool", type=click.Path(path_type=Path), help="DATA/spool, if visits are going on.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def inventory(store: Path, heads: tuple[Path, ...], spool: Path | None, as_json: bool) -> None:
    """Check that STORE, a store's folder or a copy of its bucket, has every recording its logs know of.

    `verify` judges one recording; this shows whether a whole visit was taken away, or a log rolled back or forked.

    Exit code 0: nothing is missing. 1: a rule is broken. 2: this is no store. 64: the command was not called rightly.
    """
    from teleconsult_evidence import inventory as run

    sys.exit(run(store, heads, spool, as_json))


for custody in (open_, keys, hold):
    main.add_command(custody)


@main.command()
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.option("--seconds", type=click.FloatRange(3, 3600), default=10.0, show_default=True, help="How long to talk.")
@click.option("--api-key-file", type=FILE, help="File of the hospital's API key.  [default: DATA/keys/api.key]")
@click.option("--ca", type=FILE, help="Certificate to trust, such as DATA/keys/tls.crt.")
@data_option
@config_option
def probe(
    url: str,
    as_json: bool,
    seconds: float,
    api_key_file: Path | None,
    ca: Path | None,
    config_file: Path | None,
    **said: Any,
) -> None:
    """Hold a short visit between two synthetic people on the deployment at URL, and say how it went.

    Joins, talks, ends, waits for the recording, downloads and verifies it: an operator's first check. The API key
    comes from TELECONSULT_API_KEY or a file.

    Exit code 0: all well. 1: something failed, and it says what.
    """
    settings = settings_of(config_file, **said)
    begin_log("probe", settings, quiet=True)
    from teleconsult_probe import run

    key_file = api_key_file or settings.keys / "api.key"
    sys.exit(run(url, os.environ.get("TELECONSULT_API_KEY"), key_file, ca, seconds, as_json))


def _part(name: str, config_file: Path | None, said: dict[str, Any]) -> Settings:
    settings = settings_of(config_file, **said)
    begin(name, settings)
    if os.environ.get("TELECONSULT_SUPERVISED") == "1":
        from config.parent import end_with_parent

        end_with_parent()
    elif settings.run is None:
        raise click.ClickException(
            "run alone, a part needs the folder of the sockets it shares: TELECONSULT_RUN=/run/teleconsult"
        )
    return settings


def _one_line(serving: Any, links: dict[str, str] | None) -> str:
    said = {
        "url": serving.settings.base_url,
        "api_key_file": str(serving.api_key_file),
        "recordings": serving.recordings,
        "pid": os.getpid(),
    }
    return json.dumps(said if links is None else said | {"links": links})


def _demo_accounts(settings: Settings) -> list[tuple[str, str]]:
    from teleconsult_staff import demo_accounts

    return demo_accounts(settings)


def _for_people(serving: Any, links: dict[str, str] | None, accounts: list[tuple[str, str]]) -> str:
    lines = [f"Teleconsult is ready at {serving.settings.base_url}", ""]
    if links is not None:
        lines += ["A visit to try; open each link in a browser window of its own:"]
        lines += [f"  {role.capitalize():<12} {link}" for role, link in links.items()] + [""]
    if accounts:
        lines += [f"Staff sign in at {serving.settings.base_url}/auth/login; their passwords are told only now:"]
        lines += [f"  {login:<9} {password}" for login, password in accounts] + [""]
    lines += [f"Recordings go to {serving.recordings} ({serving.limits})", f"The API key is in {serving.api_key_file}"]
    if serving.settings.tls == "self-signed":
        lines += ["Browsers warn of the certificate once: it was made by this machine, for itself."]
    return "\n".join([*lines, "Ctrl-C ends it."])


if __name__ == "__main__":
    main(prog_name="teleconsult")
