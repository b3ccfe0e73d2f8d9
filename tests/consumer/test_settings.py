import os

import pytest

from consumer.errors import SettingsError
from consumer.settings import LogFormat, LogLevel, Settings


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
    settings = Settings.from_environment(amqp_url="amqp://user:secret@host/")
    assert "secret" not in repr(settings)
