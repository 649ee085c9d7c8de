"""config.settings: where a value comes from, and which are refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from config.settings import Settings, SettingsError, load, to_environment


def test_nothing_said_is_a_whole_system_on_loopback() -> None:
    settings = load(environ={})
    assert (settings.host, settings.port, settings.store, settings.tls) == ("127.0.0.1", 8080, "folder", "off")
    assert settings.base_url == "http://127.0.0.1:8080"


def test_the_command_line_outweighs_the_environment_and_that_the_file(tmp_path: Path) -> None:
    file = tmp_path / "teleconsult.toml"
    file.write_text('port = 1\nmedia_port = 2\nlog_level = "debug"\norigins = ["https://a.example"]\n')
    settings = load({"port": 3, "host": None}, file, {"TELECONSULT_PORT": "4", "TELECONSULT_MEDIA_PORT": "5"})
    assert (settings.port, settings.media_port, settings.log_level) == (3, 5, "debug")
    assert settings.origins == ("https://a.example",)


def test_the_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text("port = 9")
    assert load(environ={"TELECONSULT_CONFIG": str(file)}).port == 9


def test_lists_are_separated_by_commas_in_the_environment() -> None:
    assert load(environ={"TELECONSULT_MEDIA_ADDRESSES": "192.0.2.1/10.0.0.5"}).media_addresses == (
        "192.0.2.1/10.0.0.5",
    )
    assert load(environ={"TELECONSULT_MEDIA_ADDRESSES": "192.0.2.1, ::1,"}).media_addresses == ("192.0.2.1", "::1")
    assert load(environ={"TELECONSULT_WITNESSES": "http://w.example KEY"}).witnesses == ("http://w.example KEY",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("PORT", "65536"),
        ("MEDIA_WORKERS", "0"),
        ("TLS", "maybe"),
        ("TLS", "files"),
        ("STORE", "ftp://x"),
        ("LOG_LEVEL", "loud"),
        ("STORE_LOCK", "true"),
        ("REMIND_BEFORE_MIN", "-1"),
        ("TIME_ZONE", "Nowhere/Else"),
        ("TIME_ZONE", "+25:00"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.lower()):
        load(environ={f"TELECONSULT_{name}": value})


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text("prot = 8080")
    with pytest.raises(SettingsError, match=r"t\.toml has an unknown setting `prot`"):
        load(file=file, environ={})


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "t.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"t\.toml is not TOML"):
        load(file=file, environ={})


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*none"):
        load(file=tmp_path / "none", environ={})


def test_a_child_reads_the_very_same_settings() -> None:
    settings = Settings(
        data=Path("/d"), run=Path("/r"), media_addresses=("192.0.2.1", "::1"), turn=True, port=0, tls="files",
        tls_cert=Path("/c"), tls_key=Path("/k"), store="s3://b/p", log_json=True,
    )  # fmt: skip
    assert load(environ=to_environment(settings)) == settings


def test_every_setting_has_a_variable() -> None:
    filled = load(environ={})
    for field in msgspec.structs.fields(Settings):
        if field.name not in ("tls_cert", "tls_key"):
            assert f"TELECONSULT_{field.name.upper()}" in to_environment(filled) or getattr(filled, field.name) in (
                None,
                (),
            )


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({"host": "0.0.0.0", "tls": "self-signed"}, "https://127.0.0.1:8080"),
        ({"host": "::1"}, "http://[::1]:8080"),
        ({"public_url": "https://visits.example/"}, "https://visits.example"),
    ],
)
def test_links_begin_with_what_a_browser_can_open(said: dict[str, str], url: str) -> None:
    assert load(said, environ={}).base_url == url


def test_the_database_and_the_store_are_in_the_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    settings = load({"data": tmp_path}, environ={})
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path}/teleconsult.db"
    assert settings.store_folder == tmp_path / "store"
    assert load({"database_url": "postgresql+asyncpg://h/d"}, environ={}).database == "postgresql+asyncpg://h/d"


def test_the_hospitals_page_is_of_an_origin_that_is_not_ours() -> None:
    given = {"slot_url": "https://HIS.example:443/rx"}
    assert load(given, environ={}).slot_origin == "https://his.example"
    assert load(environ={}).slot_origin is None
    for url in (
        "http://127.0.0.1:8080/rx",
        "http://localhost:8080",
        "https://a@b.example",
        "https://x.example/#f",
        "ftp://x",
    ):
        with pytest.raises(SettingsError):
            load({"slot_url": url}, environ={})
    with pytest.raises(SettingsError):
        load({"slot_url": "https://visit.example/rx", "public_url": "https://visit.example/"}, environ={})


def test_a_promise_of_no_time_at_all_is_none() -> None:
    for name in ("call_within_s", "escalate_after_s"):
        with pytest.raises(SettingsError, match=name):
            load({name: 0}, environ={})


def test_proxies_are_addresses_or_networks() -> None:
    assert load(environ={"TELECONSULT_PROXIES": "127.0.0.1, 10.1.0.0/16"}).proxies == ("127.0.0.1", "10.1.0.0/16")
    for wrong in ("proxy.example", "10.1.2.3/16", "*"):
        with pytest.raises(SettingsError, match="proxies"):
            load({"proxies": (wrong,)}, environ={})
