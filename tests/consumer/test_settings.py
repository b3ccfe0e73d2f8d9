import os
from pathlib import Path

import pytest

from consumer.broker.address import BrokerAddress
from consumer.errors import SettingsError
from consumer.settings import LogFormat, LogLevel, Settings
from persistence.address import DatabaseAddress
from persistence.tls import TlsFiles
from tests.servers.certificates import Authority

POSTGRESQL = "postgresql+asyncpg://user:secret@host/runs"
SECURE = {"amqp_url": "amqps://user:secret@host/", "database_url": POSTGRESQL}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("POINTSMAN_"):
            monkeypatch.delenv(name)


def test_every_setting_has_a_default() -> None:
    settings = Settings.from_environment()
    assert (settings.partitions, settings.prefetch, settings.batch_size) == (8, 128, 200)
    assert (settings.max_failures, settings.max_body_bytes) == (5, 1_048_576)
    assert settings.amqp_url.get_secret_value() == "amqp://guest:guest@127.0.0.1:5672/"
    assert settings.database_url.get_secret_value().startswith("sqlite+aiosqlite:///")
    assert settings.reply_to_pattern == (
        "amq.rabbitmq.reply-to.*",
        "amq.gen-*",
        "pointsman.replies.*",
    )


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_FORCE_USERS", "ann, bob,,")
    assert Settings.from_environment().force_users == ("ann", "bob")


def test_words_may_be_written_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("POINTSMAN_LOG_FORMAT", "Json")
    settings = Settings.from_environment()
    assert (settings.log_level, settings.log_format) == (LogLevel.DEBUG, LogFormat.JSON)


def test_all_wrong_settings_are_told_at_once_without_their_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POINTSMAN_BATCH_SIZE", "0")
    monkeypatch.setenv("POINTSMAN_AMQP_URL", "http://user:secret@host")
    with pytest.raises(SettingsError) as told:
        Settings.from_environment()
    assert "POINTSMAN_BATCH_SIZE" in str(told.value)
    assert "POINTSMAN_AMQP_URL" in str(told.value)
    assert "secret" not in str(told.value)


def test_passwords_are_not_shown() -> None:
    settings = Settings.from_environment(amqp_url="amqp://user:sesame@host/")
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"amqp_key": "client.key"}, "POINTSMAN_AMQP_KEY: there is no certificate to it"),
        ({"amqp_ca": "nowhere"}, "POINTSMAN_AMQP_CA: the file nowhere can't be read"),
        ({"amqp_cert": "nowhere", "amqp_key": "client.key"}, "POINTSMAN_AMQP_CERT: the file"),
        ({"amqp_url": "amqp://host/", "amqp_ca": "ca.pem"}, "POINTSMAN_AMQP_CA: it has no effect"),
        ({"amqp_url": "amqps://host/?no_verify_ssl=1"}, "POINTSMAN_AMQP_URL: the option"),
        ({"database_key": "client.key"}, "POINTSMAN_DATABASE_KEY: there is no certificate to it"),
        ({"database_ca": "client.key"}, "POINTSMAN_DATABASE_CA: the file client.key holds no"),
        ({"database_url": "sqlite+aiosqlite:///x.db", "database_ca": "ca.pem"}, "DATABASE_CA: SQL"),
        ({"database_url": f"{POSTGRESQL}?ssl=prefer", "database_ca": "ca.pem"}, "DATABASE_CA: it"),
        ({"database_url": f"{POSTGRESQL}?mode=x", "database_ca": "ca.pem"}, "option 'mode'"),
    ],
)
def test_what_can_not_be_used_for_tls_is_told_by_its_setting(
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
    (tmp_path / "client.key").write_bytes(authority.issue("client").key.read_bytes())
    for name, value in (SECURE | settings).items():
        monkeypatch.setenv(f"POINTSMAN_{name.upper()}", value)

    with pytest.raises(SettingsError) as told:
        Settings.from_environment()

    assert named in str(told.value)
    assert "secret" not in str(told.value)


def test_where_servers_are_is_told_with_the_files_for_tls(authority: Authority) -> None:
    held = authority.issue("client")
    files = TlsFiles(ca=authority.file, cert=held.certificate, key=held.key)
    settings = Settings.from_environment(
        **SECURE,
        **{f"amqp_{part}": getattr(files, part) for part in files.given},
        **{f"database_{part}": getattr(files, part) for part in files.given},
    )

    assert settings.broker == BrokerAddress(SECURE["amqp_url"], files)
    assert settings.database == DatabaseAddress(SECURE["database_url"], files)


def test_an_empty_setting_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_AMQP_CA", "")
    assert Settings.from_environment().broker.tls == TlsFiles()
